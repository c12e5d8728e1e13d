"""Train brain age with site effects: folds, sites left out, refit, card. In the train child."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medview.domain.errors import DataError, UsageError
from medview.domain.progress import Progress
from medview.domain.training import TrainRequest
from medview.learning.armed_age_card import ArmedAge, Outcome, load_armed_age, make_card
from medview.learning.armed_age_ensemble import Ensemble
from medview.learning.armed_age_measure import (
    age_rows,
    conformal,
    coverage_rows,
    differences,
    effect_share,
    fold_rows,
    left_out,
    site_effects,
    write_effects,
)
from medview.learning.armed_age_recipe import LEARNS, MODEL, AgeRecipe
from medview.learning.armed_age_table import AgeTable, plans_for, table_of
from medview.learning.armed_age_trainer import AgeTrainer
from medview.learning.armed_age_unseen import unseen_ways
from medview.learning.begun_with import begin
from medview.learning.cases import find_subsets
from medview.learning.checkpoint import CHECKPOINT
from medview.learning.course import Course, end_after, epochs_of
from medview.learning.finetune_method import refuse_other
from medview.learning.metrics import MetricRow
from medview.learning.ranks import refuse_several
from medview.learning.site_effects import SEEN, UNSEEN
from medview.learning.splits_file import SPLITS, write_splits
from medview.learning.subset import Subset
from medview.learning.too_alike import refuse_one_age
from medview.learning.weights import save


def fit(job: Progress, request: TrainRequest) -> dict[str, Any]:
    """Train every fold and the refit at once, measure on rows left out, write weights and card.

    Returns
    -------
    dict
        The body of ``medview.train/1``.

    Raises
    ------
    DataError
        Unusable data or recipe.
    """
    refuse_several(MODEL, "its networks are small and learn in one pass")
    # One thread for all: products of so many small matrices only wait for each other.
    course = Course.start(job, replace(request, threads=1))
    start = load_armed_age(Path(request.init))[2] if request.init else None
    recipe, subsets, table, told = _given(request, start)
    out = course.made_folder()
    begin(request, subsets)
    # The refit learns from every row.
    write_splits(out / SPLITS, ((c, "train") for c in table.cases), private=request.private)
    plans = plans_for(table, recipe, start.scale if start else None)
    trainer = AgeTrainer(recipe, table, plans, request.seed, out, request.method)
    if start:
        trainer.begin_with(start.ensemble)
    if request.resume and (out / CHECKPOINT).is_file():
        trainer.resume(out)
    _train(job, trainer, request.max_minutes)
    figures = {name: value for epoch, _, name, value in trainer.history if epoch == trainer.epoch}
    job.report(recipe.epochs, recipe.epochs, "measuring")
    outcome, ensemble = _outcome(trainer, told, request.seed)
    write_effects(out / "site_effects.csv", outcome.effects)
    card = save(ensemble, make_card(subsets, outcome), out, half=False)
    return course.answer(
        epochs=trainer.epoch,
        best_epoch=trainer.epoch,
        stopped=trainer.stopped,
        n={"train": len(set(table.patients)), "val": 0},
        weights_sha256=card.weights_sha256,
        health=health_words(figures, table, effect_share(ensemble, outcome.scale, table)),
    )


def first_trainer(request: TrainRequest) -> AgeTrainer:
    """The trainer before its first step; nothing is kept on disk.

    Raises
    ------
    DataError
        Unusable data or recipe.
    """
    start = load_armed_age(Path(request.init))[2] if request.init else None
    recipe, _, table, _ = _given(request, start)
    plans = plans_for(table, recipe, start.scale if start else None)
    trainer = AgeTrainer(recipe, table, plans, request.seed, None, request.method)
    if start:
        trainer.begin_with(start.ensemble)
    return trainer


def _given(
    request: TrainRequest, start: ArmedAge | None
) -> tuple[AgeRecipe, Sequence[Subset], AgeTable, list[str]]:
    """Recipe, sets, table and what is told of it."""
    recipe = _recipe(request, start)
    subsets = find_subsets(request.data, MODEL, request.held_out)
    table, told = table_of(subsets, start.sites if start else ())
    _refuse_other_measures(table, start, request)
    refuse_one_age(table.age)
    return recipe, subsets, table, told


def _recipe(request: TrainRequest, start: ArmedAge | None) -> AgeRecipe:
    """The recipe asked for; the network's shape is that of the weights to start from.

    Raises
    ------
    UsageError
        A part of a network is to learn, but there are no weights to start from.
    """
    refuse_other(MODEL, request.method, tuple(LEARNS))
    recipe = AgeRecipe.of(request.recipe)
    if start is None and request.method != "full":
        raise UsageError(
            f"the method {request.method} needs weights to start from",
            do="Give such weights, or choose the method full.",
        )
    if start is None:
        return recipe
    was = start.recipe
    return replace(recipe, members=was.members, width=was.width, width_2=was.width_2)


def _refuse_other_measures(table: AgeTable, start: ArmedAge | None, request: TrainRequest) -> None:
    if start is not None and start.names != table.names:
        raise DataError(
            f"the rows have {len(table.names)} measures, the weights to start from "
            f"{len(start.names)}, or others",
            file=Path(str(request.init)).name,
            code="MV-DAT-105",
            do="Give rows with the same measures, or train from the beginning.",
        )


def _train(job: Progress, trainer: AgeTrainer, max_minutes: float | None) -> None:
    until = end_after(max_minutes)
    for _ in epochs_of(job, trainer, lambda: time.perf_counter() > until):
        pass  # the trainer keeps what is to be kept of an epoch
    if trainer.stopped == "time":
        trainer.keep()


def _outcome(trainer: AgeTrainer, told: list[str], seed: int) -> tuple[Outcome, Ensemble]:
    """Everything that is measured, and the refit."""
    table, final = trainer.table, len(trainer.plans) - 1
    ensemble, scale = trainer.members(final), trainer.plans[final].scale
    seen, unseen = left_out(trainer, "seen"), left_out(trainer, "unseen")
    subset = ", ".join(dict.fromkeys(case.subset for case in table.cases))
    rows: list[MetricRow] = []
    apart: list[dict[str, Any]] = []
    for found, group in ((seen, SEEN), (unseen, UNSEEN)):
        if found is not None:
            rows += fold_rows(table, found, subset, group)
            rows += coverage_rows(table, found, subset, group)
            apart += differences(table, found, group)
    rows += _ways_rows(trainer, subset) if unseen is not None else ()
    effects = site_effects(table, ensemble, scale, seed)
    settled = conformal(table, seen, unseen)
    return Outcome(table, scale, trainer.recipe, settled, effects, rows, apart, told), ensemble


def _ways_rows(trainer: AgeTrainer, subset: str) -> Iterator[MetricRow]:
    """Errors at sites left out with a guessed or averaged effect, instead of none."""
    table = trainer.table
    ways, right = unseen_ways(trainer)
    for mode, said in ways.items():
        if mode != "zero":  # that is the model itself
            yield from age_rows(
                *(f"z_{mode}", table.age, said, table.patients),
                subset=subset,
                group=UNSEEN,
                brief=True,
            )
    people = len(set(table.patients))
    yield MetricRow(
        *("z_predictor", "case", "accuracy", subset, right, table.age.size, people),
        group=SEEN,
        task="site",
        ci="",
    )


def health_words(
    figures: Mapping[str, float], table: AgeTable, share: float
) -> list[dict[str, object]]:
    """Health of a training: is the age learned, does the adversary stand, have sites an effect."""
    loss = figures.get("main", math.nan)
    most = max((table.site == k).mean() for k in range(len(table.sites)))
    accuracy = figures.get("adversary_accuracy")
    return [
        {
            "name": "loss",
            "value": loss if math.isfinite(loss) else None,
            "ok": math.isfinite(loss),
            "text": "the loss is not finite",
        },
        {
            "name": "adversary_accuracy",
            "value": accuracy,
            "ok": accuracy is not None,
            "text": f"share of rows whose site is told from the activations; {most:.2f} by chance",
        },
        {
            "name": "site_effect_share",
            "value": share,
            "ok": share > 1e-4,
            "text": "the effects of the sites have collapsed",
        },
    ]
