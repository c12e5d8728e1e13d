"""Figures of merit with intervals by patient, and the rows they are reported in.

Intervals are bootstraps over patients: all rows of a patient are drawn together, so
that many slices of few people do not look like many people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

REPEATS = 1000
FEWEST_PATIENTS = 5
"""Below this no interval is given: resampling four people says little about a fifth."""
CI = f"patient bootstrap, {REPEATS}"

Level = Literal["case", "slice", "pixel", "zone", "label"]
Truth = NDArray[np.bool_]
Scores = NDArray[np.float64]
Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval; None where it cannot be had."""

    value: float | None
    low: float | None = None
    high: float | None = None


RowKey = tuple[str, Level, str, str, str]
"""Predictor, level, name, subset and group: which row of a table of figures."""


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One row of ``medview.metrics/1``.

    `truth` says what was taken for the truth ("tumour mask", "box", "synthetic lesions");
    `n` counts what the figure is of (slices, cases, pairs) in one of its `draws`;
    `prevalence` is the share of positive units (of pixels at pixel level).
    """

    predictor: str
    level: Level
    name: str
    subset: str
    value: float | None
    n: int
    n_patients: int
    low: float | None = None
    high: float | None = None
    group: str = "all"
    task: str = "anomaly"
    ci: str = CI
    n_positive: int | None = None
    prevalence: float | None = None
    truth: str = ""
    draws: int = 1

    @classmethod
    def of(
        cls,
        key: RowKey,
        found: Interval,
        patients: Sequence[str],
        *,
        n: int | None = None,
        truth: str = "",
        positive: int | None = None,
        share: float | None = None,
        draws: int = 1,
    ) -> MetricRow:
        """A figure with its interval over `patients`, one name a unit; `n` where they are others.

        Without an interval none is named.
        """
        predictor, level, name, subset, group = key
        return cls(
            *(predictor, level, name, subset, found.value),
            len(patients) if n is None else n,
            *(len(set(patients)), found.low, found.high, group),
            ci=CI if found.low is not None else "",
            n_positive=positive,
            prevalence=share,
            truth=truth,
            draws=draws,
        )

    def as_dict(self) -> dict[str, object]:
        """The row as plain values; without an interval none is named."""
        return asdict(self) | {"ci": self.ci if self.low is not None else ""}


def roc_auc(truth: Truth, score: Scores, weight: Weights | None = None) -> float:
    """Area under the ROC curve, ties count one half; NaN with one class only."""
    if truth.all() or not truth.any():
        return float("nan")
    return float(roc_auc_score(truth, score, sample_weight=weight))


def pr_auc(truth: Truth, score: Scores, weight: Weights | None = None) -> float:
    """Average precision (steps, not trapezes); NaN without positives."""
    if not truth.any():
        return float("nan")
    return float(average_precision_score(truth, score, sample_weight=weight))


def best_dice(truth: Truth, score: Scores) -> float:
    """Dice of the best threshold on this very picture: an upper bound, not a working point."""
    if not truth.any():
        return float("nan")
    hit, missed_by, _ = _steps(truth, score, np.ones((1, truth.size)))
    return float((2 * hit / (hit + missed_by + truth.sum())).max())


def peak_hit(truth: Truth, score: Scores) -> float:
    """1 if the highest value lies in the truth, 0 if not; the share of tied peaks within it."""
    return float(truth[score == score.max()].mean())


def roc_auc_many(truth: Truth, score: Scores, weights: Weights) -> Scores:
    """ROC AUC under each row of `weights` (b, n), as (b,); equal to `roc_auc` row by row."""
    hit, missed_by, gained = _steps(truth, score, weights)
    false_gained = np.diff(missed_by, prepend=0, axis=1)
    above = hit - gained + gained / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        area = (false_gained * above).sum(1) / (hit[:, -1] * missed_by[:, -1])
    return np.asarray(area, dtype=np.float64)


def pr_auc_many(truth: Truth, score: Scores, weights: Weights) -> Scores:
    """Average precision under each row of `weights` (b, n), as (b,)."""
    hit, missed_by, gained = _steps(truth, score, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(hit + missed_by > 0, hit / (hit + missed_by), 0)
        area = (gained * precision).sum(1) / hit[:, -1]
    return np.asarray(area, dtype=np.float64)


def _steps(truth: Truth, score: Scores, weights: Weights) -> tuple[Scores, Scores, Scores]:
    """Hits and false alarms at each threshold from high to low, and hits gained; (b, steps)."""
    order = np.argsort(-score, kind="stable")
    falling = score[order]
    starts = np.flatnonzero(np.r_[True, falling[1:] != falling[:-1]])
    sorted_weights, sorted_truth = weights[:, order], truth[order]
    gained = np.add.reduceat(sorted_weights * sorted_truth, starts, axis=1)
    false_gained = np.add.reduceat(sorted_weights * ~sorted_truth, starts, axis=1)
    return gained.cumsum(1), false_gained.cumsum(1), gained


Many = Callable[[Truth, Scores, Weights], Scores]
CURVES: dict[str, Many] = {"roc_auc": roc_auc_many, "pr_auc": pr_auc_many}


def drawn_patients(patients: Sequence[str]) -> Weights | None:
    """How often each row counts in each bootstrap draw, (1000, n); None for too few patients."""
    names, codes = np.unique(np.asarray(patients), return_inverse=True)
    if len(names) < FEWEST_PATIENTS:
        return None
    rng = np.random.default_rng(0)
    counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=REPEATS)
    return np.asarray(counts[:, codes], dtype=np.float64)


def _over_draws(
    name: str, truth: Truth, score: Scores, weights: Weights, draw: NDArray[np.intp] | None
) -> Scores:
    """A curve's area under each row of `weights`, (b,); the mean over draws where there are many.

    A draw in which only one class is left says nothing.
    """
    many = CURVES[name]
    if draw is None:
        return many(truth, score, weights)
    parts = [draw == number for number in np.unique(draw)]
    areas = np.stack([many(truth[here], score[here], weights[:, here]) for here in parts])
    known = np.isfinite(areas)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, areas, 0).sum(0) / known.sum(0), dtype=np.float64)


def curve_interval(
    name: str,
    truth: Truth,
    score: Scores,
    patients: Sequence[str],
    *,
    weight: Weights | None = None,
    draw: NDArray[np.intp] | None = None,
) -> Interval:
    """ROC AUC or average precision with its interval.

    `weight` (n,) counts rows unequally. `draw` (n,) numbers repeated draws of the same slices:
    the figure is the mean over draws, and a patient stays one patient in all of them.
    """
    base = np.ones(len(truth)) if weight is None else weight
    if not truth.any() or (truth.all() and name == "roc_auc"):
        return Interval(None)
    value = float(_over_draws(name, truth, score, base[None], draw)[0])
    draws = drawn_patients(patients)
    drawn = None if draws is None else _over_draws(name, truth, score, draws * base, draw)
    if drawn is None:
        return Interval(value)
    return Interval(value, *ends_of(np.clip(_unbiased(value, drawn), 0, 1)))


def mean_interval(values: Scores, patients: Sequence[str]) -> Interval:
    """Mean over cases with its interval over patients; NaN values are left out."""
    known = np.isfinite(values)
    if not known.any():
        return Interval(None)
    kept = values[known]
    draws = drawn_patients([p for p, here in zip(patients, known, strict=True) if here])
    means = None if draws is None else (draws @ kept) / draws.sum(1)
    value = float(kept.mean())
    return Interval(value, *ends_of(means))


def median_interval(values: Scores, patients: Sequence[str]) -> Interval:
    """Median over cases with its interval over patients."""
    if not len(values):
        return Interval(None)
    draws = drawn_patients(patients)
    medians = None
    if draws is not None:
        drawn = (np.repeat(values, counts) for counts in draws.astype(int))
        medians = np.array([np.median(each) for each in drawn if each.size])
    return Interval(float(np.median(values)), *ends_of(medians))


def win_interval(with_lesion: Scores, without: Scores, patients: Sequence[str]) -> Interval:
    """Share of pairs in which the slice with the lesion scores higher; ties count one half."""
    wins = (with_lesion > without) + 0.5 * (with_lesion == without)
    return mean_interval(np.asarray(wins, dtype=np.float64), patients)


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired difference with its interval and two-sided bootstrap p; None for few patients."""

    value: float
    low: float | None
    high: float | None
    p: float | None


