"""By what a fold's left-out brains are judged: as a new brain is by the settings that ship."""

from types import SimpleNamespace

import numpy as np
import pytest

from medview.domain.progress import Silent
from medview.learning import anomaly_folds, findings
from medview.learning.anomaly_folds import Fold, settle
from medview.learning.anomaly_recipe import Recipe
from medview.learning.anomaly_scores import Drawn
from medview.learning.anomaly_settings import AnomalySettings

BRAIN = np.zeros((6, 128, 128), bool)
BRAIN[:, 20:108, 30:98] = True
LINES = np.where(BRAIN, 0.5 + 0.3 * np.sin(np.arange(128) / 3), 0).astype(np.float32)


def case(noise):
    """A case whose brain a model gives back up to so much noise; that stands in its spacing."""
    prepared = SimpleNamespace(
        slices=LINES, brain=BRAIN, scored=np.arange(6), grid=SimpleNamespace(spacing_mm=(noise,))
    )
    return SimpleNamespace(prepared=SimpleNamespace(prepared=prepared))


def fold(noise, **chosen):
    """A fold that left one brain out; its network is told by the noise of that brain."""
    return Fold(noise, AnomalySettings(samples=2, threshold=99.0, **chosen), (case(noise),))


@pytest.fixture
def told(monkeypatch):
    """Networks that give a brain back up to the noise that they are known by."""

    def draw(job, engine, slices, brain, samples):
        errors = np.random.default_rng(0).normal(0, engine, (samples, *slices.shape))
        pictures = (slices + errors * brain).astype(np.float32)
        return Drawn(slices, brain, pictures, np.full_like(slices, 0.01))

    monkeypatch.setattr(anomaly_folds, "draw_slices", draw)


def test_a_fold_is_judged_by_thresholds_of_what_the_others_left_out(told):
    quiet, middling, loud = fold(0.02), fold(0.04), fold(0.08)
    settings, normals, judged = settle(Silent(), None, (quiet, middling, loud), (), Recipe())
    at = [one.settings.threshold for one in judged]
    assert at[0] >= at[1] > at[2]  # the loud brain is judged by the quieter ones
    assert at[2] < settings.threshold <= at[0] < 99.0
    assert settle(Silent(), None, (quiet, middling, fold(0.3)), (), Recipe())[2][2].settings == (
        judged[2].settings  # what a fold left out has no say
    )
    assert [one.held_out for one in judged] == [f.held_out for f in (quiet, middling, loud)]
    assert len(normals.scores) == len(normals.peaks) == 3
    assert normals.scores == sorted(normals.scores)
    assert normals.peaks == [0.0, 0.0, 0.0]  # noise makes no region that is large enough


def test_the_highest_finding_of_each_left_out_brain_is_kept(told, monkeypatch):
    monkeypatch.setattr(findings, "SMALLEST_ML", 1e-3)  # a pixel is enough
    settings, normals, _ = settle(
        Silent(), None, (fold(0.02), fold(0.04), fold(0.08)), (), Recipe()
    )
    assert normals.peaks == sorted(normals.peaks)
    assert normals.peaks[0] == 0.0  # the quiet brain has nothing over the threshold
    assert normals.peaks[-1] > settings.threshold


def test_a_fold_keeps_its_own_choice_and_the_final_settings_take_the_commonest(told):
    folds = fold(0.02, smooth_px=1.0), fold(0.03, smooth_px=2.0), fold(0.04, smooth_px=2.0)
    settings, _, judged = settle(Silent(), None, folds, (), Recipe())
    assert settings.smooth_px == 2.0
    assert [one.settings.smooth_px for one in judged] == [1.0, 2.0, 2.0]
    assert {one.settings.samples for one in judged} == {2}


def test_a_fold_without_others_keeps_its_settings(told):
    (judged,) = settle(Silent(), None, (fold(0.02),), (), Recipe())[2]
    assert judged.settings.threshold == 99.0


def test_normals_are_in_order_and_those_that_are_not_recognised_are_left_out(monkeypatch):
    scores = iter([0.30006, float("nan"), -1.0, 0.2])
    monkeypatch.setattr(Drawn, "volume_score", lambda drawn, settings: next(scores))
    shown = np.full_like(LINES, 0.01)
    drawn = [Drawn(LINES, BRAIN, np.stack([LINES, LINES]), shown)] * 4
    found = anomaly_folds._normals(drawn, [1.0] * 4, AnomalySettings())
    assert found.scores == [-1.0, 0.2, 0.3001]
    assert found.peaks == [0.0, 0.0, 0.0]
