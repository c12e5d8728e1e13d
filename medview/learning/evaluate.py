"""Measure any model's weights on data. Never trains.

To add a model: write its measurement in a file of its own and one line in ``EVALUATORS``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

import torch

from medview.domain.errors import UsageError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress
from medview.learning.devices import choose_device

# Model -> "module:function" that takes (job, request) and returns the body of medview.metrics/1.
EVALUATORS: dict[str, str] = {
    "cxr": "medview.learning.cxr_evaluate:evaluate_cxr",
    "cxr-armed": "medview.learning.cxr_evaluate:evaluate_cxr",
    "icu": "medview.learning.icu_evaluate:evaluate_icu",
    "icu-armed": "medview.learning.icu_evaluate:evaluate_icu",
    "anomaly": "medview.learning.anomaly_evaluate:evaluate_anomaly",
    "brain-age": "medview.learning.brain_age_routes:evaluate",
    "brain-age-armed": "medview.learning.armed_age_evaluate:evaluate_armed_age",
    "region-net": "medview.learning.region_evaluate:evaluate_regions",
}


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
    choose_device(request.device)
    if request.threads:
        torch.set_num_threads(request.threads)
    module, _, function = EVALUATORS[request.model].partition(":")
    work = cast(
        Callable[[Progress, EvaluateRequest], dict[str, Any]],
        getattr(import_module(module), function),
    )
    return work(job, request)
