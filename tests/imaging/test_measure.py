"""Lengths in the patient."""

import math
from dataclasses import replace

import pytest
from phantoms import BASE_CASES, geometry_of, tilted

from medview.imaging.measure import length_mm, length_text


@pytest.mark.parametrize("case", BASE_CASES, ids=lambda case: case.name)
def test_a_length_on_oblique_anisotropic_voxels_is_true(case):
    start, end = case.geometry.to_mm((0, 0, 0)), case.geometry.to_mm((4, 3, 2))
    by_hand = math.sqrt((4 * 2.5) ** 2 + (3 * 0.7) ** 2 + (2 * 0.5) ** 2)
    assert length_mm(start, end) == pytest.approx(by_hand, abs=1e-4)


def test_across_tilted_slices_the_true_positions_count():
    grid = tilted(geometry_of("LPS", (8, 6, 9), (2.5, 0.7, 0.5)), 15.0)
    one = length_mm(grid.to_mm((0, 0, 0)), grid.to_mm((1, 0, 0)))
    assert one == pytest.approx(2.588190, abs=1e-6)


def test_a_length_says_what_its_millimetre_means():
    grid = geometry_of()
    points = (0, 0, 0), (3, 4, 0)
    assert length_text(grid, *points) == "5.0 mm"
    assert length_text(replace(grid, spacing_kind="detector"), *points) == "5.0 mm at detector"
    assert length_text(replace(grid, spacing_kind=None), *points) == "5.0 pixels"


def test_shear_changes_no_volume():
    grid = geometry_of("LPS", (8, 6, 9), (2.5, 0.7, 0.5))
    assert tilted(grid, 15.0).voxel_ml == pytest.approx(grid.voxel_ml)
