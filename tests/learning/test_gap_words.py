"""The age gap is worded by the sign of its slope, on every route."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from medview.learning import armed_age_run, brain_age_run, brain_age_t1
from medview.learning.brain_age_model import AgeAnswer, AgeSettings
from medview.learning.gap_words import gap_by_age

SLOPES = [
    (-0.34, "the young come out older and the old younger"),
    (0.2, "the young come out younger and the old older"),
    (0.004, "it does not depend on age"),
    (-0.004, "it does not depend on age"),
]


@pytest.mark.parametrize(("slope", "words"), SLOPES)
def test_the_sign_decides(slope, words):
    assert words in gap_by_age(slope)


@pytest.mark.parametrize(("slope", "words"), SLOPES[:2])
def test_from_features(slope, words):
    one = np.array([50.0])
    model = SimpleNamespace(settings=AgeSettings({}, bias=(1.0, slope)))
    answer = AgeAnswer(one, one - 5, one + 5, one, one)
    raw, moved = brain_age_run._gaps(model, answer, brain_age_run.Person(40.0), "ok")
    assert words in raw.meaning
    assert f"{slope:+.2f} years a year" in moved.meaning


@pytest.mark.parametrize(("slope", "words"), SLOPES[:2])
def test_from_a_picture(slope, words):
    fitted = SimpleNamespace(
        from_network=lambda ml: np.array([50.0]),
        strangeness=lambda ml: 0.0,
        corrected_gap=lambda age, found: found - age,
        drift=slope,
        **{"half_width": 5.0, "low": 20.0, "high": 80.0, "n": 9},
    )
    regions = SimpleNamespace(ml=np.ones(27))
    _, raw, _ = brain_age_t1._ages(fitted, regions, 40.0)
    assert words in raw.meaning


@pytest.mark.parametrize(("slope", "words"), SLOPES[:2])
def test_with_effects_of_sites(slope, words):
    kept = SimpleNamespace(gap_at_zero=0.0, gap_slope=slope)
    said, model = SimpleNamespace(best=50.0), SimpleNamespace(conformal=kept)
    raw, _ = armed_age_run._gaps(said, model, 40.0, "ok")
    assert words in raw.meaning
    unmeasured, why = armed_age_run._gaps(said, SimpleNamespace(conformal=None), 40.0, "ok")
    assert "young" not in unmeasured.meaning
    assert why.value is None
