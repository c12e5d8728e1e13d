"""Two ways to a brain age: feature files to the M-AVAE, T1 volumes to regions and a ridge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medview.domain.evaluation import EvaluateRequest
from medview.domain.prediction import Prediction, RunRequest
from medview.domain.progress import Progress
from medview.learning.brain_age_evaluate import evaluate_brain_age, measured_ages
from medview.learning.brain_age_run import run_brain_age
from medview.learning.brain_age_t1 import MODEL, ROLE, run_t1
from medview.learning.brain_age_t1_evaluate import evaluate_t1, t1_subsets
from medview.learning.cases import find_subsets
from medview.learning.metrics_file import Answered, write_metrics


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
    found = evaluate_t1(job, request, images)
    if any(subset.cases for subset in find_subsets(request.data, MODEL)):
        found = _together(measured_ages(job, request), found)
    return write_metrics(Path(request.out), found.body, found.lines)


def _together(tables: Answered, images: Answered) -> Answered:
    """Both answers in one; its head is that of the feature route."""
    taken = {line["case"] for line in images.lines}
    data = [
        {**part, "skipped": [one for one in part["skipped"] if one["case"] not in taken]}
        for part in tables.body["data"]
    ]
    body = {
        **tables.body,
        "image_weights_sha256": images.body["weights_sha256"],
        "data": [part for part in data if part["cases"] or part["skipped"]] + images.body["data"],
        "metrics": [*tables.body["metrics"], *images.body["metrics"]],
    }
    return Answered(body, [*tables.lines, *images.lines])
