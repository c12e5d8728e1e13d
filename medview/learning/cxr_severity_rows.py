"""Figures of the Brixia score: totals, zones and classes, beside junior reader and median."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from medview.learning.chest_rows import severity_class, zone_scores
from medview.learning.cxr_metrics import Said, Scores, filled, set_of
from medview.learning.metrics import (
    Level,
    MetricRow,
    mean_interval,
)

POOLED = "brixia-senior"
"""What films with Brixia scores are called where they are of several sets."""


def severity_rows(said: Said) -> list[MetricRow]:
    """Brixia: error of the total and of zones, class accuracy; junior reader and median beside."""
    kept = np.array([bool(case.cells.get("brixia")) for case in said.cases], np.bool_)
    kept &= np.isfinite(said.severity)
    if not kept.any():
        return []
    here = said.only(kept)
    patients = [case.patient for case in here.cases]
    truth = np.array([zone_scores(case.cells["brixia"]) for case in here.cases], float)
    rows = [
        _mean_row("model", "case", "accuracy", (_classes(truth) == here.severity) * 1.0, patients)
    ]
    if np.isfinite(here.zones).all():
        rows += _zone_rows("model", here.zones, truth, patients)
    junior = [case.cells.get("brixia_junior", "") for case in here.cases]
    if all(junior):
        read = np.array([zone_scores(text) for text in junior], float)
        hit = (_classes(truth) == _classes(read)) * 1.0
        rows.append(_mean_row("junior_reader", "case", "accuracy", hit, patients))
        rows += _zone_rows("junior_reader", read, truth, patients)
    if np.isfinite(here.median).all():
        error = np.abs(here.median - truth.sum(1))
        rows.append(_mean_row("median", "case", "mae", error, patients))
    if "ridge" in here.baselines:
        theirs = np.abs(here.baselines["ridge"] - truth.sum(1))
        rows.append(_mean_row("ridge", "case", "mae", theirs, patients))
        if np.isfinite(here.zones).all():
            ours = np.abs(here.zones.sum(1) - truth.sum(1))
            apart = _mean_row("model", "case", "mae_difference", ours - theirs, patients)
            rows.append(replace(apart, group="all, against:ridge"))
    subset, reader = set_of(here.cases, POOLED), "senior reader" if all(junior) else ""
    return [replace(row, subset=subset, truth=reader) for row in rows]


def _classes(zones: Scores) -> Scores:
    return np.array([severity_class(int(total)) for total in zones.sum(1)], float)


def _zone_rows(
    predictor: str, zones: Scores, truth: Scores, patients: Sequence[str]
) -> list[MetricRow]:
    total = np.abs(zones.sum(1) - truth.sum(1))
    apart = np.abs(zones - truth)
    rows = [_mean_row(predictor, "case", "mae", total, patients)]
    every = _mean_row(predictor, "zone", "mae", apart.mean(1), patients)
    rows.append(replace(every, n=apart.size))
    for k, zone in enumerate("ABCDEF"):
        one = _mean_row(predictor, "zone", "mae", apart[:, k], patients)
        rows.append(replace(one, group=f"zone:{zone}"))
    return rows


def _mean_row(
    predictor: str, level: Level, name: str, values: Scores, patients: Sequence[str]
) -> MetricRow:
    found = mean_interval(values, patients)
    row = MetricRow(
        predictor, level, name, POOLED, None, len(values), len(set(patients)), task="severity"
    )
    return filled(row, name, found)
