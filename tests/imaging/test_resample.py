"""Maps brought onto other grids, by their places in the patient."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import (
    centre_of_mass_mm,
    geometry_of,
    map_of,
    phantom,
    phantom_on,
    positions,
    sphere_at,
)

from medview.domain.errors import GeometryError
from medview.domain.overlay import ScalarMap
from medview.imaging.resample import resample_onto, sampled


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


def test_a_map_reaches_half_a_voxel_beyond_its_outer_centres():
    small = geometry_of("LPS", (4, 3, 2), (2.0, 3.0, 4.0))
    fine = geometry_of("LPS", (37, 41, 39), (0.25, 0.25, 0.25))
    moved = resample_onto(ScalarMap("score", np.ones((4, 3, 2), np.float32), small), fine).array
    within = np.abs(positions(fine)) <= np.array([4.0, 4.5, 4.0])  # half of 2 x 4, 3 x 3, 4 x 2 mm
    assert np.array_equal(np.isfinite(moved), within.all(axis=-1))


@pytest.mark.parametrize("kind", ["mask", "labels"])
def test_outside_a_mask_nothing_is_marked(kind):
    small = geometry_of("LPS", (4, 4, 4), (2.0, 2.0, 2.0))
    large = geometry_of("LPS", (9, 9, 9), (2.0, 2.0, 2.0))
    mask = ScalarMap("brain", np.full((4, 4, 4), 3, np.uint8), small, kind=kind)
    moved = resample_onto(mask, large).array
    assert moved[0, 0, 0] == 0
    assert moved[4, 4, 4] == 3


def test_between_two_voxels_a_value_is_shared_by_how_near_they_are():
    """A bump tells a straight line from a curve, which a ramp does not."""
    coarse = geometry_of("LPS", (1, 1, 5), (4.0, 4.0, 4.0))
    fine = geometry_of("LPS", (1, 1, 17), (4.0, 4.0, 1.0))
    bump = np.array([[[0, 0, 8, 0, 0]]], np.float32)
    moved = resample_onto(ScalarMap("score", bump, coarse), fine).array[0, 0]
    assert moved[3:14].tolist() == [0, 0, 2, 4, 6, 8, 6, 4, 2, 0, 0]


def test_colours_are_mixed_channel_by_channel_and_black_outside():
    row = geometry_of("LPS", (1, 1, 3), (4.0, 4.0, 4.0))
    fine = geometry_of("LPS", (1, 1, 17), (4.0, 4.0, 1.0))
    colour = np.array([[[(0, 200, 7), (100, 201, 7), (0, 200, 7)]]], np.uint8)
    drawn = sampled(colour, row, fine, nearest=False)[0, 0]
    assert drawn.dtype == np.uint8
    assert drawn[:, 0].tolist() == [0, 0, 0, 0, 0, 25, 50, 75, 100, 75, 50, 25, 0, 0, 0, 0, 0]
    assert drawn[5:12, 1].tolist() == [200, 200, 201, 201, 201, 200, 200]  # rounded, not cut off
    assert drawn[2:15, 2].tolist() == [7] * 13
    assert drawn[[0, 1, 15, 16]].max() == 0


ROW = geometry_of("LPS", (1, 1, 3), (4.0, 4.0, 4.0))
FINE = geometry_of("LPS", (1, 1, 18), (4.0, 4.0, 1.0))  # from -8.5 to 8.5, the row to -6 and 6


def test_what_is_there_or_not_is_taken_from_the_nearest_voxel_and_nothing_is_there_outside():
    there = np.array([[[True, False, True]]])
    drawn = sampled(there, ROW, FINE, nearest=False)[0, 0]
    assert drawn.tolist() == [0] * 3 + [1] * 4 + [0] * 4 + [1] * 4 + [0] * 3


@pytest.mark.parametrize(
    ("nearest", "drawn"),
    [
        (True, [1] * 4 + [3] * 4 + [8] * 4),
        (False, [1, 1, 1.25, 1.75, 2.25, 2.75, 3.625, 4.875, 6.125, 7.375, 8, 8]),
    ],
)
def test_labels_are_not_mixed_and_values_are(nearest, drawn):
    found = sampled(np.array([[[1, 3, 8]]], np.uint8), ROW, FINE, nearest=nearest)[0, 0]
    assert found[3:15].tolist() == drawn
    assert np.isnan(found[[0, 1, 2, 15, 16, 17]]).all()


def test_no_label_lies_between_two_others():
    labels = ScalarMap("regions", np.array([[[1, 3, 8]]], np.uint8), ROW, kind="labels")
    assert resample_onto(labels, FINE).array[0, 0].tolist() == (
        [0] * 3 + [1] * 4 + [3] * 4 + [8] * 4 + [0] * 3
    )


def test_a_long_row_reaches_along_itself_only():
    shown = ScalarMap("score", np.ones((1, 1, 30), np.float32), geometry_of("LPS", (1, 1, 30)))
    for centre in ((0.0, 20.0, 0.0), (0.0, 0.0, 20.0)):
        with pytest.raises(GeometryError, match="lies elsewhere"):
            resample_onto(shown, geometry_of("LPS", (1, 1, 3), centre_lps=centre))
    along = geometry_of("LPS", (1, 1, 3), centre_lps=(50.0, 0.0, 0.0))
    assert resample_onto(shown, along).array.shape == (1, 1, 3)


def test_a_map_on_the_same_grid_is_handed_back_untouched():
    volume = phantom()
    shown = map_of(volume)
    assert resample_onto(shown, replace(volume.geometry)) is shown


def test_a_map_elsewhere_in_the_patient_is_refused():
    shown = map_of(phantom(), title="anomaly score")
    far = geometry_of("LPS", centre_lps=(900.0, 0.0, 0.0))
    with pytest.raises(GeometryError, match="anomaly score lies elsewhere"):
        resample_onto(shown, far)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [-1, 1])
def test_boxes_that_touch_by_a_corner_of_a_voxel_overlap_and_others_do_not(axis, sign):
    sizes = np.array([4.0, 6.0, 8.0])  # mm along x, y and z
    here = geometry_of("LPS", (4, 3, 2), (2.0, 2.0, 2.0))
    shown = ScalarMap("score", np.ones((4, 3, 2), np.float32), here)
    for gap, met in ((-0.1, True), (0.0, False), (0.1, False)):
        centre = np.zeros(3)
        centre[axis] = sign * (sizes[axis] + gap)
        there = geometry_of("RAS", (4, 3, 2), (2.0, 2.0, 2.0), tuple(centre))
        if met:
            assert resample_onto(shown, there).geometry is there
        else:
            with pytest.raises(GeometryError, match="lies elsewhere"):
                resample_onto(shown, there)


def test_a_map_of_another_frame_of_reference_is_refused():
    grid = replace(geometry_of("LPS"), frame_of_reference="1.2.3")
    shown = map_of(phantom_on(grid))
    other = replace(geometry_of("RAS"), frame_of_reference="1.2.4")
    with pytest.raises(GeometryError, match="another frame of reference"):
        resample_onto(shown, other)
    unknown = replace(other, frame_of_reference="")
    assert resample_onto(shown, unknown).geometry is unknown
