"""Cuts, slabs and maps on other grids, in the patient's millimetres."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phantoms import (
    BASE_CASES,
    HEAD_VALUE,
    MARK_LPS,
    ORIENTATIONS,
    centre_of_mass_mm,
    geometry_of,
    map_of,
    phantom,
    phantom_on,
    positions,
    sphere_at,
    tilted,
)

from medview.domain.errors import GeometryError
from medview.domain.geometry import Plane
from medview.domain.overlay import ScalarMap
from medview.domain.volume import Volume
from medview.imaging.reslice import (
    cut_of,
    layout_of,
    lean_degrees,
    orthogonal,
    resample_onto,
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


@pytest.mark.parametrize("code", ["LPS", "RAS", "PIR", "SAL", "IRP"])
def test_a_map_on_another_grid_comes_back_to_the_place_it_was_found(code):
    centre = (10.0, -20.0, 12.0)
    coarse = geometry_of(code, (30, 28, 26), (3.0, 3.0, 3.0))
    fine = geometry_of("LPS", (60, 70, 60), (1.5, 1.5, 1.5))
    found = map_of(sphere_at(centre, geometry=coarse))
    moved = resample_onto(found, fine)
    assert moved.geometry is fine
    assert moved.array.dtype == np.float32
    assert centre_of_mass_mm(moved.array, fine) == pytest.approx(centre, abs=0.5)
    assert np.nansum(moved.array) * fine.voxel_ml == pytest.approx(
        found.array.sum() * coarse.voxel_ml, rel=0.03
    )


def test_interpolation_is_linear_in_place():
    coarse = geometry_of("LPS", (10, 10, 10), (4.0, 4.0, 4.0))
    fine = geometry_of("RAS", (12, 12, 12), (2.0, 2.0, 2.0))
    ramp = (positions(coarse) @ np.array([1.0, 2.0, -3.0])).astype(np.float32)
    moved = resample_onto(ScalarMap("score", ramp, coarse), fine)
    expected = positions(fine) @ np.array([1.0, 2.0, -3.0])
    assert moved.array == pytest.approx(expected, abs=1e-4)


def test_masks_are_taken_from_the_nearest_voxel_and_stay_masks():
    coarse = geometry_of("LPS", (10, 10, 10), (4.0, 4.0, 4.0))
    fine = geometry_of("LPS", (30, 30, 30), (1.0, 1.0, 1.0))
    mask = ScalarMap("brain", np.ones((10, 10, 10), np.uint8), coarse, kind="mask")
    moved = resample_onto(mask, fine)
    assert moved.array.dtype == np.uint8
    assert set(np.unique(moved.array)) == {1}


def test_outside_the_map_there_is_nothing():
    small = geometry_of("LPS", (4, 4, 4), (2.0, 2.0, 2.0))
    large = geometry_of("LPS", (9, 9, 9), (2.0, 2.0, 2.0))
    values = ScalarMap("score", np.ones((4, 4, 4), np.float32), small)
    moved = resample_onto(values, large).array
    assert np.isnan(moved[0, 0, 0])
    assert moved[4, 4, 4] == 1.0
    known = np.isfinite(moved)
    reach = np.abs(positions(large)[known]).max()
    assert reach <= 4.0 + 1e-6  # half a voxel beyond the outermost centres at 3 mm
    assert resample_onto(values, large, outside=-1.0).array[0, 0, 0] == -1.0


def test_a_map_on_the_same_grid_is_handed_back_untouched():
    volume = phantom()
    shown = map_of(volume)
    assert resample_onto(shown, replace(volume.geometry)) is shown


def test_a_map_elsewhere_in_the_patient_is_refused():
    shown = map_of(phantom(), title="anomaly score")
    far = geometry_of("LPS", centre_lps=(900.0, 0.0, 0.0))
    with pytest.raises(GeometryError, match="anomaly score lies elsewhere"):
        resample_onto(shown, far)


def test_a_map_of_another_frame_of_reference_is_refused():
    grid = replace(geometry_of("LPS"), frame_of_reference="1.2.3")
    shown = map_of(phantom_on(grid))
    other = replace(geometry_of("RAS"), frame_of_reference="1.2.4")
    with pytest.raises(GeometryError, match="another frame of reference"):
        resample_onto(shown, other)
    unknown = replace(other, frame_of_reference="")
    assert resample_onto(shown, unknown).geometry is unknown


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


def test_an_orthogonal_volume_of_a_tilted_one_shows_the_same_patient():
    sheared = phantom_on(tilted(geometry_of("LPS", (48, 60, 60), (2.0, 2.0, 2.0)), 15.0))
    volume = orthogonal(sheared)
    assert volume.array.dtype == np.int16
    assert lean_degrees(volume.geometry) == pytest.approx(0, abs=1e-6)
    found = centre_of_mass_mm(volume.array > 650, volume.geometry)
    assert found == pytest.approx(MARK_LPS, abs=1.0)
    expected = phantom_on(volume.geometry)
    inside = np.abs(positions(volume.geometry)).max(axis=-1) < 20
    assert np.mean(volume.array[inside] == expected.array[inside]) > 0.9
    assert volume.array.min() == 0
    assert HEAD_VALUE in volume.array


def test_a_straight_volume_or_a_film_needs_no_straightening():
    volume = phantom("PIR")
    assert orthogonal(volume) is volume
    film = Volume(np.zeros((1, 3, 4), np.int16), tilted(geometry_of("LPS", (1, 3, 4)), 20.0))
    assert orthogonal(film) is film


def test_outside_a_straightened_volume_is_padding():
    grid = tilted(geometry_of("LPS", (10, 12, 12), (4.0, 2.0, 2.0)), 20.0)
    volume = phantom_on(grid, padding=(-2000.0, -2000.0))
    assert orthogonal(volume).array.min() == -2000


def test_tilted_colour_cannot_be_straightened_and_says_so():
    grid = tilted(geometry_of("LPS", (4, 5, 6)), 20.0)
    with pytest.raises(GeometryError, match="colour"):
        orthogonal(Volume(np.zeros((4, 5, 6, 3), np.uint8), grid))


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
