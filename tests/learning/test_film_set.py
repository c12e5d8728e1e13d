"""Films as arrays: their labels, their changed copies, what happens when one is mirrored."""

import numpy as np
import pytest
from chest_phantom import picture
from PIL import Image

from medview.domain.progress import Silent
from medview.learning.film_set import (
    augmented,
    load_films,
    mirror_targets,
    mirror_zones,
    severity_targets,
    targets_of,
)
from medview.learning.subset import TrainCase


def case(name="a", image=None, **cells):
    return TrainCase(name, name, {"film": image}, "film", cells=cells)


def test_labels_of_each_task_stand_where_they_are_known():
    found = targets_of([case(brixia="310002"), case(prognosis="SEVERE"), case(prognosis="MILD")])
    assert found["zones"][0].tolist() == [3, 1, 0, 0, 0, 2]
    assert np.isnan(found["zones"][1:]).all()
    assert found["prognosis"].tolist()[1:] == [1, 0]
    assert np.isnan(found["prognosis"][0])
    assert np.isfinite(found["severity"]).tolist() == [True, False, False]
    assert np.isfinite(found["lungs"]).all(axis=1).tolist() == [True, False, False]


def test_a_film_with_a_zone_that_nobody_scored_has_no_severity():
    zones = np.array([[0, 0, 0, 0, 0, np.nan], [0, 0, 0, 3, 3, 3]], np.float32)
    found = severity_targets(zones)
    assert np.isnan(found["severity"]).tolist() == [True, False]
    right, left = found["lungs"][1]
    assert right < left


def test_in_a_mirrored_film_zones_and_lungs_change_sides_and_nothing_else():
    plain = targets_of([case(brixia="321000", prognosis="SEVERE")])
    turned = mirror_targets(plain)
    assert turned["zones"][0].tolist() == [0, 0, 0, 3, 2, 1]
    assert turned["lungs"][0].tolist() == plain["lungs"][0].tolist()[::-1]
    assert (turned["severity"], turned["prognosis"]) == (plain["severity"], plain["prognosis"])
    zones = np.array([[0, 1, 2, 3, 4, 5, 6]], np.int8)
    assert mirror_zones(zones).tolist() == [[0, 4, 5, 6, 1, 2, 3]]
    assert np.array_equal(mirror_zones(mirror_zones(zones)), zones)


def drawn(size=64):
    zones = np.zeros((size, size), np.int8)
    zones[8:24, 4:20], zones[8:24, 40:56] = 1, 4
    return np.where(zones > 0, 0.2, 0.8).astype(np.float32), zones


class Chosen:
    """Chance as the test wants it: which of the changes are made, each to its full extent."""

    def __init__(self, *made):
        self._made = made

    def random(self, n):
        return np.where(np.isin(np.arange(n), self._made), 0.0, 1.0)

    def uniform(self, low, high, size=None):
        if isinstance(size, tuple):  # what a square is bent by
            return np.random.default_rng(0).uniform(low, high, size)
        return high if size is None else np.full(size, high)


def test_without_a_change_the_square_is_the_same():
    square, zones = drawn()
    found, where, is_mirrored = augmented(square, zones, Chosen())
    assert np.allclose(found, square, atol=1e-6)
    assert np.array_equal(where, zones)
    assert not is_mirrored


def test_a_mirrored_square_has_its_zones_on_the_side_that_they_name():
    square, zones = drawn()
    found, where, is_mirrored = augmented(square, zones, Chosen(4))
    assert is_mirrored
    assert np.allclose(found, square[:, ::-1], atol=1e-6)
    assert set(np.unique(where[:, :32])) == {0, 1}
    assert set(np.unique(where[:, 32:])) == {0, 4}


@pytest.mark.parametrize("change", [0, 1, 2, 3])
def test_zones_go_with_the_picture_whatever_changes(change):
    square, zones = drawn()
    found, where, _ = augmented(square, zones, Chosen(change))
    assert not np.allclose(found, square, atol=1e-3)
    assert found[where > 0].mean() == pytest.approx(0.2, abs=0.05)
    assert set(np.unique(where)) == {0, 1, 4}


def test_copies_of_films_are_the_same_for_a_seed_and_what_is_no_film_is_left_out(tmp_path):
    Image.fromarray(picture(seed=1)).save(tmp_path / "a.png")
    Image.fromarray(np.full((64, 64), 9, np.uint8)).save(tmp_path / "flat.png")
    cases = [case("flat", tmp_path / "flat.png"), case("a", tmp_path / "a.png")]
    first, again, other = (load_films(Silent(), cases, 64, 3, seed) for seed in (5, 5, 6))
    assert [one.case for one in first.cases] == first.patients == ["a"]
    assert [one.case for one in first.skipped] == ["flat"]
    assert first.cases[0].cells["pixels"] == str(200 * 180)
    assert first.squares.shape == (1, 3, 64, 64)
    assert first.shares.shape == (1, 3, 6, 2, 2)
    assert np.array_equal(first.squares, again.squares)
    assert np.array_equal(first.squares[:, 0], other.squares[:, 0])  # the film as it is
    assert not np.array_equal(first.squares[:, 1:], other.squares[:, 1:])
