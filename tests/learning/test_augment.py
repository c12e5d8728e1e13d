"""Slices cut from brains: the plain cut by hand, the disturbed one within bounds."""

from dataclasses import astuple, replace

import numpy as np
import pytest
import torch

from medview.learning.augment import (
    CURVE_STEPS,
    NONE,
    Augmentation,
    Brain,
    batch_of,
    cut,
    is_mirrored,
    rising_curve,
)
from medview.learning.brain import BRIGHTEST
from medview.learning.grid import BrainGrid

STEP = (2.0, 1.5, 1.5)


def brain(depth=20, patient="p"):
    """An ellipsoid with a ramp in every direction, in canonical order."""
    z, y, x = np.indices((depth, 90, 80)).astype(np.float32)
    mask = ((z - depth / 2) / (depth / 2)) ** 2 + ((y - 45) / 40) ** 2 + ((x - 38) / 33) ** 2 < 1
    values = np.where(mask, 0.2 + 0.01 * z + 0.004 * y + 0.002 * x, 0).astype(np.float32)
    return Brain.of(patient, values, mask, STEP)


def rng():
    return np.random.default_rng(0)


def test_middle_and_heights_are_those_of_the_mask():
    mask = np.zeros((9, 20, 30), bool)
    mask[2:7, 4:11, 10:21] = True
    found = Brain.of("p", mask.astype(np.float32), mask, STEP)
    assert found.heights == (2, 6)
    assert found.middle == (7, 15)


def test_the_plain_cut_is_what_prediction_shows_the_network():
    one = brain()
    grid = BrainGrid((20, 90, 80), (0, 1, 2), (False,) * 3, STEP, one.middle)
    whole = grid.to_model(one.values[0, 0].numpy())
    for height in (0.0, 0.5, 1.0):
        first, last = one.heights
        k = first + height * (last - first)
        picture, mask = cut(one, height, NONE, rng())
        below, above = whole[int(np.floor(k))], whole[int(np.ceil(k))]
        wanted = below + (k % 1) * (above - below)
        inner = mask[0].numpy() > 0
        inner &= (below > 0) & (above > 0)
        assert picture[0].numpy()[inner] == pytest.approx(wanted[inner], abs=0.003)


def test_outside_the_brain_a_cut_is_zero_whatever_is_done_to_it():
    for n in range(8):
        picture, mask = cut(brain(), 0.5, Augmentation(), np.random.default_rng(n))
        assert picture.shape == mask.shape == (1, 128, 128)
        assert set(mask.unique().tolist()) == {0.0, 1.0}
        assert not picture[mask == 0].any()
        assert picture.min() >= 0
        assert picture.max() <= 1


def test_cuts_differ_from_each_other_but_not_beyond_recognition():
    plain, _ = cut(brain(), 0.5, NONE, rng())
    others = [cut(brain(), 0.5, Augmentation(), np.random.default_rng(n))[0] for n in range(8)]
    for n, one in enumerate(others):
        assert 0.005 < (one - plain).abs().mean() < 0.15
        assert not any(torch.equal(one, other) for other in others[:n])


def test_the_same_dice_cut_the_same_slice():
    one, again = (cut(brain(), 0.3, Augmentation(), rng())[0] for _ in range(2))
    assert torch.equal(one, again)


@pytest.mark.parametrize("name", ["tilt_rad", "turn_rad", "scale", "shift_mm", "warp_mm"])
def test_a_change_of_place_leaves_the_values_alone(name):
    how = replace(NONE, **{name: getattr(Augmentation(), name)})
    picture, mask = cut(brain(), 0.5, how, np.random.default_rng(4))
    values = brain().values[0, 0]
    inside = picture[mask > 0]
    assert inside.max() <= values.max() + 1e-5
    assert inside.median() == pytest.approx(float(values[values > 0].median()), abs=0.03)


@pytest.mark.parametrize("name", ["gamma", "bias_field", "gain", "offset", "noise", "curve", "dim"])
def test_a_change_of_values_leaves_the_place_alone(name):
    how = replace(NONE, **{name: getattr(Augmentation(), name) or 0.5})
    outlines = [cut(brain(), 0.5, how, np.random.default_rng(n))[1] for n in range(6)]
    plain = cut(brain(), 0.5, NONE, rng())[1]
    assert all(torch.equal(o, plain) or torch.equal(o, mirrored(plain)) for o in outlines)


def mirrored(mask):
    """The brain lies half a voxel off the middle of the grid, the cut is centred on it."""
    return mask.flip(2)


