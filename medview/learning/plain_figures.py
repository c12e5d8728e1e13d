"""One number from truths and scores of cases, by its name: errors, areas, shares."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from medview.learning.metrics import CURVES, Many, pr_auc, roc_auc
from medview.learning.temperature import calibration_error

Values = NDArray[np.float64]


def mae(truth: Values, score: Values) -> float:
    """Mean absolute error."""
    return float(np.abs(score - truth).mean())


def rmse(truth: Values, score: Values) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(((score - truth) ** 2).mean()))


def pearson_r(truth: Values, score: Values) -> float:
    """Correlation; NaN where one of them is constant."""
    if len(truth) < 3 or truth.std() == 0 or score.std() == 0:
        return float("nan")
    return float(np.corrcoef(truth, score)[0, 1])


def bias_slope(truth: Values, score: Values) -> float:
    """Slope of the error over the truth: -1 always says the mean, 0 is without bias."""
    if len(truth) < 3 or truth.std() == 0:
        return float("nan")
    return float(np.polyfit(truth, score - truth, 1)[0])


def brier(truth: Values, score: Values) -> float:
    """Mean squared error of probabilities."""
    return float(((score - truth) ** 2).mean())


def balanced_accuracy(truth: Values, score: Values) -> float:
    """Mean of sensitivity and specificity at a probability of one half."""
    parts = [((score >= 0.5) == bool(kind))[truth == kind] for kind in (0, 1)]
    return float(np.mean([part.mean() for part in parts])) if all(map(len, parts)) else float("nan")


def accuracy(truth: Values, score: Values) -> float:
    """Share of right answers at a probability of one half."""
    return float(((score >= 0.5) == (truth > 0.5)).mean())


def g_mean(truth: Values, score: Values) -> float:
    """Geometric mean of sensitivity and specificity at a probability of one half."""
    parts = [((score >= 0.5) == bool(kind))[truth == kind] for kind in (0, 1)]
    known = all(map(len, parts))
    return float(np.sqrt(parts[0].mean() * parts[1].mean())) if known else float("nan")


def g_mean_weighted(truth: Values, score: Values) -> float:
    """Root of sensitivity times specificity at a probability of one half, each averaged over both
    classes by their sizes before: the specificity of one class is the sensitivity of the other.
    """
    found = [((score >= 0.5) == bool(kind))[truth == kind] for kind in (0, 1)]
    if not all(map(len, found)):
        return float("nan")
    zero, one = (float(part.mean()) for part in found)
    share = len(found[1]) / len(truth)
    recalled, spared = share * one + (1 - share) * zero, share * zero + (1 - share) * one
    return float(np.sqrt(recalled * spared))


def f1_weighted(truth: Values, score: Values) -> float:
    """F1 of both classes at a probability of one half, weighted by their sizes."""
    said, total = score >= 0.5, 0.0
    for kind in (False, True):
        own = (truth > 0.5) == kind
        hits = float(((said == kind) & own).sum())
        both = float((said == kind).sum() + own.sum())
        total += own.mean() * (2 * hits / both if both else 0.0)
    return float(total)


def _curve(figure: Callable[..., float]) -> Callable[[Values, Values], float]:
    return lambda truth, score: figure(truth > 0.5, score)


def ece(truth: Values, score: Values) -> float:
    """Expected calibration error of probabilities, in ten equal bins."""
    return float(calibration_error(truth > 0.5, score, np.ones((1, len(score))))[0])


WEIGHTED: dict[str, Many] = {**CURVES, "ece": calibration_error}
"""Figures that can be had of all draws at once, a draw being weights of the cases."""
FIGURES: dict[str, Callable[[Values, Values], float]] = {
    "mae": mae,
    "rmse": rmse,
    "pearson_r": pearson_r,
    "bias_slope": bias_slope,
    "brier": brier,
    "ece": ece,
    "balanced_accuracy": balanced_accuracy,
    "accuracy": accuracy,
    "g_mean": g_mean,
    "g_mean_weighted": g_mean_weighted,
    "f1_weighted": f1_weighted,
    "roc_auc": _curve(roc_auc),
    "pr_auc": _curve(pr_auc),
}


def figure(name: str, truth: Values, score: Values) -> float:
    """One figure; a name that is no known one is the mean of the scores."""
    if not len(score):
        return float("nan")
    known = FIGURES.get(name)
    return known(truth, score) if known else float(score.mean())
