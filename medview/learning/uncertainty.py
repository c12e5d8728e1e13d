"""Are the predicted uncertainties as large as the errors? On normal brains, pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medview.learning.anomaly_maps import Smoothing
from medview.learning.anomaly_scores import Drawn, rimless
from medview.learning.metrics import MetricRow, RowKey, mean_interval

FIFTHS = 5
WHOLE = 3
"""A volume of fewer slices is not judged."""
WITHIN = (1.0, 2.0)
"""A perfect normal distribution has 68 and 95 % of its errors within so many deviations."""


@dataclass(frozen=True, slots=True)
class UncertaintyTrial:
    """Errors of one normal brain against its predicted total variance.

    `coverage` is the share of pixels within 1 and 2 predicted deviations; `rmse` the error in
    each fifth of the pixels by their uncertainty, `sd` what was predicted there.
    """

    patient: str
    coverage: tuple[float, ...]
    rmse: tuple[float, ...]
    sd: tuple[float, ...]


def judge(patient: str, clean: Drawn) -> UncertaintyTrial:
    """Compare the errors of a normal brain, not smoothed, with the total variance."""
    maps, inner = clean.maps(Smoothing()), rimless(clean.brain)
    error = np.sqrt(maps.residual[inner].astype(np.float64))
    sd = np.sqrt(maps.total[inner].astype(np.float64))
    parts = np.array_split(np.argsort(sd, kind="stable"), FIFTHS)
    return UncertaintyTrial(
        patient,
        tuple(float((error <= times * sd).mean()) for times in WITHIN),
        tuple(float(np.sqrt((error[part] ** 2).mean())) for part in parts),
        tuple(float(np.sqrt((sd[part] ** 2).mean())) for part in parts),
    )


def uncertainty_rows(subset: str, trials: Sequence[UncertaintyTrial]) -> list[MetricRow]:
    """Coverage and, for each fifth of the pixels, the error and the deviation predicted there."""
    rows = [
        _row(subset, "coverage", f"within:{times:g}sd", [one.coverage[n] for one in trials], trials)
        for n, times in enumerate(WITHIN)
    ]
    for n in range(FIFTHS):
        group = f"uncertainty:{n + 1}/{FIFTHS}"
        rows.append(_row(subset, "rmse", group, [one.rmse[n] for one in trials], trials))
        rows.append(_row(subset, "predicted_sd", group, [one.sd[n] for one in trials], trials))
    return rows


def _row(
    subset: str, name: str, group: str, values: Sequence[float], trials: Sequence[UncertaintyTrial]
) -> MetricRow:
    patients = [one.patient for one in trials]
    found = mean_interval(np.array(values), patients)
    key: RowKey = ("model", "pixel", name, subset, group)
    return MetricRow.of(key, found, patients, truth="normal brains")
