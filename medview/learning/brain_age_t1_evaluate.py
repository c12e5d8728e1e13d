"""Measure the image route of brain age on T1 volumes, of sets and of lists. Never trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from medview.domain.errors import InputRefused
from medview.domain.evaluation import EvaluateRequest
from medview.domain.prediction import Score
from medview.domain.progress import Progress
from medview.learning.brain_age_t1 import MODEL, ROLE, refuse_part, scores_of
from medview.learning.case_list import is_case_list, load_case_list
from medview.learning.images import read_image
from medview.learning.metrics import MetricRow
from medview.learning.metrics_file import Measurement
from medview.learning.region_people import Ages, age_rows
from medview.learning.regions import RegionModel, find_regions, load_region_model
from medview.learning.subset import LeftOut, Subset, TrainCase
from medview.learning.unseen import Unseen, first_columns, nothing_left, unseen

_ROLES = ("smri", "fmri", ROLE)


def t1_subsets(specs: Sequence[str]) -> list[Subset]:
    """The cases of case lists that have a T1 volume and no features, by list."""
    found = []
    for spec in specs:
        path = Path(spec.removeprefix("cases="))
        if not path.exists() or not is_case_list(path):
            continue
        listed = load_case_list(path, _ROLES)
        cases = tuple(
            replace(case, subset=listed.name) for case in listed.cases if case.role == ROLE
        )
        if cases:
            found.append(replace(listed, cases=cases, skipped=()))
    return found


def measure_t1(
    job: Progress,
    request: EvaluateRequest,
    subsets: Sequence[Subset],
    *,
    may_be_none: bool = False,
) -> Measurement:
    """Find the age of every case and compare it with the one that is known.

    Raises
    ------
    DataError
        If no case is left that the weights have not seen and that can be read, unless there
        `may_be_none`.
    WeightsError
        Unusable weights.
    """
    # Weights named on the command line are those of the feature route.
    model = load_region_model()
    data, rows = [], list[MetricRow]()
    lines = list[dict[str, object]]()
    parts = [unseen(subset, model.card, request) for subset in subsets]
    gone = list[LeftOut]()
    for part in parts:
        told, skipped = _predicted(job, model, part.cases, request)
        lines += told
        gone += skipped
        rows += [replace(row, task=MODEL) for row in age_figures(part, told, model)]
        data.append(data_line(part, told, skipped))
    if not lines and not may_be_none:
        raise nothing_left(parts, gone, "T1 volume")
    return Measurement(model.card, data, rows, lines, {"route": ROLE})


def _predicted(
    job: Progress, model: RegionModel, cases: Sequence[TrainCase], request: EvaluateRequest
) -> tuple[list[dict[str, object]], list[LeftOut]]:
    lines, skipped = [], []
    for number, case in enumerate(cases):
        job.check()
        job.report(number, len(cases), f"case {number + 1} / {len(cases)}")
        try:
            volume = read_image(case.images[ROLE])
            refuse_part(volume)
            scores = scores_of(model, find_regions(volume, model.network), case.age_years)
        except InputRefused as error:
            skipped.append(LeftOut(case.case, error.code, error.what))
            continue
        lines.append(line_of(case, scores, private=request.private) | {"route": ROLE})
    return lines, skipped


def line_of(case: TrainCase, scores: Sequence[Score], *, private: bool) -> dict[str, object]:
    """A line of predictions.csv, as ``medview run`` scores the case."""
    line = first_columns(case, private=private)
    for score in scores:
        line |= {score.name: score.value, f"{score.name}_low": score.low}
        line[f"{score.name}_high"] = score.high
    age = next(score for score in scores if score.name == "age")
    told = {"age_status": age.status, "given_age": case.age_years}
    return line | told | {"true_age": case.age_years}


def age_figures(
    part: Unseen, lines: Sequence[dict[str, Any]], model: RegionModel
) -> list[MetricRow]:
    """Figures of the ages in the lines of a subset, beside those of the mean age; none without."""
    subset = part.subset.name
    patients = {case.case: case.patient for case in part.cases}
    known = [line for line in lines if line["given_age"] is not None and line["age"] is not None]
    if not known or model.age is None:
        return []
    names = tuple(patients[line["case"]] for line in known)
    age, found, low, high = (
        np.array([line[name] for line in known], dtype=np.float64)
        for name in ("given_age", "age", "age_low", "age_high")
    )
    mean = np.full(len(age), model.age.offset)
    return [
        *age_rows(Ages(names, age, found, (high - low) / 2), subset, "model"),
        *age_rows(Ages(names, age, mean, np.full(len(age), np.nan)), subset, "mean"),
    ]


def data_line(
    part: Unseen, lines: Sequence[dict[str, Any]], skipped: Sequence[LeftOut]
) -> dict[str, object]:
    """What ``medview.metrics/1`` says of a subset."""
    done = {line["case"] for line in lines}
    cases = [case for case in part.cases if case.case in done]
    aged = sum(case.age_years is not None for case in cases)
    return part.data_line(cases, skipped, with_age=aged, modalities=[ROLE])
