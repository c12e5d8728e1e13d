"""One joined label set instead of two heads with missing labels: what MDMT is compared with.

Either all films teach one outcome: those with Brixia scores only are given one, by their total or
by a network that was trained on the outcomes that are known; films of validation keep what is
known. Or all teach the four classes of severity: MILD is one of the lower two, SEVERE of the upper.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from medview.domain.progress import Progress
from medview.learning.cxr_fit import fit_method, network_for
from medview.learning.cxr_folds import Fold, Index, said_of
from medview.learning.cxr_given import Given, predict
from medview.learning.cxr_metrics import Said
from medview.learning.cxr_phase import Fitted, Run, chances
from medview.learning.cxr_recipe import CxrRecipe
from medview.models.mdmt import Mdmt, class_head

BY_TOTAL, TAUGHT, SCALE = "unified-labels", "unified-taught", "unified-scale"
ZONES = "unified-scale-zones"
UNIFIED = (BY_TOTAL, TAUGHT, SCALE, ZONES)
ALONE, SEVERITY_ALONE = "stl-prognosis", "stl-severity"
CUTS = (5, 10, 15)
"""Brixia totals from which a film may count as SEVERE: where the classes of severity part."""
SURE = 0.8
"""A film whose taught outcome is less likely than this stays without."""


def unified_said(job: Progress, fold: Fold, variant: str) -> Said:
    """Train with one label set, and ask of the films left out."""
    fitted = fit_unified(job, fold.recipe, fold.given, fold.parts, fold.seed, fold.known, variant)
    return said_of(fitted, fold)


def fit_unified(
    job: Progress,
    recipe: CxrRecipe,
    given: Given,
    parts: tuple[Index, Index],
    seed: int,
    known: dict[str, Fitted],
    variant: str,
) -> Fitted:
    """Train a single-task network on films of both kinds (first of `parts`).

    "unified-labels" says SEVERE from a total on that is chosen by the validation films (the
    middle one without any); "unified-taught" asks the network of the known outcomes, which
    `known` holds or takes in; "unified-scale" has one head of four classes, and
    "unified-scale-zones" the recipe's head of zones beside it.
    """
    if variant in (SCALE, ZONES):
        return _ScaleRun(recipe, given, parts, seed, zones=variant == ZONES).to_end(job)
    alone = replace(recipe, method=ALONE)
    if variant == TAUGHT:
        teacher = fit_method(job, alone, given, parts, seed, known=known)
        return fit_method(job, alone, taught_by(teacher, given, parts[0]), parts, seed)
    fits = [
        fit_method(job, alone, by_total(given, parts[0], cut), parts, seed)
        for cut in (CUTS if len(parts[1]) else CUTS[1:2])
    ]
    return min(fits, key=_loss)


class OneScale(Mdmt):
    """A network whose classes of severity also say the outcome, with other heads or without."""

    def __init__(self, like: Mdmt) -> None:
        super().__init__(like.options, like.tail)
        self.heads["severity"] = class_head(like.options.features)

    def forward(self, pooled: Tensor) -> dict[str, Tensor]:
        """Classes (B, 4), and as logits of the outcome (B, 2) those of the lower and upper two."""
        said = super().forward(pooled)
        halves = said["severity"].view(-1, 2, 2)
        return {**said, "prognosis": halves.logsumexp(2)}


class _ScaleRun(Run):
    """The training of a network with one scale: both kinds of films are drawn alike."""

    def __init__(
        self,
        recipe: CxrRecipe,
        given: Given,
        parts: tuple[Index, Index],
        seed: int,
        *,
        zones: bool,
    ) -> None:
        torch.manual_seed(seed)
        severity = recipe.severity if zones else "global"
        alone = replace(recipe, method=SEVERITY_ALONE, severity=severity)
        model = OneScale(network_for(alone, given, SEVERITY_ALONE))
        if given.pooled is not None:
            model.settle(given.pooled[torch.from_numpy(parts[0]), 0])
        super().__init__(alone, given, parts, model, SEVERITY_ALONE, seed, None)
        self.tasks = ("prognosis", "severity")
        self._chance = {task: chances(given, self.train, task) for task in self.tasks}


def by_total(given: Given, train: Index, cut: int) -> Given:
    """Films to train on without an outcome are SEVERE from a Brixia total of `cut` on."""
    total = given.labels["zones"].sum(1)
    return _joined(given, train, (total >= cut).float(), total.isfinite())


def taught_by(teacher: Fitted, given: Given, train: Index) -> Given:
    """Films to train on without an outcome have that of which a network is sure."""
    severe = torch.full((given.n,), torch.nan)
    severe[torch.from_numpy(train)] = torch.from_numpy(
        predict(teacher.model, given, train)["severe"]
    ).float()
    return _joined(given, train, (severe >= 0.5).float(), (severe - 0.5).abs() >= SURE - 0.5)


def _joined(given: Given, train: Index, said: Tensor, sure: Tensor) -> Given:
    """The films with outcomes (n,) that are `said` where none is known and this one is `sure`."""
    known = given.labels["prognosis"]
    learnt = torch.zeros(given.n, dtype=torch.bool)
    learnt[torch.from_numpy(train)] = True
    labels = torch.where(known.isnan() & learnt & sure, said, known)
    return replace(
        given,
        labels={**given.labels, "prognosis": labels},
        turned={**given.turned, "prognosis": labels},
    )


def _loss(fitted: Fitted) -> float:
    """The outcome's loss on the validation films in the best epoch."""
    here = [
        value
        for epoch, part, name, value in fitted.history
        if (epoch, part, name) == (fitted.best_epoch, "val", "prognosis")
    ]
    return here[0] if here else float(np.inf)
