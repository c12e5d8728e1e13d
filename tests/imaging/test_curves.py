"""The value at a place through slices and over time."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of

from medview.domain.geometry import Plane
from medview.domain.volume import Volume
from medview.imaging.curves import over_time, through_slices
from medview.imaging.view import View

GRID = geometry_of("LPS", (6, 5, 4), (3.0, 2.0, 1.0))
VALUES = np.arange(120, dtype=np.int16).reshape(6, 5, 4)
VOLUME = Volume(VALUES, GRID)


def at(k, j, i, grid=GRID):
    return tuple(float(n) for n in grid.to_mm((k, j, i)))


@pytest.mark.parametrize(
    ("plane", "values", "step", "here"),
    [
        (Plane.AXIAL, VALUES[:, 1, 2], 3.0, 4),
        (Plane.CORONAL, VALUES[4, :, 2], 2.0, 1),
        (Plane.SAGITTAL, VALUES[4, 1, :], 1.0, 2),
    ],
)
def test_the_curve_runs_through_the_slices_of_the_pane(plane, values, step, here):
    curve = through_slices(VOLUME, View(plane, at(4, 1, 2)))
    assert curve.y.tolist() == values.tolist()
    assert curve.x.tolist() == [n * step for n in range(len(values))]
    assert (curve.here, curve.unit) == (here, "mm")


def test_it_can_be_had_beside_the_crosshair():
    curve = through_slices(VOLUME, View(Plane.AXIAL, at(4, 1, 2)), at(0, 3, 3))
    assert curve.y.tolist() == VALUES[:, 3, 3].tolist()
    assert curve.here == 4


@pytest.mark.parametrize("code", ["LPS", "RAS", "PIR"])
def test_however_the_data_lie(code):
    grid = geometry_of(code, (6, 5, 4), (3.0, 2.0, 1.0))
    view = View(Plane.AXIAL, at(2, 2, 1, grid))
    curve = through_slices(Volume(VALUES, grid), view)
    axis = grid.axis_of[2]
    line = [2, 2, 1]
    line[axis] = slice(None)
    assert curve.y.tolist() == VALUES[tuple(line)].tolist()
    assert curve.y[curve.here] == VALUES[2, 2, 1]


def test_missing_slices_and_places_outside_have_no_value():
    gappy = replace(VOLUME, missing_slices=(2,))
    curve = through_slices(gappy, View(Plane.AXIAL, at(4, 1, 2)))
    assert np.isnan(curve.y).tolist() == [False, False, True, False, False, False]
    outside = through_slices(VOLUME, View(Plane.AXIAL, at(4, 1, 2)), at(4, 1, 9))
    assert np.isnan(outside.y).all()


def test_without_sizes_in_the_patient_slices_are_counted():
    flat = replace(VOLUME, geometry=replace(GRID, spacing_kind="none"))
    curve = through_slices(flat, View(Plane.AXIAL, at(4, 1, 2)))
    assert (curve.x.tolist(), curve.unit) == ([1, 2, 3, 4, 5, 6], "")


def test_one_slice_or_colour_has_no_curve():
    film = Volume(VALUES[:1], geometry_of("LPS", (1, 5, 4)))
    colour = Volume(np.zeros((6, 5, 4, 3), np.uint8), GRID)
    for volume in (film, colour):
        assert through_slices(volume, View(Plane.AXIAL, at(0, 1, 2))) is None


COURSE = np.stack([VALUES * (n + 1) for n in range(5)]).astype(np.float32)


@pytest.mark.parametrize(
    ("step", "x", "unit"), [(2.5, [0, 2.5, 5, 7.5, 10], "s"), (None, [1, 2, 3, 4, 5], "")]
)
def test_over_time_it_is_one_voxel(step, x, unit):
    curve = over_time(COURSE, GRID, at(4, 1, 2), 3, step)
    assert curve.y.tolist() == [VALUES[4, 1, 2] * n for n in (1, 2, 3, 4, 5)]
    assert (curve.x.tolist(), curve.unit, curve.here) == (x, unit, 3)


def test_outside_there_is_none():
    assert over_time(COURSE, GRID, at(4, 1, 9), 0) is None


def test_two_slices_make_a_curve():
    two = Volume(VALUES[:2], geometry_of("LPS", (2, 5, 4), (3.0, 2.0, 1.0)))
    view = View(Plane.AXIAL, at(1, 1, 2, two.geometry))
    assert through_slices(two, view).y.tolist() == VALUES[:2, 1, 2].tolist()


@pytest.mark.parametrize("place", [(0, 0, 0), (5, 4, 3)])
def test_the_voxels_at_the_corners_have_a_course(place):
    course = over_time(COURSE, GRID, at(*place), 0)
    assert course.y.tolist() == [VALUES[place] * n for n in (1, 2, 3, 4, 5)]


def test_the_first_slice_is_not_taken_for_a_missing_one():
    gappy = replace(VOLUME, missing_slices=(0, 5))
    curve = through_slices(gappy, View(Plane.AXIAL, at(4, 1, 2)))
    assert np.isnan(curve.y).tolist() == [True, False, False, False, False, True]
    whole = replace(VOLUME, missing_slices=(2,))
    assert not np.isnan(through_slices(whole, View(Plane.AXIAL, at(4, 1, 2))).y[0])
