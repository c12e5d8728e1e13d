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
from medview.imaging.resample import resample_onto


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
