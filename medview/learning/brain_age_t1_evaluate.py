"""Measure the image route of brain age on case lists with T1 volumes. Never trains."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from medview.domain.errors import DataError, InputRefused
from medview.domain.evaluation import EvaluateRequest
from medview.domain.prediction import Score
from medview.domain.progress import Progress
from medview.learning.brain_age_t1 import MODEL, ROLE, refuse_part, scores_of
from medview.learning.case_list import is_case_list, load_case_list
from medview.learning.images import read_image
from medview.learning.metrics import MetricRow
from medview.learning.region_measure import Ages, age_rows
from medview.learning.regions import RegionModel, find_regions, load_region_model
from medview.learning.subset import LeftOut, Subset, TrainCase
from medview.learning.weights import patient_hash

_ROLES = ("smri", "fmri", ROLE)


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """The body of ``medview.metrics/1`` and the lines of predictions.csv."""

    body: dict[str, Any]
    lines: list[dict[str, object]]


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


def evaluate_t1(job: Progress, request: EvaluateRequest, subsets: Sequence[Subset]) -> Answered:
    """Find the age of every case and compare it with the one that the list knows.

    Raises
    ------
    DataError
        If no case is left that the weights have not seen and that can be read.
    WeightsError
        Unusable weights.
    """
    began = time.perf_counter()
    # Weights named on the command line are those of the feature route.
    model = load_region_model()
    data, rows = [], list[MetricRow]()
    lines = list[dict[str, object]]()
    for subset in subsets:
        part = kept_cases(subset, model, request)
        told, skipped = _predicted(job, model, part, request)
        lines += told
        rows += age_figures(subset.name, part, told, model)
        data.append(data_line(subset, part, told, skipped))
    if not lines:
        raise DataError(
            "no T1 volume is left to measure: all were trained on or cannot be used",
            code="MV-DAT-140",
            do="Give other data, or add --include-seen (the figures then say nothing of new "
            "patients).",
        )
    body = {
        "model": MODEL,
        "version": model.card.version,
        "weights_sha256": model.card.weights_sha256,
        "device": "cpu",
        "dtype": "float32",
        "seed": request.seed,
        "parameters": {"route": ROLE},
        "seconds": round(time.perf_counter() - began, 1),
        "data": data,
        "metrics": [{**row.as_dict(), "task": MODEL} for row in rows],
    }
    return Answered(body, lines)


def kept_cases(
    subset: Subset, model: RegionModel, request: EvaluateRequest
) -> tuple[TrainCase, ...]:
    """The cases to measure: of the part asked for, and not seen by the weights."""
    known = set(model.card.seen_patients)
    return tuple(
        case
        for case in subset.cases
        if (request.split == "all" or case.split in ("", "test"))
        and (request.include_seen or patient_hash(case.patient) not in known)
    )


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
        lines.append(line_of(case, scores, private=request.private))
    return lines, skipped


def line_of(case: TrainCase, scores: Sequence[Score], *, private: bool) -> dict[str, object]:
    """A line of predictions.csv, as ``medview run`` scores the case."""
    line: dict[str, object] = {
        "case": case.case,
        "patient": patient_hash(case.patient) if private else case.patient,
        "site": case.site,
        "subset": case.subset,
    }
    for score in scores:
        line |= {score.name: score.value, f"{score.name}_low": score.low}
        line[f"{score.name}_high"] = score.high
    age = next(score for score in scores if score.name == "age")
    told = {"age_status": age.status, "given_age": case.age_years}
    return line | told | {"true_age": case.age_years}


def age_figures(
    subset: str,
    cases: Sequence[TrainCase],
    lines: Sequence[dict[str, Any]],
    model: RegionModel,
) -> list[MetricRow]:
    """Figures of the ages in the lines of a subset, beside those of the mean age; none without."""
    patients = {case.case: case.patient for case in cases}
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
    subset: Subset,
    kept: Sequence[TrainCase],
    lines: Sequence[dict[str, Any]],
    skipped: Sequence[LeftOut],
) -> dict[str, object]:
    """What ``medview.metrics/1`` says of a subset."""
    done = {line["case"] for line in lines}
    cases = [case for case in kept if case.case in done]
    other = [case for case in subset.cases if case.split in ("train", "val")]
    return {
        "subset": subset.name,
        "layout": subset.layout,
        "cases": len(cases),
        "patients": len({case.patient for case in cases}),
        "sites": len({case.site for case in cases if case.site}),
        "seen_in_training": max(0, len(subset.cases) - len(kept) - len(other)),
        "with_age": sum(case.age_years is not None for case in cases),
        "modalities": [ROLE],
        "licence": subset.licence,
        "skipped": [{"case": one.case, "code": one.code, "what": one.what} for one in skipped],
    }
