"""A brain that lies whole in its volume, one that does not, and noise, which holds none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of
from scipy import ndimage

from medview.domain.errors import ModelInputError
from medview.domain.volume import Volume
from medview.learning import region_grid
from medview.learning.region_grid import boxed
from medview.learning.upright import Pose, mean_head
from medview.learning.whole_brain import cut_notes, is_cut, may_be_a_part, refuse_noise

UNLIKE, LIKE = (Pose(np.eye(3), 40.0, alike) for alike in (0.4, 0.6))


def ball(shape: tuple[int, int, int], at: tuple[float, float, float], radius: float) -> np.ndarray:
    grid = np.moveaxis(np.indices(shape), 0, -1)
    return np.asarray(np.linalg.norm(grid - np.array(at), axis=-1) <= radius)


def volume_of(array: np.ndarray) -> Volume:
    geometry = geometry_of("LPS", array.shape, (4.0, 4.0, 4.0))
    return Volume(array.astype(np.float32), geometry)


def in_a_head(brain: np.ndarray, round_it: float) -> Volume:
    """A brain of 100 in what is round it, and air in one corner."""
    array = np.where(brain, 100.0, round_it)
    array[0, 0, 0] = 0.0
    return volume_of(array)


@pytest.mark.parametrize(
    ("at", "axes", "cut"),
    [
        ((20, 20, 20), (0, 1, 2), False),
        ((20, 20, 1), (0, 1, 2), True),
        ((38, 20, 20), (0,), True),
        ((38, 20, 20), (1, 2), False),
        ((9.5, 20, 20), (0, 1, 2), False),  # as low as the brain stem goes out of a volume
    ],
)
def test_a_brain_that_ends_at_a_face_of_the_volume_is_cut(at, axes, cut) -> None:
    assert is_cut(ball((40, 40, 40), at, 10), axes) is cut
    assert not is_cut(np.zeros((4, 4, 4), dtype=bool))


def test_a_head_that_seems_to_lie_on_its_side_at_an_edge_may_be_a_part_of_one() -> None:
    near = ball((40, 40, 40), (20, 20, 9), 9)
    volume = in_a_head(near, 10.0)
    assert not is_cut(near)
    for degrees, alike, is_part in ((93.0, 0.9, True), (20.0, 0.9, False), (5.0, 0.75, True)):
        assert may_be_a_part(volume, near, Pose(np.eye(3), degrees, alike)) is is_part
        assert not may_be_a_part(volume, near, Pose(np.eye(3), degrees, alike), (0, 1))
    small = ball((40, 40, 40), (20, 20, 11), 9)
    assert not may_be_a_part(volume, small, Pose(np.eye(3), 5.0, 0.6))
    far = ball((40, 40, 40), (20, 20, 20), 9)
    assert not may_be_a_part(volume, far, Pose(np.eye(3), 93.0, 0.6))


@pytest.mark.parametrize(("round_it", "is_part"), [(0.0, False), (2.0, False), (20.0, True)])
def test_a_brain_without_a_skull_may_be_large_near_every_face(round_it, is_part) -> None:
    near = ball((40, 40, 40), (20, 20, 9), 9)
    volume = in_a_head(near, round_it)
    assert may_be_a_part(volume, near, Pose(np.eye(3), 5.0, 0.75)) is is_part


def test_measures_of_a_part_of_a_brain_are_in_doubt() -> None:
    (note,) = cut_notes(ball((40, 40, 40), (20, 20, 1), 10))
    assert note.code == "OUTSIDE_TRAINING"
    assert "seems not to be whole" in note.text
    whole = ball((40, 40, 40), (20, 20, 20), 10)
    assert cut_notes(whole) == ()
    assert cut_notes(whole, is_part=True) == (note,)


@pytest.mark.parametrize("width", [0.0, 2.0])
def test_noise_is_refused_as_no_brain(width: float) -> None:
    array = np.abs(np.random.default_rng(0).normal(0, 100, (40, 40, 40)))
    volume = volume_of(ndimage.gaussian_filter(array, width) if width else array)
    mask = ball((40, 40, 40), (20, 20, 20), 14)
    with pytest.raises(ModelInputError, match="it is alike everywhere, as noise is") as told:
        refuse_noise(volume, mask, lambda: UNLIKE)
    assert told.value.code == "MV-MOD-011"
    # A head of a patient may be as bright as what lies round it: it is like the mean head.
    refuse_noise(volume, mask, lambda: LIKE)


def test_what_stands_out_is_no_noise_however_unlike_a_head_it_is() -> None:
    mask = ball((40, 40, 40), (20, 20, 20), 14)
    for inside in (300, -300):
        volume = volume_of(np.random.default_rng(0).normal(0, 100, mask.shape) + inside * mask)
        refuse_noise(volume, mask, lambda: pytest.fail("nobody needs to ask"))


def test_half_a_head_is_not_turned_by_what_was_found_of_it(monkeypatch) -> None:
    values = np.pad(mean_head(), 4)
    whole = volume_of(values)
    array = values[:, :, : values.shape[2] // 2]
    half = replace(whole, array=array, geometry=replace(whole.geometry, shape=array.shape))
    pose = Pose(np.diag([1.0, -1.0, -1.0]), 93.0, 0.6)
    monkeypatch.setattr(region_grid, "pose_of", lambda *_: pose)
    assert boxed(half, array > 0.4).pose is None
    assert boxed(whole, values > 0.4).pose is pose
