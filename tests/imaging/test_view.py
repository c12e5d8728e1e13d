"""What a view is when nothing was chosen, and when one part of a film covers another."""

from dataclasses import replace

import numpy as np
import pytest

from medview.domain.geometry import Plane
from medview.domain.report import ColourBar
from medview.imaging.oblique import STRAIGHT
from medview.imaging.view import DrawnShape, Frame, Labels, Part, ReferenceLine, View

PART = Part(left=8, top=16, columns=10, rows=5, step=4, whole=(200, 300))  # to 48 and to 36


def test_a_view_of_which_nothing_was_asked_shows_a_slice_as_it_is():
    view = View()
    assert (view.plane, view.point_lps, view.window, view.look) == (
        Plane.AXIAL,
        (0, 0, 0),
        None,
        "",
    )
    assert (view.flip_h, view.flip_v, view.rotate, view.inverted) == (False, False, 0, False)
    assert (view.slab_mm, view.zoom, view.pan_mm, view.tilt) == (0, 1, (0, 0), STRAIGHT)
    assert (view.crosshair, view.annotations) == (True, "all")


@pytest.mark.parametrize(
    ("change", "covered"),
    [
        ({}, True),
        ({"left": 12, "columns": 9}, True),
        ({"top": 20, "rows": 4}, True),
        ({"left": 4, "columns": 11}, False),
        ({"top": 12, "rows": 6}, False),
        ({"columns": 11}, False),
        ({"rows": 6}, False),
        ({"left": 12}, False),
        ({"top": 20}, False),
        ({"left": 8.036, "columns": 9}, True),  # less than a hundredth of a block away
        ({"left": 8.044, "columns": 9}, False),
        ({"top": 16.044, "rows": 4}, False),
        ({"step": 2}, False),
        ({"whole": (200, 301)}, False),
    ],
)
def test_a_part_covers_what_reaches_beyond_it_on_no_side(change, covered):
    assert PART.covers(replace(PART, **change)) is covered


def frame(shape, **told):
    """A frame of which nothing is told that must not be."""
    image = np.zeros(shape, np.uint8)
    known = {"labels": Labels(), "cursor": (0.0, 0.0), "position": "", "window": None}
    return Frame(image, (), np.eye(4), (1.0, 1.0), slice=0, slices=1, values={}, **known, **told)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 3)])
def test_a_frame_is_as_large_as_its_slice_whatever_part_is_there(shape):
    assert frame(shape).size == (3, 4)
    assert frame(shape, part=PART).size == (200, 300)


def test_the_legend_is_that_of_the_topmost_overlay_and_labels_have_none():
    two = tuple(ColourBar(np.zeros((2, 3), np.uint8), 0, 1, None, "", name) for name in "ab")
    assert frame((3, 4)).colour_bar is None
    assert frame((3, 4), colour_bars=two).colour_bar is two[0]
    label = replace(two[0], is_label=True)
    assert frame((3, 4), colour_bars=(label, two[1])).colour_bar is None


def test_what_is_not_told_of_a_frame_is_not_so():
    made = frame((3, 4))
    assert (made.missing, made.absent, made.part, made.lean) == (False, None, None, 0.0)
    assert (made.crosshair, made.lines) == (True, ((1.0, 0.0), (0.0, 1.0)))
    assert not DrawnShape(1, "length", (), ()).is_chosen
    assert not ReferenceLine(Plane.AXIAL, ((0.0, 0.0), (1.0, 1.0))).is_edge
