"""Measure any model's weights on data. Never trains.

To add a model: write its measurement in a file of its own and one line in ``EVALUATORS``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import torch

from medview.domain.errors import UsageError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress
from medview.learning.devices import choose_device
from medview.learning.metrics_file import Measurement, write_metrics

# Model -> "module:function" that takes (job, request) and returns a `Measurement`. Beside the two
# files that every model leaves it may write its own into `request.out`.
EVALUATORS: dict[str, str] = {
    "cxr": "medview.learning.cxr_evaluate:measure_cxr",
    "cxr-armed": "medview.learning.cxr_evaluate:measure_cxr",
    "icu": "medview.learning.icu_evaluate:measure_icu",
    "icu-armed": "medview.learning.icu_evaluate:measure_icu",
    "anomaly": "medview.learning.anomaly_evaluate:measure_anomaly",
    "brain-age": "medview.learning.brain_age_routes:measure",
    "brain-age-armed": "medview.learning.armed_age_evaluate:measure_armed_age",
    "region-net": "medview.learning.region_evaluate:measure_regions",
}

_NO_TRUTH = (
    "no case has a label that this model is measured by, so there are no figures; the predictions "
    "are written. Check how the columns with the labels are called."
)


def evaluate(job: Progress, request: EvaluateRequest) -> dict[str, Any]:
    """Measure a model and write metrics.json and predictions.csv into `request.out`.

    Returns
    -------
    dict
        The body of ``medview.metrics/1``, without its schema.

    Raises
    ------
    UsageError
        A model that cannot be evaluated, or an unknown layout.
    ModelInputError
        There is no such GPU.
    DataError
        Unusable data, or nothing left that the weights have not seen.
    WeightsError
        Unusable weights.
    """
    if request.model not in EVALUATORS:
        raise UsageError(
            f"{request.model} cannot be evaluated", do=f"Choose one of: {', '.join(EVALUATORS)}."
        )
    began = time.perf_counter()
    choose_device(request.device)
    if request.threads:
        torch.set_num_threads(request.threads)
    module, _, function = EVALUATORS[request.model].partition(":")
    measure = cast(
        Callable[[Progress, EvaluateRequest], Measurement],
        getattr(import_module(module), function),
    )
    found = measure(job, request)
    body = found.body(request, time.perf_counter() - began)
    if not found.rows:
        body["notes"] = [*cast(Sequence[str], body.get("notes", ())), _NO_TRUTH]
    return write_metrics(Path(request.out), body, found.lines)
