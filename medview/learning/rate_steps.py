"""One step of each model's training at a wanted rate: what ``rate_finder`` sweeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.domain.training import TrainRequest
from medview.learning.cases import find_subsets
from medview.learning.devices import choose_device

Step = Callable[[float], float]


def anomaly(job: Progress, request: TrainRequest) -> Step:
    """Of the anomaly model, from given weights."""
    from medview.learning.anomaly_folds import NetworkTraining
    from medview.learning.anomaly_recipe import Recipe
    from medview.learning.normal_cases import load_normals, split

    _use(request)
    request = replace(request, device=choose_device(request.device))
    found = find_subsets(request.data, "anomaly", request.held_out)
    cases, _ = load_normals(job, [normal for s in found if (normal := s.normal_part) is not None])
    train = split(cases)["train"]
    recipe = Recipe.of(dict(request.recipe))
    training = NetworkTraining.of("", Path(request.out), recipe, request, train)
    return training.begun(resume=request.resume).try_rate


def cxr(job: Progress, request: TrainRequest) -> Step:
    """Of the last phase of the chest model."""
    from medview.learning.cxr_training import MODEL, first_run

    _use(request)
    return first_run(job, request, MODEL).try_rate


def cxr_armed(job: Progress, request: TrainRequest) -> Step:
    """Of the last phase of the chest model, with effects of sites."""
    from medview.learning.cxr_training import ARMED_MODEL, first_run

    _use(request)
    return first_run(job, request, ARMED_MODEL).try_rate


def brain_age(job: Progress, request: TrainRequest) -> Step:
    """Of all members at once."""
    from medview.learning.brain_age_training import first_trainer

    torch.set_num_threads(1)
    return first_trainer(request).try_rate


def armed_age(job: Progress, request: TrainRequest) -> Step:
    """Of the networks with site effects, all at once."""
    from medview.learning.armed_age_training import first_trainer

    torch.set_num_threads(1)
    return first_trainer(request).try_rate


def icu(job: Progress, request: TrainRequest) -> Step:
    """Of the first network of the first part."""
    from medview.learning.icu_recipe import IcuRecipe
    from medview.learning.icu_tuning import first_fit

    _use(request)
    return first_fit(job, request, IcuRecipe).try_rate


def armed_icu(job: Progress, request: TrainRequest) -> Step:
    """Of the first network with effects of sites."""
    from medview.learning.icu_recipe import ArmedRecipe
    from medview.learning.icu_tuning import first_fit

    _use(request)
    return first_fit(job, request, ArmedRecipe).try_rate


def _use(request: TrainRequest) -> None:
    if not request.init:
        raise DataError("there are no weights to start from", do="Name a version.")
    if request.threads:
        torch.set_num_threads(request.threads)
