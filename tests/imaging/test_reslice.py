"""Cuts, slabs and maps on other grids, in the patient's millimetres."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phantoms import (
    BASE_CASES,
    ORIENTATIONS,
    geometry_of,
    phantom,
    positions,
    tilted,
)

from medview.domain.geometry import Plane
from medview.imaging.reslice import (
    cut_of,
    layout_of,
    lean_degrees,
    straightened,
)
from medview.imaging.view import View

VIEWS = st.builds(
    View,
    plane=st.sampled_from(list(Plane)),
    point_lps=st.tuples(*[st.floats(-60, 60)] * 3),
    flip_h=st.booleans(),
    flip_v=st.booleans(),
    rotate=st.sampled_from([0, 90, 180, 270]),
)


@given(
    st.sampled_from(BASE_CASES),
    st.tuples(st.integers(0, 7), st.integers(0, 5), st.integers(0, 8)),
)
def test_index_to_millimetre_and_back_is_the_same_index(case, index):
    grid = case.geometry
    assert grid.to_index(grid.to_mm(index)) == pytest.approx(index, abs=1e-9)


@given(st.sampled_from(ORIENTATIONS), VIEWS)
def test_every_drawn_pixel_is_the_voxel_its_matrix_names(code, view):
    grid = geometry_of(code, (5, 6, 7), (5.0, 6.0, 4.0))
    numbers = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)
    cut = cut_of(grid, view)
    drawn = cut.take(numbers)
    rows, columns = np.indices(drawn.shape)
    ones = np.ones_like(rows)
    pixels = np.stack([columns, rows, 0 * rows, ones], axis=-1)
    places = pixels @ cut.pixel_to_lps.T
    k, j, i = np.moveaxis(np.rint(grid.to_index(places[..., :3])).astype(int), -1, 0)
    assert np.array_equal(drawn, numbers[k, j, i])


@given(st.sampled_from(BASE_CASES), VIEWS, st.floats(-3, 10), st.floats(-3, 10))
def test_pixel_to_millimetre_and_back_is_the_same_pixel(case, view, x, y):
    matrix = cut_of(case.geometry, view).pixel_to_lps
    back = np.linalg.inv(matrix) @ (matrix @ np.array([x, y, 0, 1]))
    assert back[:2] == pytest.approx((x, y), abs=1e-6)


def test_an_orthogonal_grid_is_cut_without_a_copy():
    volume = phantom()
    for plane in Plane:
        assert np.shares_memory(
            cut_of(volume.geometry, View(plane)).take(volume.array), volume.array
        )


def test_four_quarter_turns_and_two_flips_change_nothing():
    grid = geometry_of("PIR")
    plain = layout_of(grid, View(Plane.CORONAL))
    assert layout_of(grid, View(Plane.CORONAL, rotate=360)) == plain
    turned = layout_of(grid, View(Plane.CORONAL, rotate=180))
    assert turned == layout_of(grid, View(Plane.CORONAL, flip_h=True, flip_v=True))


def test_a_tilt_is_measured_and_small_deviations_are_not_called_one():
    straight = geometry_of("LPS", (8, 6, 9), (2.5, 0.7, 0.5))
    assert lean_degrees(straight) == pytest.approx(0, abs=1e-6)
    assert lean_degrees(tilted(straight, 15.0)) == pytest.approx(15.0)
    assert lean_degrees(tilted(straight, -15.0)) == pytest.approx(15.0)


@pytest.mark.parametrize("degrees", [15.0, -15.0])
@pytest.mark.parametrize("code", ["LPS", "RAS", "RPI"])
def test_the_straight_grid_covers_every_voxel_of_the_sheared_one(code, degrees):
    sheared = tilted(geometry_of(code, (12, 20, 16), (3.0, 1.0, 1.2)), degrees)
    grid = straightened(sheared)
    assert lean_degrees(grid) == pytest.approx(0, abs=1e-6)
    assert grid.spacing_mm == pytest.approx((3.0, 1.0, 1.2))
    assert grid.orientation_code == sheared.orientation_code
    index = grid.to_index(positions(sheared))
    assert (index > -1e-6).all()
    assert (index < np.array(grid.shape) - 1 + 1e-6).all()


def test_tilted_colour_is_still_drawn():
    grid = tilted(geometry_of("LPS", (20, 20, 20), (4.0, 4.0, 4.0)), 10.0)
    colour = np.full((20, 20, 20, 3), (10, 20, 30), dtype=np.uint8)
    drawn = cut_of(grid, View(Plane.SAGITTAL)).take(colour)
    assert drawn.shape[2] == 3
    middle = drawn[drawn.shape[0] // 2, drawn.shape[1] // 2]
    assert middle.tolist() == [10, 20, 30]


def test_missing_slices_of_a_tilted_volume_are_hatched_along_the_tilt():
    grid = tilted(geometry_of("LPS", (20, 30, 30), (4.0, 4.0, 4.0)), 15.0)
    cut = cut_of(grid, View(Plane.SAGITTAL))
    absent = cut.absent((10,))
    share = absent.any(axis=1)
    assert 1 <= share.sum() <= 2
    assert cut.absent(()) is None
