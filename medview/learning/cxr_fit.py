"""Training MDMT: which network begins where, and what is trained before what."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.domain.training import Method
from medview.learning.cxr_given import Given
from medview.learning.cxr_phase import Fitted, Run, chances, shrinks
from medview.learning.cxr_recipe import ALL, CxrRecipe
from medview.learning.finetune_method import restrict
from medview.learning.ranks import ALONE, Ranks
from medview.models.mdmt import (
    Mdmt,
    MdmtOptions,
    beta_average,
    take_fitting,
)


def network_for(recipe: CxrRecipe, given: Given, phase: str) -> Mdmt:
    """An untrained network for a phase: a single-task one, or the one with both heads."""
    options = MdmtOptions(
        given.backbone.features,
        prognosis=phase != "stl-severity",
        severity="none" if phase in ("stl-prognosis", "ft") else recipe.severity,  # type: ignore[arg-type]  # checked by the recipe
        single=phase in ("stl-prognosis", "ft"),
        adapter=recipe.adapter,
        outcome=recipe.outcome,  # type: ignore[arg-type]  # checked by the recipe
    )
    tail = None
    if given.frozen != ALL:
        tail = nn.Sequential(*copy.deepcopy(list(given.backbone.stages)[given.frozen :]))
    return Mdmt(options, tail)


PHASES = {
    "stl-prognosis": ("stl-prognosis",),
    "stl-severity": ("stl-severity",),
    "ft": ("stl-severity", "ft"),
    "mdmt": ("stl-prognosis", "stl-severity", "mdmt"),
}
"""What is trained before what; the last one is the result."""


def taught(recipe: CxrRecipe, given: Given, train: NDArray[np.intp]) -> CxrRecipe:
    """The recipe, of one task alone where no film to train on has a label of the other.

    A head that nothing teaches would answer all the same.

    Raises
    ------
    DataError
        No film has a label that the method needs.
    """
    outcome = chances(given, train, "prognosis").sum() > 0
    others = [task for task in given.labels if task != "prognosis"]
    severity = any(chances(given, train, task).sum() > 0 for task in others)
    if outcome and severity:
        return recipe
    alone = "stl-prognosis" if outcome else "stl-severity"
    fitting = (alone, "mdmt", "ft") if outcome else (alone, "mdmt")
    if not (outcome or severity) or recipe.method not in fitting:
        raise DataError(
            f"no film to train on has {'a Brixia score' if outcome else 'an outcome'}, which the "
            f"method {recipe.method} needs",
            do="Give films with such labels, or another method.",
            code="MV-DAT-156",
        )
    return replace(recipe, method=alone)


def fit_method(
    job: Progress,
    recipe: CxrRecipe,
    given: Given,
    parts: tuple[NDArray[np.intp], NDArray[np.intp]],
    seed: int,
    *,
    folder: Path | None = None,
    resume: bool = False,
    until: float = float("inf"),
    init: Mapping[str, Tensor] | None = None,
    known: dict[str, Fitted] | None = None,
    after: Callable[[int, Mdmt], None] | None = None,
    learns: Method = "full",
    ranks: Ranks = ALONE,
    last: Callable[..., Run] | None = None,
) -> Fitted:
    """Train the phases of a method on the training films (first of `parts`).

    From first weights (`init`) only the last phase is trained, and of it what `learns` says.

    `folder` is where checkpoint/ is kept. At `until` (of ``time.perf_counter``) training stops
    and goes on with what there is. `known` holds phases that are already trained on the
    same films with the same seed, and takes in those that are trained here. `after` is told of
    each epoch of the last phase, which is a ``Run`` or what `last` makes of the same words (then
    it is not kept in `known`). Of several processes (`ranks`) only the first one writes.
    Where films have labels of one task only, only that one is trained (``taught``).
    """
    # From first weights the best epoch is looked for at once: a warm-up as long as all epochs
    # would keep the last one, whatever became of the patients held out.
    recipe = replace(recipe, warmup=0) if init is not None else taught(recipe, given, parts[0])
    done = known if known is not None else {}
    *before, final = PHASES[recipe.method]
    for phase in before if init is None else ():
        if phase not in done:
            model = begun(recipe, given, parts[0], phase, done, seed)
            run = Run(recipe, given, parts, model, phase, seed, folder, ranks, learns)
            done[phase] = _ended(run, job, until, resume=resume)
    if last is None and final in done:
        return done[final]
    model = begun(recipe, given, parts[0], final, done, seed, init, learns)
    run = (last or Run)(recipe, given, parts, model, final, seed, folder, ranks, learns)
    fitted = _ended(run, job, until, after, resume=resume)
    if last is None:
        done[final] = fitted
    return fitted


def _ended(
    run: Run,
    job: Progress,
    until: float,
    after: Callable[[int, Mdmt], None] | None = None,
    *,
    resume: bool,
) -> Fitted:
    if resume:
        run.resume()
    return run.to_end(job, until, after)


def _let_outcome_learn(model: Mdmt) -> None:
    """A linear head of the outcome is thinner than an adapter, and before it nothing learns."""
    for name, value in model.named_parameters():
        if shrinks(name):
            value.requires_grad = True


def begun(
    recipe: CxrRecipe,
    given: Given,
    train: NDArray[np.intp],
    phase: str,
    done: Mapping[str, Fitted],
    seed: int,
    init: Mapping[str, Tensor] | None = None,
    learns: Method = "full",
) -> Mdmt:
    """The network of a phase before its first step, with only that learning which shall.

    Its first weights are random, or from the single-task nets, or those given.
    """
    torch.manual_seed(seed)
    model = network_for(recipe, given, phase)
    if given.pooled is not None:
        model.settle(given.pooled[torch.from_numpy(train), 0])
    if phase == "ft" and "stl-severity" in done:
        take_fitting(model, done["stl-severity"].model.state_dict(), ("heads.",))
    if phase == "mdmt" and "stl-prognosis" in done:
        ours = done["stl-prognosis"].model.state_dict()
        theirs = done["stl-severity"].model.state_dict()
        take_fitting(model, beta_average(ours, theirs, recipe.beta))
    if init is not None:
        take_fitting(model, init)
        if learns == "site-effects":  # these lie round the network
            model.requires_grad_(requires_grad=False)
        else:
            restrict(model, learns, ("heads.",), seed=seed)
            if learns == "adapter" and recipe.outcome == "linear":
                _let_outcome_learn(model)
    return model
