"""Lengths and statistics in the patient."""

import math
from dataclasses import replace

import numpy as np
import pytest
from phantoms import BASE_CASES, geometry_of, phantom, positions, sphere_at, tilted

from medview.domain.volume import Volume
from medview.imaging.measure import length_mm, length_text, statistics_in


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


def test_the_volume_of_a_sphere_is_within_one_percent():
    grid = geometry_of("LPS", (60, 60, 60), (0.8, 0.8, 0.8))
    sphere = sphere_at((0, 0, 0), radius_mm=20, geometry=grid, value=5.0)
    found = statistics_in(sphere, sphere.array > 0)
    assert found.volume_ml == pytest.approx(4 / 3 * math.pi * 20**3 / 1000, rel=0.01)
    assert (found.mean, found.sd, found.low, found.high) == (5.0, 0.0, 5.0, 5.0)


def test_shear_changes_no_volume():
    grid = geometry_of("LPS", (8, 6, 9), (2.5, 0.7, 0.5))
    assert tilted(grid, 15.0).voxel_ml == pytest.approx(grid.voxel_ml)


def test_padding_nan_and_missing_slices_are_left_out_of_statistics():
    grid = geometry_of("LPS", (2, 1, 4), (1, 1, 1))
    array = np.array([[[1, 3, -2000, np.nan]], [[9, 9, 9, 9]]], dtype=np.float32)
    volume = Volume(array, grid, quantity="HU", padding=(-2000, -2000), missing_slices=(1,))
    found = statistics_in(volume, np.ones(grid.shape, dtype=bool))
    assert (found.count, found.mean, found.sd, found.unit) == (2, 2.0, 1.0, "HU")


def test_nothing_inside_has_no_statistics():
    volume = phantom()
    assert statistics_in(volume, np.zeros(volume.array.shape, dtype=bool)) is None
    colour = Volume(np.zeros((1, 2, 2, 3), np.uint8), geometry_of("LPS", (1, 2, 2)))
    assert statistics_in(colour, np.ones((1, 2, 2), dtype=bool)) is None
    assert positions(volume.geometry).shape == (*volume.array.shape, 3)
