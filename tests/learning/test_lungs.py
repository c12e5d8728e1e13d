"""Lungs in a film: found by the network, told apart, cut into zones, boxed."""

import numpy as np
import pytest
from chest_phantom import two_lungs

from medview.learning.lungs import label_zones, lung_box


def test_zones_are_thirds_of_each_lung_and_sides_are_those_of_the_picture():
    left, right = two_lungs()
    zones = label_zones(left | right)
    assert set(np.unique(zones[left])) == {1, 2, 3}
    assert set(np.unique(zones[right])) == {4, 5, 6}
    assert zones[45, 50] == 1
    assert zones[100, 50] == 2
    assert zones[155, 130] == 6


def test_zones_move_with_a_shifted_film_and_swap_with_a_mirrored_one():
    left, right = two_lungs(left=(90, 50), right=(110, 130))
    mask = left | right
    zones = label_zones(mask)
    moved = label_zones(np.roll(mask, (7, -5), (0, 1)))
    assert np.array_equal(moved, np.roll(zones, (7, -5), (0, 1)))
    swapped = np.array([0, 4, 5, 6, 1, 2, 3])[zones[:, ::-1]]
    assert np.array_equal(label_zones(mask[:, ::-1]), swapped)


def test_lungs_that_touch_are_parted_where_least_is_lung():
    left, right = two_lungs(left=(100, 62), right=(100, 118))
    zones = label_zones(left | right)
    assert (zones[100, 40], zones[100, 140]) == (2, 5)


@pytest.mark.parametrize("last_column", [30, 0])
def test_the_rim_of_one_lung_or_none_has_no_zones(last_column):
    mask = two_lungs()[0] & (np.arange(180) < last_column)
    assert mask.any() == (last_column > 0)
    assert not label_zones(mask).any()


def test_the_box_is_a_square_about_the_lungs_inside_the_film():
    top, left, side = lung_box(np.logical_or(*two_lungs()))
    assert side == pytest.approx(139 * 1.1, abs=2)  # the wider direction with 5 % on each side
    assert top >= 0
    assert left >= 0
    assert top + side <= 200
    assert left + side <= 180
