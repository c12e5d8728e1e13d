"""Cuts, slabs and maps on other grids, in the patient's millimetres."""

from dataclasses import replace

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

from medview.domain.geometry import Geometry, Plane
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
@pytest.mark.parametrize("code", ["LPS", "RAS", "RPI", "LPI", "LAS"])
def test_the_straight_grid_covers_every_voxel_of_the_sheared_one(code, degrees):
    sheared = tilted(geometry_of(code, (12, 20, 16), (3.0, 1.0, 1.2)), degrees)
    grid = straightened(sheared)
    assert lean_degrees(grid) == pytest.approx(0, abs=1e-6)
    assert grid.spacing_mm == pytest.approx((3.0, 1.0, 1.2))
    assert grid.orientation_code == sheared.orientation_code
    index = grid.to_index(positions(sheared))
    assert (index > -1e-6).all()
    assert (index < np.array(grid.shape) - 1 + 1e-6).all()


@pytest.mark.parametrize(("leaning", "toward"), [(0, 1), (0, 2), (1, 2), (2, 1)])
def test_every_pair_of_axes_may_lean_and_is_drawn_at_right_angles(leaning, toward):
    straight = geometry_of("LPS", (8, 10, 12), (3.0, 2.0, 2.5))
    affine = straight.affine.copy()
    along = affine[:3, toward] / np.linalg.norm(affine[:3, toward])
    affine[:3, leaning] += along * np.linalg.norm(affine[:3, leaning]) * np.tan(np.radians(12))
    grid = Geometry(straight.shape, affine)
    assert lean_degrees(grid) == pytest.approx(12.0)
    for plane in (Plane.CORONAL, Plane.SAGITTAL, Plane.AXIAL):
        cut = cut_of(grid, View(plane))
        screen = cut.pixel_to_lps[:3, :2]
        stored = plane is Plane.AXIAL and leaning == 0  # slices that are shifted stay as they are
        assert screen[:, 0] @ screen[:, 1] == pytest.approx(0, abs=1e-9)
        assert cut.is_stored is stored


@pytest.mark.parametrize("mode", ["mip", "minip"])
def test_a_slab_across_a_tilt_is_made_of_all_its_planes(mode):
    grid = tilted(geometry_of("LPS", (10, 12, 14), (3.0, 3.0, 3.0)), 15.0)
    numbers = np.random.default_rng(1).normal(size=grid.shape).astype(np.float32)
    cut = cut_of(grid, View(Plane.CORONAL, slab_mm=12.0, slab_mode=mode))
    planes = range(cut.first, cut.last + 1)
    alone = [replace(cut, first=n, last=n).take(numbers) for n in planes]
    assert len(planes) == 5
    pick = np.fmax if mode == "mip" else np.fmin
    assert np.array_equal(cut.take(numbers), pick.reduce(alone), equal_nan=True)


@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL])
@pytest.mark.parametrize(("mode", "pick"), [("mip", np.fmax), ("minip", np.fmin)])
def test_a_slab_of_any_plane_is_made_of_its_slices(plane, mode, pick):
    grid = geometry_of("LPS", (7, 8, 9), (2.0, 2.0, 2.0))
    numbers = np.random.default_rng(2).normal(size=grid.shape).astype(np.float32)
    cut = cut_of(grid, View(plane, slab_mm=6.0, slab_mode=mode))
    planes = range(cut.first, cut.last + 1)
    alone = [replace(cut, first=n, last=n).take(numbers) for n in planes]
    assert len(planes) == 3
    np.testing.assert_array_equal(cut.take(numbers), pick.reduce(alone))


@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL])
def test_a_mean_slab_counts_what_is_known_and_knows_nothing_of_the_rest(plane):
    grid = geometry_of("LPS", (3, 3, 3), (2.0, 2.0, 2.0))
    values = np.full((3, 3, 3), np.nan, np.float32)
    values[1] = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    drawn = cut_of(grid, View(plane, slab_mm=4.0, slab_mode="mean")).take(values)
    if plane is Plane.AXIAL:
        assert np.array_equal(drawn, values[1])
    else:  # only the middle row was measured
        expected = [4, 5, 6] if plane is Plane.CORONAL else [2, 5, 8]
        assert drawn[1].tolist() == expected
        assert np.isnan(drawn[[0, 2]]).all()


