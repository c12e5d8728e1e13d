"""Measure an age model on data: predictions and figures. Never trains.

Patients that the weights have seen are left out and counted. Rows without an age are predicted
all the same; sets whose columns the model does not know are told as skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medview.domain.card import ModelCard
from medview.domain.errors import DataError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress
from medview.learning.brain_age_model import AgeAnswer, AgeModel
from medview.learning.brain_age_rows import Told, age_rows, groups_of
from medview.learning.brain_age_table import AgeTable, Columns, Matrix, aligned, kinds_of
from medview.learning.brain_age_weights import load_age_model
from medview.learning.cases import find_subsets
from medview.learning.metrics import MetricRow
from medview.learning.metrics_file import Measurement
from medview.learning.subset import LeftOut, Subset, TrainCase
from medview.learning.table_baselines import ridge_from_card
from medview.learning.unseen import Unseen, first_columns, nothing_left, unseen, with_seen

OTHER_COLUMNS = "MV-DAT-105"


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A subset with the rows that fit the model and the cases that do not."""

    whole: Unseen
    table: AgeTable
    skipped: tuple[LeftOut, ...]


def measure_ages(
    job: Progress, request: EvaluateRequest, *, may_be_none: bool = False
) -> Measurement:
    """Ask the age model about every row and compare with the ages known.

    Raises
    ------
    DataError, WeightsError
        As ``evaluate.evaluate``; with `may_be_none` rows of which none can be measured are only
        counted.
    """
    model, card = load_age_model(Path(request.weights) if request.weights else None)
    parts = [
        _part(subset, model, card, request) for subset in find_subsets(request.data, request.model)
    ]
    if not may_be_none and not any(len(part.table) for part in parts):
        skipped = [left_out for part in parts for left_out in part.skipped]
        refuse_other_columns(skipped, sum(len(part.whole.seen) for part in parts))
        raise nothing_left([part.whole for part in parts], skipped, "case")
    rows: list[MetricRow] = []
    lines: list[dict[str, object]] = []
    for number, part in enumerate(parts):
        job.check()
        job.report(number, len(parts), f"set {number + 1} / {len(parts)}")
        if len(part.table):
            answer = model.answer(part.table.values)
            lines += _lines(part, model, answer, private=request.private)
            rows += _figures(part, model, answer)
    members = {"members": len(model.ensemble.members)}
    return Measurement(card, [_data_line(part) for part in parts], rows, lines, members)


def refuse_other_columns(skipped: Sequence[LeftOut], seen: int) -> None:
    """Say why a whole set does not fit, where one does not: that is no fault of a case.

    `seen` cases are of other sets, and fit.

    Raises
    ------
    DataError
        Naming the set.
    """
    odd = next((one for one in skipped if one.code == OTHER_COLUMNS), None)
    if odd is not None:
        error = DataError(
            f"{odd.case} cannot be used: {odd.what}",
            code=OTHER_COLUMNS,
            do="Give the columns that the model was trained on.",
        )
        raise with_seen(error, seen)


def _part(subset: Subset, model: AgeModel, card: ModelCard, request: EvaluateRequest) -> _Part:
    wanted: Columns = {role: model.settings.columns[role] for role in model.ensemble.options.roles}
    whole = unseen(subset, card, request)
    kept = whole.cases
    vectors, reason = _columns_of(subset, kept, wanted)
    skipped = list(subset.skipped)
    if reason and kept:
        skipped.append(LeftOut(f"all {len(kept)} of {subset.name}", OTHER_COLUMNS, reason))
        kept, vectors = (), {role: matrix[:0] for role, matrix in vectors.items()}
    table = AgeTable(kept, wanted, vectors)
    fits = np.array([bool(kind) for kind in kinds_of(table)], dtype=np.bool_)
    skipped += [
        LeftOut(case.case, "MV-DAT-101", "it has no feature that the model takes")
        for case, able in zip(kept, fits, strict=True)
        if not able
    ]
    return _Part(whole, table.take(fits), tuple(skipped))


def _columns_of(
    subset: Subset, cases: Sequence[TrainCase], wanted: Columns
) -> tuple[dict[str, Matrix], str]:
    """Features (N, columns) in the model's order, or why the set does not fit."""
    values = {role: np.full((len(cases), len(names)), np.nan) for role, names in wanted.items()}
    reasons = []
    for role, names in wanted.items():
        if role not in subset.columns:
            reasons.append(f"it has no {role} features")
            continue
        own = subset.columns[role]
        for number, case in enumerate(cases):
            if role not in case.rows:
                continue
            row = aligned(case.rows[role], own, names)
            if isinstance(row, str):
                reasons.append(row)
                break
            values[role][number] = row
    return values, "; ".join(reasons) if len(reasons) == len(wanted) else ""


def _figures(part: _Part, model: AgeModel, answer: AgeAnswer) -> list[MetricRow]:
    """Figures of the rows with an age, beside the mean age and the kept ridge regression."""
    known = np.isfinite(part.table.age)
    table = part.table.take(known)
    if not len(table):
        return []
    settings, age = model.settings, answer.age[known]
    ages = {"model": age, "mean": np.full(len(table), settings.mean_age)}
    if settings.ridge and "smri" in table.values:
        ready = model.prepared(table.values)["smri"]
        ages["ridge"] = ridge_from_card(settings.ridge, ready, 1 - table.female)
    told = Told(
        part.whole.subset.name,
        table.patients,
        table.age,
        ages,
        answer.low[known],
        answer.high[known],
        settings.corrected(age - table.age, table.age),
        answer.female[known] if settings.knows_sex else None,
        table.female,
        groups_of(
            *(table.age, table.female, table.sites),
            [case.label for case in table.cases],
            kinds_of(table),
            [case.cells.get("part", "") for case in table.cases],
        ),
    )
    return age_rows(told)


def _lines(
    part: _Part, model: AgeModel, answer: AgeAnswer, *, private: bool
) -> list[dict[str, object]]:
    """Lines of predictions.csv, as ``medview run`` scores each case."""
    table, settings = part.table, model.settings
    gap = answer.age - table.age
    moved = settings.corrected(gap, table.age)
    half = answer.high - answer.age
    low, high = settings.ages
    lines = []
    for n, case in enumerate(table.cases):
        age = float(answer.age[n])
        inside = low <= age <= high and not (case.age_years or low) < low
        inside = inside and not (case.age_years or high) > high
        lines.append(
            {
                **first_columns(case, private=private),
                "age": age,
                "age_low": answer.low[n],
                "age_high": answer.high[n],
                "gap_raw": gap[n],
                "gap_raw_low": gap[n] - half[n],
                "gap_raw_high": gap[n] + half[n],
                "gap_corrected": moved[n],
                "gap_corrected_low": moved[n] - half[n],
                "gap_corrected_high": moved[n] + half[n],
                "sex_male": 1 - answer.female[n] if settings.knows_sex else None,
                "sex_male_low": None,
                "sex_male_high": None,
                "age_status": "ok" if inside else "extrapolating",
                "given_age": case.age_years,
                "true_age": case.age_years,
            }
        )
    return lines


def _data_line(part: _Part) -> dict[str, object]:
    return part.whole.data_line(
        part.table.cases,
        part.skipped,
        with_age=int(np.isfinite(part.table.age).sum()),
        modalities=sorted(set(kinds_of(part.table))),
    )
