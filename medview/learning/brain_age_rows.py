"""Figures of predicted ages, with intervals by patient, for groups of people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from medview.learning.metrics import MetricRow, drawn_patients, ends_of
from medview.learning.vectors import Vector

TASK = "brain-age"
AGE_EDGES = (0, 25, 35, 45, 55, 65, 75, 120)
"""Bounds of the age groups; the first four are the paper's."""
FEWEST = 3
"""People of a group for figures of its own."""
_DIAGNOSES: Mapping[int | None, str] = {0: "control", 1: "case"}
Weights = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What was predicted of N people with a known age, and who they are.

    `ages` by predictor are (N,) years; `low` and `high` belong to "model"; `female` is its chance
    of female (N,), `sex` the truth (1 female), NaN unknown. `groups` are masks (N,) by name.
    """

    subset: str
    patients: tuple[str, ...]
    age: Vector
    ages: Mapping[str, Vector]
    low: Vector
    high: Vector
    corrected: Vector
    female: Vector | None
    sex: Vector
    groups: Mapping[str, Mask]


def groups_of(
    ages: Vector,
    sexes: Vector,
    sites: Sequence[str],
    labels: Sequence[int | None],
    kinds: Sequence[str],
    parts: Sequence[str] = (),
) -> dict[str, Mask]:
    """All groups that figures are made for, "all" first; those of everybody are left out.

    `parts` are names that a set has for its own parts, such as "internal_test".
    """
    found: dict[str, Mask] = {"all": np.ones(len(ages), dtype=np.bool_)}
    for low, high in pairwise(AGE_EDGES):
        found[f"age:{low}-{high}"] = (ages >= low) & (ages < high)
    for name, code in (("F", 1.0), ("M", 0.0)):
        found[f"sex:{name}"] = sexes == code
    words = [("site", list(sites)), ("modality", list(kinds)), ("part", list(parts))]
    words.append(("diagnosis", [_DIAGNOSES.get(label, "") for label in labels]))
    for kind, values in words:
        for value in sorted({value for value in values if value}):
            found[f"{kind}:{value}"] = np.array([each == value for each in values])
    return {
        name: mask for name, mask in found.items() if name == "all" or 0 < mask.sum() < len(mask)
    }


def age_rows(told: Told) -> list[MetricRow]:
    """All figures: the error of every predictor in every group, the rest for the model."""
    rows = []
    for group, mask in told.groups.items():
        if mask.sum() < FEWEST:
            continue
        rows += list(_error_rows(told, group, mask))
        rows += list(_own_rows(told, group, mask))
    return rows


def _error_rows(told: Told, group: str, mask: Mask) -> Iterator[MetricRow]:
    names = FIGURES if group == "all" else {"mae": FIGURES["mae"], "rmse": FIGURES["rmse"]}
    for predictor, ages in told.ages.items():
        known = mask & np.isfinite(ages)
        for name, figure in names.items():
            yield _row(told, predictor, group, name, known, figure, told.age, ages)


def _own_rows(told: Told, group: str, mask: Mask) -> Iterator[MetricRow]:
    inside = ((told.age >= told.low) & (told.age <= told.high)).astype(np.float64)
    yield _row(told, "model", group, "coverage", mask, mean_score, told.age, inside)
    if group == "all":
        width = told.high - told.low
        yield _row(told, "model", group, "interval_width", mask, mean_score, told.age, width)
        yield _row(
            *(told, "model", group, "mae_corrected", mask, mean_score, told.age),
            np.abs(told.corrected),
        )
        yield from _sex_rows(told, told.female)


def _sex_rows(told: Told, female: Vector | None) -> Iterator[MetricRow]:
    """How often the sex is right; nothing unless people of both are known."""
    known = np.isfinite(told.sex)
    if female is None or np.unique(told.sex[known]).size < 2:
        return
    right = ((female >= 0.5) == (told.sex == 1)).astype(np.float64)
    for name, figure in (("accuracy", mean_score), ("balanced_accuracy", balanced_many)):
        yield _row(*(told, "model", "all", name, known, figure, told.sex, right), task="sex")


def _row(
    told: Told,
    predictor: str,
    group: str,
    name: str,
    mask: Mask,
    figure: Callable[[Vector, Vector, Weights], Weights],
    truth: Vector,
    score: Vector,
    task: str = TASK,
) -> MetricRow:
    own = [patient for patient, here in zip(told.patients, mask, strict=True) if here]
    value, low, high = interval(figure, truth[mask], score[mask], own)
    return MetricRow(
        *(predictor, "case", name, told.subset, value, int(mask.sum()), len(set(own)), low, high),
        group=group,
        task=task,
    )


def interval(
    figure: Callable[[Vector, Vector, Weights], Weights],
    truth: Vector,
    score: Vector,
    patients: Sequence[str],
) -> tuple[float | None, float | None, float | None]:
    """A figure and its 95 % interval by a bootstrap over patients; None where there is none."""
    if not len(truth):
        return None, None, None
    value = float(figure(truth, score, np.ones((1, len(truth))))[0])
    draws = drawn_patients(patients)
    if draws is None or not np.isfinite(value):
        return (value if np.isfinite(value) else None), None, None
    return value, *ends_of(figure(truth, score, draws))


def mean_score(truth: Vector, score: Vector, weights: Weights) -> Weights:
    """Mean of the scores under each row of weights (b, n), as (b,)."""
    return np.asarray(weights @ score / weights.sum(1))


def balanced_many(truth: Vector, right: Vector, weights: Weights) -> Weights:
    """Mean over both classes of the share that is right."""
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = [
            (weights * (truth == kind)) @ right / (weights * (truth == kind)).sum(1)
            for kind in (0, 1)
        ]
    return np.asarray((parts[0] + parts[1]) / 2)


def mae_many(truth: Vector, score: Vector, weights: Weights) -> Weights:
    """Mean absolute error."""
    return mean_score(truth, np.abs(score - truth), weights)


def rmse_many(truth: Vector, score: Vector, weights: Weights) -> Weights:
    """Root of the mean squared error."""
    return np.sqrt(mean_score(truth, (score - truth) ** 2, weights))


def pearson_many(truth: Vector, score: Vector, weights: Weights) -> Weights:
    """Correlation of truth and score; NaN where one is constant."""
    total = weights.sum(1)
    a, b = weights @ truth / total, weights @ score / total
    product = weights @ (truth * score) / total - a * b
    spread = (weights @ truth**2 / total - a**2) * (weights @ score**2 / total - b**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(spread > 1e-9, product / np.sqrt(np.maximum(spread, 0)), np.nan)
    return np.asarray(np.clip(found, -1, 1))  # few people drawn often: rounding goes beyond


def slope_many(truth: Vector, score: Vector, weights: Weights) -> Weights:
    """Slope of the error over the age: -1 always says the mean, 0 is without bias."""
    total = weights.sum(1)
    error = score - truth
    a, b = weights @ truth / total, weights @ error / total
    product = weights @ (truth * error) / total - a * b
    spread = weights @ truth**2 / total - a**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(spread > 1e-9, product / spread, np.nan))


FIGURES: dict[str, Callable[[Vector, Vector, Weights], Weights]] = {
    "mae": mae_many,
    "rmse": rmse_many,
    "pearson_r": pearson_many,
    "bias_slope": slope_many,
}