def test_noise_has_the_strength_that_is_asked_for():
    how = replace(NONE, noise=0.05)
    apart = []
    for n in range(20):
        dice = np.random.default_rng(n)
        noisy, mask = cut(brain(), 0.5, how, dice)
        plain, _ = cut(brain(), 0.5, NONE, rng())
        flipped = min((plain, plain.flip(2)), key=lambda p: (noisy - p).abs().mean())
        inner = (mask > 0) & (mask.flip(2) > 0)
        apart.append(float((noisy - flipped)[inner].std()) * BRIGHTEST)
    assert max(apart) < 0.06
    assert np.mean(apart) == pytest.approx(0.025, abs=0.01)  # uniform from 0 to 0.05


def test_a_brightness_curve_rises_from_0_to_1_and_is_straight_without_strength():
    assert rising_curve(0, rng()) == pytest.approx(np.linspace(0, 1, CURVE_STEPS + 1))
    steps = np.diff([rising_curve(0.6, np.random.default_rng(n)) for n in range(200)])
    assert steps.min() > 0
    assert steps.sum(1) == pytest.approx(np.ones(200))
    apart = np.log(steps) - np.log(steps).mean(1, keepdims=True)
    assert np.sqrt((apart**2).sum() / (200 * (CURVE_STEPS - 1))) == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize("n", range(4))
def test_another_contrast_keeps_the_order_of_greys_and_what_is_brighter_than_the_brain(n):
    values, mask = np.zeros((9, 90, 80), np.float32), np.ones((9, 90, 80), bool)
    values[:] = np.linspace(0, 1, 80)  # every grey from left to right, above 1 / BRIGHTEST too
    one = Brain.of("p", values, mask, STEP)
    plain, _ = cut(one, 0.5, NONE, rng())
    bent, _ = cut(one, 0.5, replace(NONE, curve=0.8), np.random.default_rng(n))
    if is_mirrored(np.random.default_rng(n)):
        bent = bent.flip(2)
    x, y = (part[0, 64].numpy() for part in (plain, bent))
    order = np.argsort(x, kind="stable")
    assert (np.diff(y[order]) >= -1e-6).all()
    assert y[x > 1 / BRIGHTEST] == pytest.approx(x[x > 1 / BRIGHTEST], abs=0.02)
    assert np.abs(y - x)[(x > 0) & (x < 1 / BRIGHTEST)].max() > 0.01


def test_a_slice_is_dimmed_by_no_more_than_asked_for():
    ratios = []
    for n in range(20):
        dice = np.random.default_rng(n)
        picture, inside = cut(brain(), 0.5, replace(NONE, dim=0.4), dice)
        plain, mask = cut(brain(), 0.5, NONE, rng())
        ratios.append(float(picture[inside > 0].mean() / plain[mask > 0].mean()))
    assert min(ratios) == pytest.approx(0.65, abs=0.06)
    assert max(ratios) == pytest.approx(0.95, abs=0.06)


def test_without_other_contrasts_a_slice_is_drawn_as_before_there_were_any():
    """The sum of a slice that was cut before this could be asked for."""
    picture, _ = cut(brain(), 0.5, Augmentation(), np.random.default_rng(3))
    assert float(picture.sum()) == pytest.approx(2399.162, rel=1e-5)


def test_a_single_slice_can_be_cut():
    mask = np.zeros((1, 90, 80), bool)
    mask[0, 20:70, 20:60] = True
    single = Brain.of("p", mask.astype(np.float32) * 0.5, mask, STEP)
    picture, inside = cut(single, 0.7, Augmentation(), rng())
    assert inside.sum() > 1000
    assert picture[inside > 0].min() > 0


def test_a_batch_is_drawn_by_the_chances_given():
    dark, bright = brain(), brain()
    bright = replace(bright, values=bright.values * 2)
    only = batch_of((dark, bright), 6, NONE, rng(), np.array([0.0, 1.0]))
    assert only[0].shape == only[1].shape == (6, 1, 128, 128)
    assert all(p[m > 0].mean() > 0.8 for p, m in zip(*only, strict=True))
    mixed, masks = batch_of((dark, bright), 30, NONE, rng())
    means = [float(p[m > 0].mean()) for p, m in zip(mixed, masks, strict=True)]
    assert 6 < sum(mean > 0.8 for mean in means) < 24


def test_heights_of_a_batch_run_through_the_brain():
    pictures, masks = batch_of((brain(),), 40, NONE, rng())
    areas = masks.sum((1, 2, 3))
    assert areas.max() > 1.5 * areas.min()
    assert torch.isfinite(pictures).all()


def test_no_change_is_the_one_with_all_strengths_zero():
    assert set(astuple(NONE)) == {0}
