"""Run any model: which function of which module answers for it. Runs in the compute child.

To add a model: write its run in a file of its own and one line in ``RUNNERS``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import cast

import torch

from medview.domain.errors import ModelInputError
from medview.domain.prediction import Prediction, RunRequest
from medview.domain.progress import Progress
from medview.io.code_version import code_version

# Model -> "module:function" that takes (job, request) and returns the Prediction.
RUNNERS: dict[str, str] = {
    "icu": "medview.learning.icu_run:run_icu",
    "anomaly": "medview.learning.anomaly_run:run_anomaly",
    "brain-age": "medview.learning.brain_age_routes:run",
    "brain-age-armed": "medview.learning.armed_age_run:run_armed_age",
}


def run(job: Progress, request: RunRequest) -> Prediction:
    """Run a model on one study; the result says which code it was made with.

    Raises
    ------
    ModelInputError
        No model of that name, or the input does not fit it.
    WeightsError
        Weights missing, damaged or foreign.
    Cancelled
        The user asked to stop.
    """
    if request.model not in RUNNERS:
        raise ModelInputError(
            f"there is no model called {request.model}",
            do=f"Choose one of: {', '.join(RUNNERS)}.",
            code="MV-MOD-002",
        )
    if request.threads:
        torch.set_num_threads(request.threads)
    module, _, function = RUNNERS[request.model].partition(":")
    work = cast(
        Callable[[Progress, RunRequest], Prediction], getattr(import_module(module), function)
    )
    return replace(work(job, request), code=code_version())
