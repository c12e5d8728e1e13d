"""Classical models of a stay's risk: what the networks have to beat, on the same stays and folds.

Of each variable the lowest, highest, mean and last value and the number of measurements; of films
the features of the frozen encoder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medview.domain.progress import Progress
from medview.learning.icu_measure import Said, curve_rows, risk_rows
from medview.learning.icu_stays import Stay
from medview.learning.icu_variables import VariableMap
from medview.learning.metrics import MetricRow, paired_difference, paired_mean_difference
from medview.learning.plain_fits import fit_boosting, fit_logistic
from medview.learning.plain_models import Matrix, Model
from medview.learning.temperature import Rows, Scores, Truth

STRENGTHS = (1e-3, 3e-3, 1e-2)
FILM_STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2)
FEWEST_BOOSTED = 500
"""Boosted trees are not asked of fewer stays."""
LOGISTIC, BOOSTING, FILM = "logistic", "boosting", "logistic_film"


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """What the classical models see of stays: summaries (n, columns) and film features, if any."""

    series: Matrix
    film: Matrix | None
    patients: tuple[str, ...]

    @classmethod
    def of(cls, stays: Sequence[Stay], variables: VariableMap) -> Tables:
        """The tables of some stays."""
        series = np.stack([summary(stay, variables) for stay in stays])
        films = [stay.film for stay in stays]
        known = [film for film in films if film is not None]
        film = np.stack(known).astype(np.float64) if len(known) == len(films) else None
        return cls(series, film, tuple(stay.case.patient for stay in stays))

    def only(self, rows: Rows) -> Tables:
        """Some of the stays."""
        film = None if self.film is None else self.film[rows]
        return Tables(self.series[rows], film, tuple(self.patients[n] for n in rows.tolist()))


def summary(stay: Stay, variables: VariableMap) -> NDArray[np.float64]:
    """A stay as one row, NaN for what was never measured."""
    grid, found = stay.grid, list[float]()
    for n, variable in enumerate(variables.variables):
        count = float(grid.count[-1, n])
        last = float(grid.values[-1, n]) if count else np.nan
        if variable.levels:
            found += [float(count > 0 and last == level) for level in range(variable.width)]
        elif variable.kind == "static":
            found.append(last)
        elif variable.kind == "flag":
            found.append(count)
        else:
            seen = (grid.lowest, grid.highest, grid.mean)
            found += [float(one[-1, n]) if count else np.nan for one in seen]
            found += [last, count]
    return np.array(found)


def fit_models(tables: Tables, truth: Truth) -> dict[str, Model]:
    """The classical models of these stays, by name."""
    groups, weight = tables.patients, _patients_alike(tables.patients)
    found: dict[str, Model] = {
        LOGISTIC: fit_logistic(tables.series, truth, groups, STRENGTHS, weight=weight)
    }
    if len(truth) >= FEWEST_BOOSTED:
        found[BOOSTING] = fit_boosting(tables.series, truth, groups)
    if tables.film is not None:
        found[FILM] = fit_logistic(tables.film, truth, groups, FILM_STRENGTHS, weight=weight)
    return found


def _patients_alike(patients: Sequence[str]) -> NDArray[np.float64]:
    names, codes, counts = np.unique(np.asarray(patients), return_inverse=True, return_counts=True)
    return np.asarray(len(codes) / len(names) / counts[codes], dtype=np.float64)


def answers_of(models: Mapping[str, Model], tables: Tables) -> dict[str, Scores]:
    """What each model says of the stays; those of films only where all have one."""
    found = {}
    for name, model in models.items():
        rows = tables.film if name == FILM else tables.series
        if rows is not None:
            found[name] = model(rows)
    return found


def left_out_answers(
    job: Progress, tables: Tables, truth: Truth, parts: Sequence[Rows]
) -> dict[str, Scores]:
    """What models fitted on the other stays say of each part; NaN for stays in no part."""
    found: dict[str, Scores] = {}
    every = np.arange(len(truth))
    for n, held in enumerate(parts):
        job.check()
        job.report(n, len(parts), f"classical models: part {n + 1} / {len(parts)}")
        train = np.setdiff1d(every, held)
        if len(set(truth[train].tolist())) < 2:
            continue
        models = fit_models(tables.only(train), truth[train])
        for name, score in answers_of(models, tables.only(held)).items():
            found.setdefault(name, np.full(len(truth), np.nan))[held] = score
    return found


def baseline_rows(
    said: Said, answers: Mapping[str, Scores], calm: Scores | None = None
) -> list[MetricRow]:
    """Figures of classical models on the same stays, and how far ahead of each the model is.

    ``roc_auc_difference`` and the others are model minus baseline, paired by stay; a lower brier
    is better, and is of the probabilities `calm` where they are given.
    """
    sure = said.score if calm is None else calm
    rows: list[MetricRow] = []
    for name, score in answers.items():
        known = np.isfinite(score)
        if not known.any():
            continue
        ours, theirs = said.only(known), replace(said, score=score).only(known)
        plain = replace(theirs, predictor=name, threshold=None)
        rows += risk_rows(plain) if said.group == "all" else curve_rows(plain)
        rows += _differences(ours, theirs.score, sure[known], name)
    return rows


def _differences(ours: Said, theirs: Scores, sure: Scores, name: str) -> list[MetricRow]:
    base = MetricRow(
        "model", "case", "", ours.subset, None, len(ours.truth), len(set(ours.patients)),
        group=f"{ours.group}, against:{name}",
        task=ours.task, n_positive=int(ours.truth.sum()), prevalence=float(ours.truth.mean()),
    )  # fmt: skip
    found = {}
    if ours.truth.any() and not ours.truth.all():
        found = {
            curve: paired_difference(curve, ours.truth, ours.score, theirs, ours.patients)
            for curve in ("roc_auc", "pr_auc")
        }
    mine, its = (np.asarray((score - ours.truth) ** 2) for score in (sure, theirs))
    found["brier"] = paired_mean_difference(mine, its, ours.patients)
    return [
        replace(base, name=f"{figure}_difference", value=one.value, low=one.low, high=one.high)
        for figure, one in found.items()
    ]
