"""Probabilities made honest by one number, the temperature of their logits (Guo 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from medview.learning.metrics import Interval, drawn_patients

Scores = NDArray[np.float64]
Truth = NDArray[np.bool_]
Rows = NDArray[np.intp]
STEPS = np.concatenate(
    [
        np.exp(np.linspace(np.log(0.02), np.log(0.5), 94))[:-1],
        np.exp(np.linspace(np.log(0.5), np.log(30), 120)),
    ]
)
"""Temperatures that are tried; below 1 a probability becomes more certain.

A head that shrinks far says hardly more than one half of anybody: it asks for a tenth."""
BINS = 10
LEAST = np.finfo(np.float64).tiny
"""Certainty that was wrong has a loss that is finite."""


def calmed(score: Scores, temperature: Scores | float) -> Scores:
    """Probabilities with their logits divided by a temperature: one number, or one for each."""
    inside = np.clip(score, 1e-9, 1 - 1e-9)
    return np.asarray(expit(logit(inside) / temperature), dtype=np.float64)


def best_temperature(score: Scores, truth: Truth, weight: Scores | None = None) -> float:
    """The temperature under which what happened is likeliest; 1 without both outcomes."""
    if truth.all() or not truth.any():
        return 1.0
    counts = np.ones(len(truth)) if weight is None else weight
    losses = []
    for step in STEPS:
        p = calmed(score, float(step))
        said = np.maximum(np.where(truth, p, 1 - p), LEAST)
        losses.append(-(counts * np.log(said)).sum())
    return float(STEPS[int(np.argmin(losses))])


def calmed_by_others(score: Scores, truth: Truth, parts: Sequence[Rows]) -> Scores:
    """Each part's probabilities under the temperature that the other parts would choose.

    So no case has a say in its own calibration. Rows in no part stay as they are.
    """
    found = score.copy()
    every = np.unique(np.concatenate(parts)) if parts else np.empty(0, np.intp)
    for part in parts:
        others = np.setdiff1d(every, part)
        if len(others):
            found[part] = calmed(score[part], best_temperature(score[others], truth[others]))
    return found


def calibration_error(truth: Truth, score: Scores, weights: Scores) -> Scores:
    """Expected calibration error in ten equal bins under each row of weights (b, n)."""
    places = np.minimum((score * BINS).astype(int), BINS - 1)
    apart = np.zeros(len(weights))
    for place in range(BINS):
        here = places == place
        apart += abs(weights[:, here] @ (truth[here] - score[here]))
    return np.asarray(apart / weights.sum(1), dtype=np.float64)


def calibration_interval(truth: Truth, score: Scores, patients: Sequence[str]) -> Interval:
    """The expected calibration error with its interval over patients.

    Drawing people again makes bins uneven and the error larger, so that all draws may lie above
    the figure; the interval reaches to the figure all the same.
    """
    value = float(calibration_error(truth, score, np.ones((1, len(truth))))[0])
    draws = drawn_patients(patients)
    if draws is None:
        return Interval(value)
    low, high = np.percentile(calibration_error(truth, score, draws), (2.5, 97.5))
    return Interval(value, min(value, float(low)), max(value, float(high)))


def reliability(score: Scores, truth: Truth) -> list[dict[str, float]]:
    """What was said and what happened in ten equal bins: the points of a reliability diagram.

    Of each bin with cases ``said`` and ``happened`` (means) and ``n``.
    """
    places = np.minimum((score * BINS).astype(int), BINS - 1)
    return [
        {
            "said": round(float(score[here].mean()), 4),
            "happened": round(float(truth[here].mean()), 4),
            "n": int(here.sum()),
        }
        for here in (places == place for place in range(BINS))
        if here.any()
    ]