def test_a_slab_is_absent_only_where_none_of_its_slices_is_there():
    grid = geometry_of("LPS", (9, 4, 4), (2.0, 2.0, 2.0))
    cut = cut_of(grid, View(Plane.AXIAL, slab_mm=4.0))
    assert (cut.first, cut.last) == (3, 5)
    for missing in ((3,), (5,), (3, 4), (4, 5), (2, 6)):
        assert cut.absent(missing) is None
    assert cut.absent((3, 4, 5)).all()


def test_tilted_colour_is_still_drawn():
    grid = tilted(geometry_of("LPS", (20, 20, 20), (4.0, 4.0, 4.0)), 10.0)
    colour = np.full((20, 20, 20, 3), (10, 20, 30), dtype=np.uint8)
    drawn = cut_of(grid, View(Plane.SAGITTAL)).take(colour)
    assert drawn.shape[2] == 3
    middle = drawn[drawn.shape[0] // 2, drawn.shape[1] // 2]
    assert middle.tolist() == [10, 20, 30]


@pytest.mark.parametrize("at", [0, 2, 8])
@pytest.mark.parametrize("mode", ["mip", "minip", "mean"])
def test_a_slab_of_colours_shows_the_slice_that_it_is_named_after(at, mode):
    grid = geometry_of("LPS", (9, 8, 8), (2.0, 1.0, 1.0))
    colour = np.broadcast_to(np.arange(9, dtype=np.uint8)[:, None, None, None], (9, 8, 8, 3))
    view = View(Plane.AXIAL, tuple(grid.to_mm((at, 4, 4))), slab_mm=16.0, slab_mode=mode)
    cut = cut_of(grid, view)
    assert cut.index == at
    assert cut.first < cut.last
    assert np.unique(cut.take(colour)).tolist() == [at]


def test_missing_slices_of_a_tilted_volume_are_hatched_along_the_tilt():
    grid = tilted(geometry_of("LPS", (20, 30, 30), (4.0, 4.0, 4.0)), 15.0)
    cut = cut_of(grid, View(Plane.SAGITTAL))
    absent = cut.absent((10,))
    share = absent.any(axis=1)
    assert 1 <= share.sum() <= 2
    assert cut.absent(()) is None


@given(st.sampled_from(BASE_CASES), VIEWS)
def test_the_third_number_of_a_pixel_counts_slices_from_the_drawn_one(case, view):
    cut = cut_of(case.geometry, view)
    here, next_ = (cut.pixel_to_lps @ np.array([2.0, 3.0, d, 1.0]) for d in (0.0, 1.0))
    index = cut.grid.to_index([here[:3], next_[:3]])[:, cut.layout.cut]
    assert index == pytest.approx((cut.index, cut.index + 1), abs=1e-6)


@pytest.mark.parametrize(("degrees", "sampled"), [(0.04, False), (0.06, True)])
def test_planes_across_slices_that_lean_by_a_twentieth_of_a_degree_are_sampled(degrees, sampled):
    grid = tilted(geometry_of("LPS"), degrees)
    for plane in (Plane.CORONAL, Plane.SAGITTAL):
        assert (cut_of(grid, View(plane)).grid is not grid) is sampled
    assert cut_of(grid, View(Plane.AXIAL)).grid is grid  # stored slices do not lean by themselves


@pytest.mark.parametrize("mm", [0.05, 1.0, 20.0])
@pytest.mark.parametrize(("degrees", "sampled"), [(0.04, False), (0.5, True)])
def test_slices_whose_rows_lean_are_straightened_whatever_the_size_of_a_pixel(mm, degrees, sampled):
    straight = geometry_of("LPS", (6, 8, 10), (2.0, mm, mm))
    affine = straight.affine.copy()
    affine[:3, 1] += affine[:3, 2] * np.tan(np.radians(degrees))
    grid = replace(straight, affine=affine)
    assert (cut_of(grid, View(Plane.AXIAL)).grid is not grid) is sampled
    assert cut_of(grid, View(Plane.ACQUIRED)).grid is grid


@pytest.mark.parametrize(("apart", "guessed"), [(1.4, False), (1.6, True)])
def test_between_slices_half_as_far_apart_again_as_their_pixels_one_sees_a_guess(apart, guessed):
    grid = geometry_of("LPS", (20, 20, 20), (apart, 1.0, 1.2))
    told = {plane: cut_of(grid, View(plane)).between_slices for plane in Plane}
    across = {Plane.CORONAL: guessed, Plane.SAGITTAL: guessed}
    assert told == across | {Plane.AXIAL: False, Plane.ACQUIRED: False}
