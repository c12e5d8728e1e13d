"""Where the crop box runs through a slice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phantoms import geometry_of

from medview.domain.crop import CropBox
from medview.domain.geometry import Plane
from medview.imaging.oblique import STRAIGHT, turned
from medview.imaging.outline import outline
from medview.imaging.reslice import cut_of
from medview.imaging.view import View

BOX = CropBox((-20.0, -10.0, -16.0), (12.0, 24.0, 8.0))
PLANES = {Plane.AXIAL: (0, 1), Plane.CORONAL: (0, 2), Plane.SAGITTAL: (1, 2)}


def places(cut, box):
    """The corners of the outline in the patient, (n, 3)."""
    pixels = np.array([(x, y, 0.0, 1.0) for x, y in outline(cut, box)])
    return (pixels @ cut.pixel_to_lps.T)[:, :3]


@pytest.mark.parametrize("code", ["LPS", "RAI", "SPL"])
@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("flip", [False, True])
def test_along_the_axes_of_the_patient_it_is_the_rectangle_of_the_box(code, plane, flip):
    grid = geometry_of(code, (40, 44, 48), (2.0, 2.0, 2.0))
    cut = cut_of(grid, View(plane, (1.0, 2.0, 3.0), flip_h=flip, rotate=90 if flip else 0))
    corners = places(cut, BOX)
    assert len(corners) == 4
    for axis in PLANES[plane]:
        assert corners[:, axis].min() == pytest.approx(BOX.low[axis])
        assert corners[:, axis].max() == pytest.approx(BOX.high[axis])
    # Round about: neighbours share a side, those across do not.
    sides = np.abs(corners - np.roll(corners, 1, axis=0)) > 1e-6
    assert (sides.sum(axis=1) == 1).all()


def test_beside_the_box_there_is_none():
    grid = geometry_of("LPS", (40, 44, 48), (2.0, 2.0, 2.0))
    assert outline(cut_of(grid, View(Plane.AXIAL, (0.0, 0.0, 30.0))), BOX) == ()
    assert outline(cut_of(grid, View(Plane.AXIAL, (0.0, 0.0, 6.0))), BOX) != ()


@given(st.floats(5, 60), st.sampled_from([(1.0, 0.0, 0.0), (0.6, 0.8, 0.0), (0.5, 0.5, 0.7)]))
def test_of_an_oblique_slice_all_corners_lie_on_faces_of_the_box(degrees, about):
    grid = geometry_of("LPS", (40, 44, 48), (2.0, 2.0, 2.0))
    view = View(Plane.AXIAL, (0.0, 2.0, 0.0), tilt=turned(STRAIGHT, about, degrees))
    corners = places(cut_of(grid, view), BOX)
    assert 3 <= len(corners) <= 6
    low, high = np.array(BOX.low), np.array(BOX.high)
    assert (corners >= low - 1e-6).all()
    assert (corners <= high + 1e-6).all()
    on_face = np.isclose(corners, low, atol=1e-6) | np.isclose(corners, high, atol=1e-6)
    assert (on_face.sum(axis=1) >= 2).all()
