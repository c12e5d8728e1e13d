"""Colours over an image by their numbers."""

import numpy as np
import pytest

from medview.imaging.tint import Tint, joined

COLOURS = np.arange(1024, dtype=np.uint32).astype(np.uint8).reshape(256, 4)
COLOURS[0] = 0
PLACES = np.array([[0, 0, 0], [0, 7, 0], [9, 0, 0], [0, 0, 0]], np.uint8)


def test_every_pixel_has_the_colour_of_its_place():
    rgba = Tint(PLACES, COLOURS).rgba
    assert rgba.shape == (4, 3, 4)
    assert rgba[1, 1].tolist() == COLOURS[7].tolist()
    assert rgba[2, 0].tolist() == COLOURS[9].tolist()
    assert (rgba.any(axis=-1) == (PLACES > 0)).all()


def test_an_alpha_of_its_own_takes_the_place_of_the_colours():
    alpha = np.full(PLACES.shape, 40, np.uint8)
    rgba = Tint(PLACES, COLOURS, alpha=alpha).rgba
    assert (rgba[..., 3] == 40).all()
    assert rgba[1, 1, :3].tolist() == COLOURS[7, :3].tolist()


def test_what_is_not_shown_is_clear_whatever_its_place():
    rgba = Tint(PLACES, COLOURS[1:2].repeat(256, 0), PLACES == 0).rgba
    assert (rgba.any(axis=-1) == (PLACES == 0)).all()


def test_rows_without_anything_drawn_are_known():
    assert Tint(PLACES, COLOURS).covered_rows == slice(1, 3)
    assert Tint(np.zeros_like(PLACES), COLOURS).covered_rows == slice(0, 0)
    shown = np.zeros_like(PLACES)
    shown[3, 2] = 1
    assert Tint(PLACES, COLOURS, alpha=shown).covered_rows == slice(3, 4)
    assert Tint(PLACES, COLOURS, shown > 0).covered_rows == slice(3, 4)


def test_two_tints_meet_at_a_column_and_stay_as_they_were():
    left, right = (Tint(each, COLOURS, each > 3, each) for each in (PLACES, PLACES + 1))
    made = joined(left, right, 1)
    assert np.array_equal(made.rgba[:, :1], left.rgba[:, :1])
    assert np.array_equal(made.rgba[:, 1:], right.rgba[:, 1:])
    assert PLACES[1, 1] == 7
    assert joined(Tint(PLACES, COLOURS), Tint(PLACES, COLOURS), 2).alpha is None


def test_tints_of_other_colours_are_a_mistake():
    for other in (Tint(PLACES, COLOURS[::-1]), Tint(PLACES, COLOURS, PLACES > 0)):
        with pytest.raises(ValueError, match="same way"):
            joined(Tint(PLACES, COLOURS), other, 1)
