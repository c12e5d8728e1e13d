"""Figures of a part of the ICU model on stays that its networks never saw, beside baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medview.domain.progress import Progress
from medview.learning.icu_baselines import Tables, baseline_rows, left_out_answers
from medview.learning.icu_measure import (
    Said,
    best_threshold,
    film_rows,
    group_rows,
    label_rows,
    risk_rows,
)
from medview.learning.icu_stays import Stay
from medview.learning.icu_units import rivals
from medview.learning.icu_variables import VariableMap
from medview.learning.icu_variants import VARIANTS
from medview.learning.icu_work import Work
from medview.learning.metrics import MetricRow
from medview.learning.temperature import calmed_by_others

RAW = "uncalibrated"
CALIBRATED = ("brier", "ece")
PHASES = (("folds", ""), ("sites", ", left-out site"))


def measured(job: Progress, work: Work, variables: VariableMap) -> list[MetricRow]:
    """Figures of a part on stays that were left out: in folds, then site by site.

    Of a part with one output brier and ece are under the temperature that the other folds (or
    sites) choose, ``uncalibrated`` rows are those before it. Figures of the order of stays do not
    hang on a temperature and are of the scores as they are.
    """
    rows: list[MetricRow] = []
    for phase, suffix in PHASES:
        scores = work.scores(phase)
        if scores is None:
            continue
        if len(work.outputs) == 1:
            rows += _risk(job, work, variables, phase, suffix)
            continue
        for k, name in enumerate(work.outputs):
            known = np.isfinite(work.labels[:, k]) & np.isfinite(scores[:, k])
            said = _said(work, known, scores[:, k], name, suffix)
            rows += label_rows(replace(said, truth=work.labels[known, k] == 1))
    return rows


def _said(
    work: Work, known: NDArray[np.bool_], scores: NDArray[np.float64], name: str, suffix: str
) -> Said:
    patients = [stay.case.patient for stay, one in zip(work.stays, known, strict=True) if one]
    truth = work.labels[known, 0] == 1
    return Said(truth, scores[known], patients, name, work.subset + suffix)


def _risk(
    job: Progress, work: Work, variables: VariableMap, phase: str, suffix: str
) -> list[MetricRow]:
    """A part with one output: calibrated, as it was, in groups, with and without films, and
    beside classical models that were fitted on the same stays.
    """
    raw, parts = np.array(work.scores(phase))[:, 0], work.parts(phase)
    truth = work.labels[:, 0] == 1
    known = np.isfinite(work.labels[:, 0]) & np.isfinite(raw)
    calm = calmed_by_others(raw, truth, parts)
    said = _said(work, known, raw, work.outputs[0], suffix)
    if phase == "folds" and known.all():
        said = replace(said, threshold=thresholds(truth, raw, parts))
    stays = [stay for stay, one in zip(work.stays, known, strict=True) if one]
    before, after = risk_rows(said), risk_rows(replace(said, score=calm[known]))
    rows = [row for row in before if row.name not in CALIBRATED]
    rows += [row for row in after if row.name in CALIBRATED]
    rows += [replace(row, predictor=RAW) for row in before if row.name in CALIBRATED]
    rows += group_rows(said, [stay.case.site for stay in stays])
    rows += film_rows(said, stays, _variants(work, phase, known))
    tables = Tables.of(work.stays, variables)
    answers = left_out_answers(job, tables, truth, parts)
    answers = {name: score[known] for name, score in answers.items()}
    rows += beside_baselines(said, stays, answers, calm[known])
    for name, scores in rivals(work, phase).items():
        rows += rival_rows(
            said, name, scores[known], calm[known], calmed_by_others(scores, truth, parts)[known]
        )
    return rows


def rival_rows(
    said: Said,
    name: str,
    scores: NDArray[np.float64],
    calm: NDArray[np.float64],
    theirs_calm: NDArray[np.float64],
) -> list[MetricRow]:
    """Other networks on the same stays: like the model calibrated only where that counts."""
    plain = baseline_rows(said, {name: scores}, calm)
    sure = baseline_rows(replace(said, score=calm), {name: theirs_calm}, calm)
    both = zip(plain, sure, strict=True)
    return [s if p.name.removesuffix("_difference") in CALIBRATED else p for p, s in both]


def beside_baselines(
    said: Said,
    stays: list[Stay],
    answers: Mapping[str, NDArray[np.float64]],
    calm: NDArray[np.float64] | None = None,
) -> list[MetricRow]:
    """Classical models on all stays and, with films, on the first film of each patient.

    `calm` are the model's probabilities where those in `said` are not calibrated.
    """
    calm = said.score if calm is None else calm
    rows = baseline_rows(said, answers, calm)
    first = np.array([stay.case.cells.get("first", "1") == "1" for stay in stays])
    if not first.all():
        part = replace(said.only(first), group="film:first")
        some = {name: score[first] for name, score in answers.items()}
        rows += baseline_rows(part, some, calm[first])
    return rows


def _variants(work: Work, phase: str, known: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    """Scores in each variant that the tasks of a phase have."""
    tasks = [done for task, done in work.done.values() if task.phase == phase]
    names = [name for name in VARIANTS if tasks and name in tasks[0].variants]
    found = {name: work.scores(phase, name) for name in names}
    return {name: one[known, 0] for name, one in found.items() if one is not None}


def thresholds(
    truth: NDArray[np.bool_], scores: NDArray[np.float64], parts: list[NDArray[np.intp]]
) -> NDArray[np.float64]:
    """For each stay the threshold that the other folds would choose."""
    found = np.empty(len(scores))
    for held in parts:
        others = np.setdiff1d(np.arange(len(scores)), held)
        found[held] = best_threshold(truth[others], scores[others])
    return found