def paired_difference(
    name: str,
    truth: Truth,
    ours: Scores,
    theirs: Scores,
    patients: Sequence[str],
    *,
    draw: NDArray[np.intp] | None = None,
) -> Difference:
    """How much higher one score's curve is than another's on the same rows and draws."""
    one = np.ones((1, len(truth)))
    ahead = _over_draws(name, truth, ours, one, draw) - _over_draws(name, truth, theirs, one, draw)
    draws = drawn_patients(patients)
    if draws is None:
        return Difference(float(ahead[0]), None, None, None)
    drawn = [_over_draws(name, truth, score, draws, draw) for score in (ours, theirs)]
    apart = _unbiased(float(ahead[0]), drawn[0] - drawn[1])
    return _difference(float(ahead[0]), apart)


def paired_mean_difference(ours: Scores, theirs: Scores, patients: Sequence[str]) -> Difference:
    """How much higher one figure is than another on the same cases, mean over cases."""
    apart = ours - theirs
    draws = drawn_patients(patients)
    value = float(apart.mean())
    if draws is None:
        return Difference(value, None, None, None)
    return _difference(value, (draws @ apart) / draws.sum(1))


def _difference(value: float, drawn: Scores) -> Difference:
    low, high = ends_of(drawn)
    if low is None:
        return Difference(value, None, None, None)
    known = drawn[np.isfinite(drawn)]
    p = 2 * min((known <= 0).mean(), (known >= 0).mean())
    return Difference(value, low, high, float(min(1.0, max(p, 1 / len(known)))))


def ends_of(drawn: Scores | None) -> tuple[float | None, float | None]:
    """The 2.5th and 97.5th percentile of draws; None where fewer than half of them say anything."""
    known = np.empty(0) if drawn is None else drawn[np.isfinite(drawn)]
    if drawn is None or not known.size or known.size < drawn.size // 2:
        return None, None
    low, high = np.percentile(known, (2.5, 97.5))
    return float(low), float(high)


def _unbiased(value: float, drawn: Scores) -> Scores:
    """Draws of an area, moved so that their mean is the figure.

    A patient drawn twice meets himself more often than in the data; in a twin design that moves
    all draws to one side.
    """
    known = np.isfinite(drawn)
    return drawn - (drawn[known].mean() - value) if known.any() else drawn
