"""Model slices and the way back: where each voxel of a volume comes to lie."""

import numpy as np
import pytest
from nearness import assert_near
from phantoms import ORIENTATIONS, geometry_of, phantom, positions

from medview.learning.grid import (
    MODEL_MM,
    PIXEL_MM,
    SIDE,
    BrainGrid,
    canonical,
    canonical_axes,
    resampling_matrix,
)


def test_linear_interpolation_by_hand():
    weights = resampling_matrix(np.array([0.0, 2.0, 4.0]), 2.0, np.array([1.0, 2.0, 3.5]), 1.0)
    assert weights == pytest.approx(np.array([[0.5, 0.5, 0], [0, 1, 0], [0, 0.25, 0.75]]))


def test_a_coarser_target_averages_instead_of_picking():
    weights = resampling_matrix(np.arange(9.0), 1.0, np.array([4.0]), 3.0)
    # A triangle of half width 3: 1/3, 2/3, 1, 2/3, 1/3 over a sum of 3.
    wanted = np.array([0, 0, 1, 2, 3, 2, 1, 0, 0]) / 9
    assert weights[0] == pytest.approx(wanted, abs=1e-6)


def test_targets_beyond_the_outermost_samples_get_nothing():
    weights = resampling_matrix(np.array([0.0, 1.0]), 1.0, np.array([-0.6, -0.4, 1.4, 1.6]), 1.0)
    assert weights.sum(axis=1).tolist() == [0, 1, 1, 0]


def test_the_pixels_of_a_model_slice_lie_evenly_round_its_middle():
    assert len(MODEL_MM) == SIDE
    assert MODEL_MM[0] == -MODEL_MM[-1] == -63.5 * PIXEL_MM
    assert np.diff(MODEL_MM) == pytest.approx(PIXEL_MM)


@pytest.mark.parametrize("code", ORIENTATIONS)
def test_canonical_order_grows_to_head_posterior_and_left(code):
    geometry = geometry_of(code)
    x, y, z = (canonical(positions(geometry)[..., n], geometry) for n in range(3))
    assert (np.diff(z, axis=0) > 0).all()
    assert (np.diff(y, axis=1) > 0).all()
    assert (np.diff(x, axis=2) > 0).all()


@pytest.mark.parametrize("code", ORIENTATIONS)
def test_turning_there_and_back_gives_every_voxel_its_own_value(code):
    volume = phantom(code)
    grid = BrainGrid.of(volume.geometry, (0.0, 0.0))
    there = grid.from_volume(volume.array)
    assert there.shape == grid.shape
    assert np.array_equal(grid.to_volume(there), volume.array)


@pytest.mark.parametrize("code", ORIENTATIONS)
def test_a_single_slice_lies_in_the_volume_where_the_whole_has_it(code):
    geometry = geometry_of(code)
    grid = BrainGrid.of(geometry, (0.0, 0.0))
    there = np.random.default_rng(0).random(grid.shape).astype(np.float32)
    whole = np.moveaxis(grid.to_volume(there), grid.order[0], 0)
    for height in (0, 3, grid.shape[0] - 1):
        index, picture = grid.volume_slice(height, there[height])
        assert np.array_equal(whole[index], picture)
        assert index == grid.index_of(height)


@pytest.mark.parametrize("spacing", [0.7, 1.0, 1.5, 3.0])
def test_a_smooth_picture_comes_back_as_it_went(spacing):
    side = int(120 / spacing)
    grid = BrainGrid(
        (2, side, side), (0, 1, 2), (False,) * 3, (1, spacing, spacing), (side / 2,) * 2
    )
    y, x = (np.indices((side, side)) - side / 2) * spacing
    picture = np.stack([np.exp(-(x**2 + y**2) / 800), np.cos(x / 30) + y / 100])
    there = grid.to_model(picture.astype(np.float32))
    back = grid.from_model(there)
    assert there.shape == (2, SIDE, SIDE)
    rim = round(8 / spacing)
    inner = (slice(None), slice(rim, -rim), slice(rim, -rim))
    assert np.abs(back[inner] - picture[inner]).max() < 0.03


def test_the_middle_of_the_brain_is_the_middle_of_the_model_slice():
    picture = np.zeros((1, 61, 61), np.float32)
    picture[0, 40, 20] = 1
    grid = BrainGrid((1, 61, 61), (0, 1, 2), (False,) * 3, (1.0, 2.0, 2.0), (40.0, 20.0))
    there = grid.to_model(picture)[0]
    rows, columns = np.nonzero(there)
    centre = np.average([rows, columns], axis=1, weights=there[rows, columns])
    assert centre == pytest.approx([63.5, 63.5], abs=0.01)


def test_what_lies_outside_the_model_slice_is_zero_on_the_way_back():
    grid = BrainGrid((1, 400, 400), (0, 1, 2), (False,) * 3, (1.0, 1.0, 1.0), (200.0, 200.0))
    back = grid.from_model(np.ones((1, SIDE, SIDE), np.float32))[0]
    assert back[200, 200] == pytest.approx(1)
    assert back[200, 300] == back[50, 200] == 0
    assert (back == 1).sum() == pytest.approx((SIDE * PIXEL_MM) ** 2, rel=0.02)


def test_axes_are_named_for_the_direction_they_mostly_run_in():
    assert canonical_axes(geometry_of("LPS")) == ((0, 1, 2), (False, False, False))
    assert canonical_axes(geometry_of("RAI")) == ((0, 1, 2), (True, True, True))
    # Sagittal: columns to posterior, rows to the feet, slices to the right.
    assert canonical_axes(geometry_of("PIR")) == ((1, 2, 0), (True, False, True))


@pytest.mark.parametrize("code", ORIENTATIONS)
def test_the_stack_of_model_slices_lies_where_its_voxels_come_from(code):
    geometry = geometry_of(code, (40, 50, 60), (3.0, 2.0, 2.0))
    shape = BrainGrid.of(geometry, (0.0, 0.0)).shape
    grid = BrainGrid.of(geometry, (shape[1] / 2 - 3, shape[2] / 2 + 1))
    stack = grid.stack(geometry)
    assert stack.shape == (shape[0], SIDE, SIDE)
    rows, columns = slice(50, 78), slice(52, 80)  # well within the volume
    index = np.moveaxis(np.indices(stack.shape)[:, :, rows, columns], 0, -1)
    for axis in range(3):
        found = grid.to_model(grid.from_volume(positions(geometry)[..., axis]))[:, rows, columns]
        assert_near(found, stack.to_mm(index)[..., axis], within=0.01)
