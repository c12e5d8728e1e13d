"""What a view is when nothing was chosen, and when one part of a film covers another."""

from dataclasses import replace

import pytest

from medview.domain.geometry import Plane
from medview.imaging.oblique import STRAIGHT
from medview.imaging.view import Part, View

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
        ({"step": 2}, False),
        ({"whole": (200, 301)}, False),
    ],
)
def test_a_part_covers_what_reaches_beyond_it_on_no_side(change, covered):
    assert PART.covers(replace(PART, **change)) is covered
