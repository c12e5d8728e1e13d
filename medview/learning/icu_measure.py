"""Figures of merit of risks: discrimination, a working point, calibration; each with interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from medview.learning.icu_stays import Stay
from medview.learning.metrics import (
    Interval,
    MetricRow,
    Scores,
    Truth,
    Weights,
    curve_interval,
    drawn_patients,
    mean_interval,
)
from medview.learning.temperature import calibration_interval


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """Risks of some stays: truth (n,), score (n,), patients, and what the rows are called."""

    truth: Truth
    score: Scores
    patients: Sequence[str]
    task: str
    subset: str
    predictor: str = "model"
    group: str = "all"
    threshold: float | Scores | None = None

    def only(self, here: Truth) -> Said:
        """Some of the stays."""
        patients = [p for p, one in zip(self.patients, here, strict=True) if one]
        threshold = (
            self.threshold[here] if isinstance(self.threshold, np.ndarray) else self.threshold
        )
        return replace(self, truth=self.truth[here], score=self.score[here], patients=patients,
                       threshold=threshold)  # fmt: skip


def min_se_ppv(truth: Truth, alarm: Truth, weights: Weights) -> Scores:
    """The smaller of sensitivity and positive predictive value under each row of weights (b, n)."""
    hit = weights @ (truth & alarm)
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity, precision = hit / (weights @ truth), hit / (weights @ alarm)
    return np.asarray(np.fmin(sensitivity, np.nan_to_num(precision)), dtype=np.float64)


def best_threshold(truth: Truth, score: Scores) -> float:
    """The threshold with the highest min(sensitivity, positive predictive value)."""
    order = np.argsort(-score, kind="stable")
    ranked, hit = score[order], np.cumsum(truth[order])
    value = np.minimum(hit / max(truth.sum(), 1), hit / np.arange(1, len(hit) + 1))
    # Equal scores are above a threshold together: it counts what stands after the last of them.
    value[:-1][ranked[1:] == ranked[:-1]] = -1.0
    return float(ranked[int(np.argmax(value))])


def risk_rows(said: Said) -> list[MetricRow]:
    """roc_auc, pr_auc, min_se_ppv, brier and ece; the third where there is a threshold."""
    if not len(said.truth):
        return []
    rows = [
        _row(said, name, curve_interval(name, said.truth, said.score, said.patients))
        for name in ("roc_auc", "pr_auc")
    ]
    if said.threshold is not None:
        alarm = said.score >= said.threshold
        found = _drawn(said, lambda weights: min_se_ppv(said.truth, alarm, weights))
        rows.append(_row(said, "min_se_ppv", found))
    error = np.asarray((said.score - said.truth) ** 2, dtype=np.float64)
    rows.append(_row(said, "brier", mean_interval(error, said.patients)))
    calibrated = calibration_interval(said.truth, said.score, said.patients)
    return [*rows, _row(said, "ece", calibrated)]


def group_rows(said: Said, groups: Sequence[str]) -> list[MetricRow]:
    """roc_auc of each group that has both outcomes and at least 20 stays."""
    rows = []
    named = np.asarray(groups)
    for name in sorted({group for group in groups if group}):
        here = named == name
        truth = said.truth[here]
        if truth.any() and not truth.all() and here.sum() >= 20:
            patients = [p for p, one in zip(said.patients, here, strict=True) if one]
            part = replace(
                said, truth=truth, score=said.score[here], patients=patients, group=f"site:{name}"
            )
            found = curve_interval("roc_auc", truth, part.score, patients)
            rows.append(_row(part, "roc_auc", found))
    return rows


def film_rows(said: Said, stays: Sequence[Stay], variants: Mapping[str, Scores]) -> list[MetricRow]:
    """What the film is worth: the same network without film or series or with other patients'
    films, on all films, on each patient's first and on those up to the day of intensive care;
    beside what is no picture: number of films, view and size. Nothing without variants.
    """
    if not variants:
        return []
    first = np.array([stay.case.cells.get("first", "1") == "1" for stay in stays])
    before = np.array([float(stay.case.cells.get("to_icu") or 0) >= 0 for stay in stays])
    count = np.array([float(stay.case.cells.get("films", "1")) for stay in stays])
    rows = []
    scores = {"model": said.score, **variants, "film_count": count, **_no_pictures(stays)}
    groups = {"film:first": first, "film:until_icu": before}
    whole = {"all": np.ones(len(stays), dtype=bool)}
    for name, score in scores.items():
        one = replace(said, score=score, predictor=name, threshold=None)
        # The model's own figures on all films stand with the risks.
        for group, here in (groups if name == "model" else groups | whole).items():
            rows += curve_rows(replace(one.only(here), group=group))
    return rows


def _no_pictures(stays: Sequence[Stay]) -> dict[str, Scores]:
    """View and stored size of each film, where they are known of all and tell films apart."""
    views = [stay.case.cells.get("view", "") for stay in stays]
    found = {
        "bedside_share": np.array([float(view.upper() != "PA") for view in views]),
        "stored_pixels": np.array([-_pixels(stay) for stay in stays]),
    }
    return {n: v for n, v in found.items() if np.isfinite(v).all() and np.ptp(v) > 0}


def _pixels(stay: Stay) -> float:
    """How many pixels the file of a film has; NaN where it is no plain picture."""
    try:
        with Image.open(stay.case.images["film"]) as picture:
            return float(picture.width * picture.height)
    except (KeyError, OSError):
        return float("nan")


def curve_rows(said: Said) -> list[MetricRow]:
    """roc_auc and pr_auc, where there are both outcomes."""
    return [
        _row(said, name, curve_interval(name, said.truth, said.score, said.patients))
        for name in ("roc_auc", "pr_auc")
        if said.truth.any() and not said.truth.all()
    ]


def label_rows(said: Said) -> list[MetricRow]:
    """roc_auc and pr_auc of one label."""
    return [
        replace(_row(said, n, curve_interval(n, said.truth, said.score, said.patients)),
                level="label")
        for n in ("roc_auc", "pr_auc")
    ]  # fmt: skip


def _drawn(said: Said, figure: Callable[[Weights], Scores]) -> Interval:
    value = float(figure(np.ones((1, len(said.truth))))[0])
    draws = drawn_patients(said.patients)
    if draws is None:
        return Interval(value)
    low, high = np.nanpercentile(figure(draws), (2.5, 97.5))
    return Interval(value, float(low), float(high))


def _row(said: Said, name: str, found: Interval) -> MetricRow:
    return MetricRow(
        said.predictor,
        "case",
        name,
        said.subset,
        found.value,
        len(said.truth),
        len(set(said.patients)),
        found.low,
        found.high,
        group=said.group,
        task=said.task,
        n_positive=int(said.truth.sum()),
        prevalence=float(said.truth.mean()),
    )
