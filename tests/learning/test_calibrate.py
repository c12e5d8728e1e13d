"""How scores are chosen: never with what they are measured on, and by the figure that counts."""

from dataclasses import replace

import numpy as np
import pytest
from brains import normal_case

from medview.domain.progress import Silent
from medview.learning import calibrate as calibration
from medview.learning.anomaly_scores import Drawn, rimless
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.calibrate import (
    FALSE_ALARM_SHARE,
    SEED,
    Trial,
    choose,
    commonest,
    paste_lesions,
    settle_norms,
    slices_with_room,
    with_norms,
    with_thresholds,
)
from medview.learning.recognised import LOWEST_FLOOR

BRAIN = np.zeros((6, 128, 128), bool)
BRAIN[:, 20:108, 30:98] = True


def said(noise, seed=0, count=6, shading=0.0):
    """A model that gives the picture back up to noise and a shading, stronger in some slices."""
    rng = np.random.default_rng(seed)
    brain = BRAIN[:count]
    plain = np.where(brain, 0.5, 0).astype(np.float32)
    uneven = rng.uniform(0, shading, (count, 1, 1)) * np.linspace(-1, 1, 128)[:, None]
    error = rng.normal(0, noise, (2, *plain.shape)) + uneven
    return Drawn(plain, brain, (plain + error).astype(np.float32), np.full_like(plain, 0.01))


def trial(noise, radius, shading=0.0):
    clean = said(noise, shading=shading)
    rows, columns = np.indices((128, 128))
    truth = np.broadcast_to(np.hypot(rows - 60, columns - 60) < radius, BRAIN.shape)
    sick = replace(clean, slices=clean.slices + np.float32(0.2) * truth)
    return Trial(clean, sick, np.array(truth))


def test_noise_asks_for_smoothing_and_a_clean_model_does_not():
    assert choose(trial(0.01, 3), AnomalySettings()).smooth_px == 1.0
    assert choose(trial(0.6, 12), AnomalySettings()).smooth_px > 2.0


def test_a_shading_asks_for_a_wide_average_to_be_taken_off():
    found = choose(trial(0.02, 6, shading=0.5), AnomalySettings())
    assert found.wide_px > 0


def test_the_norms_bring_normal_slices_to_mean_zero_and_sd_one():
    clean = said(0.1, count=6)
    settings = with_norms(AnomalySettings(alpha=1.0), clean)
    scores = clean.slice_scores(settings)
    assert scores.mean() == pytest.approx(0, abs=1e-9)
    assert scores.std() == pytest.approx(1)


def test_few_normal_pixels_pass_the_thresholds():
    clean = said(0.1)
    maps = clean.slice_maps(AnomalySettings())
    found = with_thresholds(AnomalySettings(), [maps], [clean.brain])
    share = (maps.score("ratio")[rimless(clean.brain)] > found.threshold).mean()
    assert share == pytest.approx(FALSE_ALARM_SHARE, rel=0.5)
    assert found.top == pytest.approx(3 * found.threshold, rel=0.1)
    assert (found.slice_threshold, found.slice_residual_threshold) == (
        found.threshold,
        found.residual_threshold,
    )


def test_volumes_have_thresholds_of_their_own():
    settings = AnomalySettings(smooth_px=1.0, volume_mm=4.5)
    found = settle_norms([said(0.2, 1), said(0.2, 2)], [2.0, 2.0], settings)
    assert found.threshold < 0.5 * found.slice_threshold
    single = found.of_single_slices()
    assert (single.threshold, single.volume_mm) == (found.slice_threshold, 0.0)
    flat = settle_norms([said(0.2, 1)], [2.0], replace(settings, volume_mm=0.0))
    assert flat.threshold == flat.slice_threshold


def test_of_several_folds_each_choice_is_the_commonest():
    folds = [
        AnomalySettings(smooth_px=4.0, quantile=0.99, grow=0.2),
        AnomalySettings(smooth_px=5.0, quantile=0.99, grow=0.2),
        AnomalySettings(smooth_px=5.0, quantile=0.95, grow=0.5),
    ]
    found = commonest(folds)
    assert (found.smooth_px, found.quantile, found.grow) == (5.0, 0.99, 0.2)


def recognised(count, empty):
    """Slices with structure; of `empty` of them the model gives nothing back."""
    rng = np.random.default_rng(3)
    coarse = rng.uniform(0.2, 0.8, (count, 32, 32)).repeat(4, axis=1).repeat(4, axis=2)
    plain = (coarse * BRAIN[:1]).astype(np.float32)
    pictures = np.stack([plain, plain])
    pictures[:, :empty] = 0
    brain = np.repeat(BRAIN[:1], count, axis=0)
    return Drawn(plain, brain, pictures, np.full_like(plain, 0.01))


def test_what_is_not_recognised_is_no_part_of_norms_and_thresholds():
    settings = AnomalySettings(smooth_px=1.0)
    found = settle_norms([recognised(30, empty=1)], [2.0], settings)
    assert 0.3 <= found.floor <= 0.5
    without = settle_norms([recognised(30, empty=0)], [2.0], settings)
    assert found.residual_norm == without.residual_norm
    assert found.threshold == without.threshold


def test_a_model_that_recognises_nothing_has_norms_all_the_same():
    found = settle_norms([recognised(6, empty=6)], [2.0], AnomalySettings(volume_mm=4.5))
    assert found.floor == LOWEST_FLOOR
    assert found.residual_norm.mean > 0
    assert found.threshold > 0


def test_lesions_and_slices_of_the_choice_are_always_the_same(tmp_path):
    cases = [normal_case(tmp_path, seed).prepared for seed in range(2)]
    one, again = paste_lesions(cases), paste_lesions(cases)
    assert np.array_equal(one.pasted, again.pasted)
    assert (one.pasted != one.plain).any(axis=(1, 2)).all()
    assert not one.truth[~one.brain].any()
    other, _, _ = slices_with_room(cases, 2, np.random.default_rng(SEED + 1))
    assert len(other) <= 4


def test_a_fold_chooses_on_its_training_brains_alone(tmp_path, monkeypatch):
    asked = []

    def draw_trial(job, engine, cases, samples):
        asked.extend(cases)
        return trial(0.1, 6)

    monkeypatch.setattr(calibration, "draw_trial", draw_trial)
    monkeypatch.setattr(calibration, "draw_blocks", lambda *given: [])
    monkeypatch.setattr(calibration, "choose", lambda trial, start: start)
    cases = [normal_case(tmp_path, seed) for seed in range(4)]
    training = [one.prepared for one in cases[1:]]
    calibration.calibrate(Silent(), None, training, AnomalySettings())
    assert asked == training
