"""One joined label set instead of two heads with missing labels: what MDMT is compared with.

All films teach one outcome. Those with Brixia scores only are given one: by their total, or by a
network that was trained on the outcomes that are known. Films of validation keep what is known.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from medview.domain.progress import Progress
from medview.learning.cxr_fit import Fitted, fit_method
from medview.learning.cxr_folds import Index, median_total, said_of, split_val
from medview.learning.cxr_given import Given, predict
from medview.learning.cxr_metrics import Said
from medview.learning.cxr_recipe import CxrRecipe

BY_TOTAL, TAUGHT = "unified-labels", "unified-taught"
UNIFIED = (BY_TOTAL, TAUGHT)
ALONE = "stl-prognosis"
CUTS = (5, 10, 15)
"""Brixia totals from which a film may count as SEVERE: where the classes of severity part."""
SURE = 0.8
"""A film whose taught outcome is less likely than this stays without."""


def unified_said(
    job: Progress,
    recipe: CxrRecipe,
    given: Given,
    parts: tuple[Index, Index],
    seed: int,
    known: dict[str, Fitted],
    variant: str,
) -> Said:
    """Train on the first of `parts` with one label set, and ask of the second."""
    train, test = parts
    cases = given.films.cases
    inner = split_val(cases, train, recipe.val_share, seed)
    fitted = fit_unified(job, recipe, given, inner, seed, known, variant)
    return said_of(fitted, given, test, median_total([cases[n] for n in train]))


def fit_unified(
    job: Progress,
    recipe: CxrRecipe,
    given: Given,
    parts: tuple[Index, Index],
    seed: int,
    known: dict[str, Fitted],
    variant: str,
) -> Fitted:
    """Train the single-task network of the outcome on films of both kinds (first of `parts`).

    "unified-labels" says SEVERE from a total on that is chosen by the validation films (the
    middle one without any); "unified-taught" asks the network of the known outcomes, which
    `known` holds or takes in.
    """
    alone = replace(recipe, method=ALONE)
    if variant == TAUGHT:
        teacher = fit_method(job, alone, given, parts, seed, known=known)
        return fit_method(job, alone, taught_by(teacher, given, parts[0]), parts, seed)
    fits = [
        fit_method(job, alone, by_total(given, parts[0], cut), parts, seed)
        for cut in (CUTS if len(parts[1]) else CUTS[1:2])
    ]
    return min(fits, key=_loss)


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
