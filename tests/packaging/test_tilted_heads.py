"""Thick slices that heads are put into before they are asked about."""

import runpy

import numpy as np
import pytest
from phantoms import geometry_of

from medview.domain.volume import Volume

in_slices = runpy.run_path("packaging/tilted_heads.py")["in_slices"]


@pytest.mark.parametrize("code", ["LPS", "SPR"])
def test_neighbouring_axial_slices_are_put_together_where_they_were(code):
    grid = geometry_of(code, (6, 6, 6), (2.0, 2.0, 2.0))
    heights = grid.to_mm(np.stack(np.meshgrid(*[range(6)] * 3, indexing="ij"), axis=-1))[..., 2]
    thick = in_slices(Volume(heights.astype(np.float32), grid), 4.0)
    axis = grid.axis_of[2]
    assert thick.array.shape[axis] == 3
    assert thick.geometry.spacing_mm[axis] == pytest.approx(4.0)
    index = np.stack(np.meshgrid(*map(range, thick.array.shape), indexing="ij"), axis=-1)
    assert thick.array == pytest.approx(thick.geometry.to_mm(index)[..., 2], abs=1e-4)


def test_slices_that_are_thick_enough_are_left():
    grid = geometry_of("LPS", (4, 5, 6), (3.0, 1.0, 1.0))
    volume = Volume(np.arange(120, dtype=np.float32).reshape(4, 5, 6), grid)
    same = in_slices(volume, 3.0)
    assert np.array_equal(same.array, volume.array)
    assert np.array_equal(same.geometry.affine, grid.affine)
