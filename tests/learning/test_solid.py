"""Solid lesions: pasted where they are said to be, found again, measured by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from brains import normal_case
from nearness import assert_near

from medview.domain.progress import Silent
from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_scores import Drawn, rimless
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.solid import (
    TIMES,
    Block,
    choose_volume,
    draw_blocks,
    solid_rows,
    try_solid,
)
from medview.models.anomaly_vae import AnomalyVae, VaeOptions

STEP_MM = 2.0
LEFT = (slice(8, 14), slice(50, 62), slice(45, 57))


@pytest.fixture(scope="module")
def engine(narrow):
    torch.manual_seed(0)
    return Engine.fast(AnomalyVae(VaeOptions(attention=False)).eval())


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return normal_case(tmp_path_factory.mktemp("brain"), 0)


def block(noise=0.0, seed=0):
    """A model that knows the normal picture up to noise, and a box that differs by 0.3."""
    rng = np.random.default_rng(seed)
    shape = (24, 128, 128)
    rows, columns = np.indices(shape)[1:] - 63.5
    brain = (rows / 55) ** 2 + (columns / 45) ** 2 < 1
    plain = np.where(brain, 0.5, 0).astype(np.float32)
    truth = np.zeros(shape, bool)
    truth[LEFT] = True
    error = rng.normal(0, noise, shape).astype(np.float32)
    pictures = np.stack([plain + error, plain + error])
    aleatoric = np.full(shape, 0.01, np.float32)
    clean = Drawn(plain, brain, pictures, aleatoric)
    sick = replace(clean, slices=plain + np.float32(0.3) * truth)
    return Block(clean, sick, truth, STEP_MM)


def test_a_lesion_is_pasted_in_neighbouring_slices_and_nowhere_else(engine, case):
    [one] = draw_blocks(Silent(), engine, [case.prepared], 2)
    changed = (one.sick.slices != one.clean.slices).any(axis=(1, 2))
    assert one.truth.any(axis=(1, 2)).sum() >= 2
    assert set(np.flatnonzero(one.truth.any(axis=(1, 2)))) <= set(np.flatnonzero(changed))
    assert set(np.diff(np.flatnonzero(changed))) <= {1}
    same = ~changed
    assert same.any()
    assert np.array_equal(one.sick.pictures[:, same], one.clean.pictures[:, same])
    assert not np.array_equal(one.sick.pictures[:, changed], one.clean.pictures[:, changed])


def test_noise_that_differs_from_slice_to_slice_asks_for_smoothing_over_slices():
    noisy = [block(noise=0.5, seed=seed) for seed in range(3)]
    found = choose_volume(noisy, AnomalySettings(smooth_px=1.0))
    assert found.volume_mm >= 3
    assert found.threshold < 5


def test_growth_is_chosen_so_that_the_volume_is_true():
    noisy = [block(noise=0.2, seed=seed) for seed in range(3)]
    found = choose_volume(noisy, AnomalySettings(smooth_px=3.0))
    trial = noisy[0]
    score = trial.sick.volume_maps(found, STEP_MM).score("ratio")
    peak = score[trial.truth].max()
    inside = (score > found.grow * peak) & rimless(trial.sick.brain)
    assert inside.sum() / trial.truth.sum() == pytest.approx(1, abs=0.5)
    assert found.grow < 1


def test_volumes_are_smoothed_in_all_directions_and_slices_are_not():
    one = block(noise=0.3)
    settings = AnomalySettings(smooth_px=2.0, volume_mm=4.0)
    apart = {}
    for name, maps in (
        ("slices", one.sick.slice_maps(settings)),
        ("volume", one.sick.volume_maps(settings, STEP_MM)),
    ):
        inner = rimless(one.sick.brain)[1:]
        jump = np.abs(np.diff(maps.residual, axis=0))[inner].mean()
        apart[name] = jump / maps.residual[1:][inner].mean()
        assert_near(maps.score(), maps.residual / (maps.total + 1e-8), rel=1e-6, within=1e-12)
    assert apart["volume"] < 0.6 * apart["slices"]
    flat = one.sick.volume_maps(replace(settings, volume_mm=0.0), STEP_MM)
    assert np.array_equal(flat.residual, one.sick.slice_maps(settings).residual)


def test_figures_of_solid_lesions_come_with_the_regions_of_clean_brains(engine, case):
    settings = AnomalySettings(samples=2, volume_mm=3.0, threshold=0.5, grow=0.2)
    solids, cleans = try_solid(Silent(), engine, settings, [case], draws=2)
    assert len(solids) == 2
    assert len(cleans) == 1
    assert all(set(one.precision) == {"model", "model:flat"} for one in solids)
    every = solid_rows("s", solids, cleans)
    rows = {(r.predictor, r.name): r for r in every if not r.group.startswith("threshold")}
    assert rows["model", "found_rate"].value == np.isfinite([s.ratio for s in solids]).mean()
    assert rows["model", "pr_auc"].n == 2
    ratios = [s.ratio for s in solids if np.isfinite(s.ratio)]
    if ratios:
        assert rows["model", "volume_ratio_median"].value == np.median(ratios)
        assert rows["model", "volume_ratio"].value == pytest.approx(np.mean(ratios))
    assert rows["model", "false_regions"].value == cleans[0].regions
    assert rows["model", "false_regions"].group == "clean"
    for n, times in enumerate(TIMES):
        there = {r.name: r.value for r in every if r.group == f"threshold x {times:g}"}
        higher = replace(settings, threshold=times * settings.threshold)
        other, others = try_solid(Silent(), engine, higher, [case], draws=2)
        assert there["found_rate"] == np.isfinite([one.ratio for one in other]).mean()
        assert there["false_regions"] == others[0].regions == cleans[0].at[n]
    again, _ = try_solid(Silent(), engine, settings, [case], draws=2)
    assert [one.precision for one in again] == [one.precision for one in solids]


def test_without_any_volume_there_are_no_rows():
    assert solid_rows("s", [], []) == []
