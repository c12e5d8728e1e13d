"""Maps on the volume's own grid: the right side, the right voxels, the same slices ahead."""

import numpy as np
import pytest
from oblique import oblique
from phantoms import ORIENTATIONS, geometry_of, positions

from medview.learning.anomaly_maps import EPSILON, SliceMaps
from medview.learning.brain import Prepared
from medview.learning.grid import SIDE, BrainGrid
from medview.learning.sheets import NAMES, Sheets

GRIDS = [*ORIENTATIONS, "oblique"]


def made(code, mask=None):
    geometry = oblique() if code == "oblique" else geometry_of(code)
    shape = [geometry.shape[axis] for axis in BrainGrid.of(geometry, (0, 0)).order]
    grid = BrainGrid.of(geometry, ((shape[1] - 1) / 2, (shape[2] - 1) / 2))
    brain = np.ones((shape[0], SIDE, SIDE), bool)
    inside = np.ones(geometry.shape, bool) if mask is None else mask(geometry)
    pictures = np.zeros(brain.shape, np.float32)
    return geometry, Prepared(pictures, brain, grid, inside, (), skull_stripped=False)


def noise_maps(count):
    dice = np.random.default_rng(0)
    return SliceMaps(*(dice.random((4, count, SIDE, SIDE)).astype(np.float32)))


@pytest.mark.parametrize("code", GRIDS)
def test_the_left_half_of_the_slices_is_the_left_half_of_the_patient(code):
    geometry, prepared = made(code)
    half = np.zeros(prepared.brain.shape, np.float32)
    half[:, :, SIDE // 2 :] = 1  # columns grow to the left
    sheets = Sheets(prepared)
    sheets.add(np.arange(len(half)), SliceMaps(half, half, half, half))
    found = sheets.volume("residual") > 0.5
    across = BrainGrid.of(geometry, (0, 0)).order[2]
    beyond = np.moveaxis(positions(geometry) - geometry.centre_mm, across, 0)[..., 0]
    left = np.moveaxis(found, across, 0)
    half_voxel = 0.51 * geometry.spacing_mm[across]
    if code != "oblique":
        assert left[beyond > half_voxel].all()
        assert not left[beyond < -half_voxel].any()
    assert positions(geometry)[found][:, 0].mean() > 10


@pytest.mark.parametrize("code", GRIDS)
def test_slices_sent_ahead_are_those_of_the_whole(code):
    geometry, prepared = made(code)
    sheets, heights = Sheets(prepared), np.array([1, 2, 5])
    sheets.add(heights, noise_maps(3))
    whole = sheets.volume("score")
    assert whole.shape == geometry.shape
    sent = list(sheets.slices("score", heights))
    assert len(sent) == 3
    for one in sent:
        there = np.moveaxis(whole, one.axis, 0)[one.first : one.first + 1]
        assert np.array_equal(there, one.array)
        assert one.array.any()
    assert np.count_nonzero(np.moveaxis(whole, sent[0].axis, 0).any(axis=(1, 2))) == 3


def test_total_and_score_fit_the_other_maps_voxel_by_voxel():
    _, prepared = made("LPS")
    sheets = Sheets(prepared)
    sheets.add(np.arange(4), noise_maps(4))
    score, residual, epistemic, aleatoric, total = (sheets.volume(name) for name in NAMES)
    assert total == pytest.approx(epistemic + aleatoric)
    assert score == pytest.approx(residual / (total + EPSILON), rel=1e-5)


def test_blocks_of_any_size_give_the_same_maps():
    _, prepared = made("PIR")
    maps, whole, single = noise_maps(6), Sheets(prepared), Sheets(prepared)
    whole.add(np.arange(6), maps)
    for n in range(6):
        one = SliceMaps(
            *(
                getattr(maps, name)[n : n + 1]
                for name in ("x_bar", "residual", "epistemic", "aleatoric")
            )
        )
        single.add(np.array([n]), one)
    for name in NAMES:
        assert single.volume(name) == pytest.approx(whole.volume(name), rel=1e-5)


def test_outside_the_brain_every_map_is_zero():
    _, prepared = made("LPS", lambda grid: positions(grid)[..., 2] > 0)
    sheets = Sheets(prepared)
    sheets.add(np.arange(len(prepared.brain)), noise_maps(len(prepared.brain)))
    for name in NAMES:
        assert not sheets.volume(name)[~prepared.mask].any()
        assert sheets.volume(name)[prepared.mask].any()
