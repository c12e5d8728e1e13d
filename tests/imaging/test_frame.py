"""What a pane shows, read from the frame."""

import numpy as np
import pytest
from phantoms import (
    BASE_CASES,
    MARK_LPS,
    ORIENTATIONS,
    map_of,
    phantom,
)

from medview.domain.geometry import Plane
from medview.domain.overlay import LayerStyle
from medview.domain.volume import Window
from medview.imaging.frame import Labels, Layer, View, compose_frame

CUT_PLANES = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)
WIDE = Window(1000, 500, "LINEAR_EXACT")


def brightest_lps(frame):
    """LPS mm of the middle of the brightest pixels of a frame."""
    rows, columns = np.nonzero(frame.image == frame.image.max())
    at = frame.pixel_to_lps @ np.array([columns.mean(), rows.mean(), 0, 1])
    return at[:3]


def overlay(volume, **style):
    """A visible layer with the volume's own values as its map."""
    wanted = {"visible": True, "range": (0.0, 1000.0), "threshold": 500.0, **style}
    return Layer(map_of(volume, title="anomaly score"), LayerStyle(**wanted))


@pytest.mark.parametrize("case", BASE_CASES, ids=lambda case: case.name)
def test_stored_rows_and_columns_carry_the_letters_of_the_table(case):
    frame = compose_frame(case.volume, (), View(Plane.ACQUIRED, case.point_lps, WIDE))
    cut = (case.left[:2], case.right[:2], case.top[:2], case.bottom[:2])
    found = frame.labels
    assert (found.left, found.right, found.top, found.bottom) == cut
    assert frame.image[1, 2] == frame.image.max() > 0
    assert frame.slice == 3
    assert frame.cursor == pytest.approx((2, 1), abs=1e-3)


@pytest.mark.parametrize("plane", CUT_PLANES)
@pytest.mark.parametrize("case", BASE_CASES, ids=lambda case: case.name)
def test_the_bright_voxel_of_every_case_is_drawn_where_it_is_in_every_plane(case, plane):
    frame = compose_frame(case.single_voxel, (), View(plane, case.point_lps, WIDE))
    assert np.count_nonzero(frame.image) == 1
    assert brightest_lps(frame) == pytest.approx(case.point_lps, abs=1e-3)
    assert frame.values["image"] == 1003


@pytest.mark.parametrize("plane", CUT_PLANES)
@pytest.mark.parametrize("code", ORIENTATIONS)
def test_every_one_of_48_orientations_gives_the_same_radiological_picture(code, plane):
    frame = compose_frame(phantom(code), (), View(plane, MARK_LPS, WIDE))
    expected = {
        Plane.AXIAL: Labels("R", "L", "A", "P"),
        Plane.CORONAL: Labels("R", "L", "H", "F"),
        Plane.SAGITTAL: Labels("A", "P", "H", "F"),
    }
    assert frame.labels == expected[plane]
    assert brightest_lps(frame) == pytest.approx(MARK_LPS, abs=3.1)
