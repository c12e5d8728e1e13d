"""Colour tables by name."""

import colorsys

import numpy as np
import pytest

from medview.imaging.colour import COLOUR_MAPS, colour_table


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_every_offered_colour_map_is_opaque_and_read_only(name):
    table = colour_table(name)
    assert table.shape == (256, 4)
    assert (table[:, 3] == 255).all()
    assert not table.flags.writeable
    assert colour_table(name) is table


@pytest.mark.parametrize("name", ["inferno", "viridis", "magma", "cividis", "plasma"])
def test_the_even_maps_grow_brighter_from_low_to_high(name):
    luminance = colour_table(name)[:, :3] @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) > -1.0).all()
    assert luminance[-1] > luminance[0] + 100


def test_an_unknown_colour_map_is_an_error_of_the_program():
    with pytest.raises(ValueError, match="nonsense"):
        colour_table("nonsense")


def test_one_colour_can_stand_for_a_map():
    assert set(map(tuple, colour_table("#e8a33d").tolist())) == {(232, 163, 61, 255)}


def test_labels_side_by_side_have_hues_a_golden_section_apart():
    """Of 255 labels no two have the same colour, and neighbours never a similar one."""
    table = colour_table("distinct")
    assert (table[:, :3].max(axis=1) == 255).all()
    hues = np.array([colorsys.rgb_to_hsv(*(row[:3] / 255))[0] for row in table])
    apart = np.diff(hues) % 1
    assert np.minimum(apart, 1 - apart) == pytest.approx(0.382, abs=0.01)
    assert len({tuple(row) for row in table.tolist()}) == 256
