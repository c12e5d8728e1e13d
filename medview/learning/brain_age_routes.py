"""Two ways to a brain age: feature files to the M-AVAE, T1 volumes to regions and a ridge."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from medview.domain.evaluation import EvaluateRequest
from medview.domain.prediction import Prediction, RunRequest
from medview.domain.progress import Progress
from medview.io.plain import plain
from medview.learning.brain_age_evaluate import SCHEMA, evaluate_brain_age
from medview.learning.brain_age_run import run_brain_age
from medview.learning.brain_age_t1 import MODEL, ROLE, run_t1
from medview.learning.brain_age_t1_evaluate import Answered, evaluate_t1, t1_subsets
from medview.learning.cases import find_subsets


def run(job: Progress, request: RunRequest) -> Prediction:
    """Run on feature files where there are any, else on the T1 volume.

    Raises
    ------
    ModelInputError
        The input does not fit.
    WeightsError
        Weights missing, damaged or foreign.
    """
    if ROLE in request.volumes and not request.tables:
        return run_t1(job, request)
    return run_brain_age(job, request)


def evaluate(job: Progress, request: EvaluateRequest) -> dict[str, Any]:
    """Measure both routes on what each can use; cases of a list with a T1 and no features go
    the image route.

    Raises
    ------
    DataError
        Unusable data, or nothing left that the weights have not seen.
    WeightsError
        Unusable weights.
    """
    images = t1_subsets(request.data)
    if not images:
        return evaluate_brain_age(job, request)
    answered = evaluate_t1(job, request, images)
    body = answered.body
    if any(subset.cases for subset in find_subsets(request.data, MODEL)):
        body = _together(evaluate_brain_age(job, request), answered)
    _write(Path(request.out), body, answered.lines)
    whole: dict[str, Any] = plain(body)
    return whole


def _together(tables: Mapping[str, Any], images: Answered) -> dict[str, Any]:
    """Both bodies in one; the head of it is that of the feature route."""
    taken = {line["case"] for line in images.lines}
    data = [
        {**part, "skipped": [one for one in part["skipped"] if one["case"] not in taken]}
        for part in tables["data"]
    ]
    return {
        **tables,
        "image_weights_sha256": images.body["weights_sha256"],
        "data": [part for part in data if part["cases"] or part["skipped"]] + images.body["data"],
        "metrics": [*tables["metrics"], *images.body["metrics"]],
    }


def _write(out: Path, body: Mapping[str, object], lines: Sequence[Mapping[str, object]]) -> None:
    """metrics.json, and predictions.csv with the lines of the other route that are there."""
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain({"schema": SCHEMA, **body}), indent=1, ensure_ascii=False)
    (out / "metrics.json").write_text(text + "\n", encoding="utf-8")
    path = out / "predictions.csv"
    there: list[dict[str, object]] = []
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            there = [dict(row) for row in csv.DictReader(file)]
    whole = [*there, *(dict(line) for line in lines)]
    columns = list(dict.fromkeys(name for line in whole for name in line))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(plain(line) for line in whole)
