import numpy as np
import pytest
from phantoms import geometry_of, phantom, sphere_at

from medview.domain.geometry import Plane
from medview.domain.volume import Volume
from medview.imaging.body import body_box, body_corners
from medview.imaging.frame import View, compose_frame
from medview.imaging.oblique import STRAIGHT, turned


def test_the_box_is_around_the_sphere_and_not_around_the_air():
    grid = geometry_of("LPS", (60, 60, 60), (2.0, 2.0, 2.0))
    corners = body_corners(sphere_at((10.0, -6.0, 4.0), radius_mm=20.0, geometry=grid))
    low, high = corners.min(axis=0), corners.max(axis=0)
    assert low == pytest.approx((-10, -26, -16), abs=4.1)
    assert high == pytest.approx((30, 14, 24), abs=4.1)


@pytest.mark.parametrize("code", ["LPS", "RAI", "PIR"])
@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL])
def test_in_every_plane_the_body_is_inside_its_box(code, plane):
    grid = geometry_of(code, (60, 60, 60), (2.0, 2.0, 2.0))
    volume = sphere_at((10.0, -6.0, 4.0), radius_mm=20.0, geometry=grid)
    frame = compose_frame(volume, (), View(plane, (10.0, -6.0, 4.0)))
    left, top, right, bottom = body_box(frame, body_corners(volume))
    rows, columns = np.nonzero(frame.image)
    assert left <= columns.min()
    assert right >= columns.max() + 1
    assert top <= rows.min()
    assert bottom >= rows.max() + 1
    assert right - left < 40


@pytest.mark.parametrize("degrees", [0, 20, 45, -45])
@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL])
def test_a_turned_plane_has_a_box_as_large_as_a_straight_one(plane, degrees):
    grid = geometry_of("LPS", (60, 60, 60), (2.0, 2.0, 2.0))
    volume = sphere_at((10.0, -6.0, 4.0), radius_mm=20.0, geometry=grid)
    tilt = turned(turned(STRAIGHT, (1, 0, 0), degrees), (0, 1, 0), degrees)
    frame = compose_frame(volume, (), View(plane, (10.0, -6.0, 4.0), tilt=tilt))
    left, top, right, bottom = body_box(frame, body_corners(volume))
    wide, high = frame.pixel_mm
    assert (right - left) * wide == pytest.approx(46, abs=5)
    assert (bottom - top) * high == pytest.approx(46, abs=5)
    rows, columns = np.nonzero(frame.image > 128)
    assert left <= columns.min() < columns.max() < right
    assert top <= rows.min() < rows.max() < bottom


def test_a_body_that_fills_the_image_is_the_whole_image():
    volume = phantom()
    frame = compose_frame(volume, (), View(Plane.AXIAL, (0.0, 0.0, 0.0)))
    rows, columns = frame.image.shape
    assert body_box(frame, None) == (0, 0, columns, rows)


def test_films_colours_and_empty_volumes_have_no_box():
    film = Volume(np.ones((1, 5, 5), np.int16), geometry_of("LPS", (1, 5, 5)))
    empty = Volume(np.zeros((5, 5, 5), np.int16), geometry_of("LPS", (5, 5, 5)))
    nothing = Volume(np.full((5, 5, 5), np.nan, np.float32), geometry_of("LPS", (5, 5, 5)))
    colour = Volume(np.ones((5, 5, 5, 3), np.uint8), geometry_of("LPS", (5, 5, 5)))
    assert [body_corners(v) for v in (film, empty, nothing, colour)] == [None] * 4


def test_the_box_lies_on_the_edges_of_the_bright_voxels_with_its_margin():
    """Voxels 10 to 19 reach from 10 to 20 in pixels counted from an edge of the picture."""
    array = np.zeros((40, 40, 40), np.int16)
    array[10:20, 10:20, 10:20] = 100
    volume = Volume(array, geometry_of("LPS", (40, 40, 40)))
    frame = compose_frame(volume, (), View(Plane.AXIAL, tuple(volume.geometry.to_mm((15, 15, 15)))))
    assert body_box(frame, body_corners(volume)) == pytest.approx((9.4, 9.4, 20.6, 20.6))
