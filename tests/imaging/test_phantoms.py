"""The phantoms themselves are where they say they are."""

import numpy as np
import pytest
from phantoms import BASE_CASES, MARK_LPS, ORIENTATIONS, centre_of_mass_mm, geometry_of, phantom


def test_there_are_48_orientations_and_each_grid_has_the_code_asked_for():
    assert len(set(ORIENTATIONS)) == 48
    for code in ORIENTATIONS:
        assert geometry_of(code).orientation_code == code


@pytest.mark.parametrize("code", ["LPS", "RAS", "PIR", "SAL"])
def test_the_cube_is_left_anterior_superior_in_every_orientation(code):
    volume = phantom(code)
    found = centre_of_mass_mm(volume.array == volume.array.max(), volume.geometry)
    assert found == pytest.approx(MARK_LPS, abs=3.0)


@pytest.mark.parametrize("case", BASE_CASES, ids=lambda case: case.name)
def test_the_bright_voxel_of_every_base_case_is_at_the_tabled_point(case):
    volume = case.volume
    assert volume.array[3, 1, 2] == 1003
    assert volume.geometry.to_mm((3, 1, 2)) == pytest.approx(case.point_lps, abs=5e-4)
    assert volume.geometry.orientation_code == case.code
    assert np.count_nonzero(case.single_voxel.array) == 1
