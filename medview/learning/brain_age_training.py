"""Train the age model: data, folds, refit, calibration and card. Runs in the train child."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from medview.domain.card import Figure
from medview.domain.progress import Progress
from medview.domain.training import FOLLOWS, TrainRequest
from medview.learning.begun_with import begin
from medview.learning.brain_age_card import make_card
from medview.learning.brain_age_fit import HEADS, Fitted, Start, fit_age_model, prepared, usable
from medview.learning.brain_age_folds import (
    Split,
    answer_fold,
    fit_fold,
    splits_by_site,
    splits_of,
    told_of,
)
from medview.learning.brain_age_recipe import AgeRecipe
from medview.learning.brain_age_rows import age_rows
from medview.learning.brain_age_table import AgeTable, table_of
from medview.learning.brain_age_weights import load_age_model
from medview.learning.card_parts import figure_of
from medview.learning.cases import find_subsets
from medview.learning.checkpoint import write_history
from medview.learning.course import Course
from medview.learning.feature_rows import refuse_few
from medview.learning.finetune_method import refuse_other
from medview.learning.mavae_health import health_words
from medview.learning.mavae_trainer import MavaeTrainer
from medview.learning.metrics import MetricRow
from medview.learning.patients import patient_hash
from medview.learning.preview import Previews
from medview.learning.ranks import Ranks
from medview.learning.splits_file import SPLITS, write_splits
from medview.learning.too_alike import refuse_one_age
from medview.learning.weights import save

MODEL = "brain-age"
TOLD = ("rows", "target", "modalities", "strata", "sites")
"""Settings that a card's command names where they are not the recipe's."""


def fit(job: Progress, request: TrainRequest) -> dict[str, Any]:
    """Train, cross-validate if the recipe has folds, write weights, card, history and splits.

    Returns
    -------
    dict
        The body of ``medview.train/1``; of several processes only the first one's.

    Raises
    ------
    DataError
        Unusable data or recipe; a patient in two parts.
    """
    course = Course.start(job, request, threads=1)
    recipe = AgeRecipe.of(dict(request.recipe))
    subsets = find_subsets(request.data, MODEL)
    whole = usable(table_of(subsets), recipe)
    table, val = _parts(whole, request.held_out)
    skipped = [one for subset in subsets for one in subset.skipped]
    refuse_few(len(table), skipped)
    refuse_one_age(table.age)
    out = course.made_folder()
    parts = zip(("train", "val"), (table, val), strict=True)
    every = ((case, part) for part, those in parts for case in those.cases)
    leads = Ranks.here().leads
    begin(request, subsets, leads=leads)
    if leads:
        write_splits(out / SPLITS, every, private=request.private)
    figures = cross_validated(job, table, recipe, request, out) if recipe.folds > 1 else ()
    fitted = fit_age_model(
        *(job, table, recipe),
        seed=request.seed,
        folder=out,
        resume=request.resume,
        max_minutes=_share(request, recipe),
        start=_start(request),
        previews=Previews.of(request),
    )
    trainer = fitted.trainer
    if not trainer.ranks.leads:
        return {FOLLOWS: True}
    write_history(out / "history.csv", trainer.history)
    card = make_card(subsets, table, recipe, fitted, figures)
    # Whole numbers of columns and volumes in mm3 do not fit into half precision.
    kept = save(fitted.model.ensemble, card, out, half=False)
    return course.answer(
        epochs=trainer.epoch,
        best_epoch=trainer.best_epoch,
        stopped=trainer.stopped,
        n={"train": len(set(table.patients)), "val": len(set(val.patients))},
        weights_sha256=kept.weights_sha256,
        health=[*_health(fitted), *_errors(fitted, table, val)],
        skipped=skipped,
    )


def first_trainer(request: TrainRequest) -> MavaeTrainer:
    """The members before their first step; nothing is kept on disk.

    Raises
    ------
    DataError
        Unusable data or recipe.
    """
    recipe = AgeRecipe.of(dict(request.recipe))
    whole = usable(table_of(find_subsets(request.data, MODEL)), recipe)
    table, _ = _parts(whole, request.held_out)
    return prepared(table, recipe, seed=request.seed, start=_start(request)).trainer


def cross_validated(
    job: Progress, table: AgeTable, recipe: AgeRecipe, request: TrainRequest, out: Path
) -> tuple[Figure, ...]:
    """The card's figures: each row told by models and baselines that never saw its patient."""
    command = train_command(table, recipe)

    def measured(splits: Sequence[Split]) -> list[MetricRow]:
        answers = []
        for split in splits:
            fitted = fit_fold(
                *(job, table, split, recipe),
                seed=request.seed,
                folder=out / f"fold-{split.name}",
                resume=request.resume,
                max_minutes=_share(request, recipe),
            )
            answers.append(answer_fold(fitted, table, split, recipe))
        return age_rows(told_of(table, answers, subset_name(table)))

    rows = measured(splits_of(table, recipe, recipe.folds))
    if recipe.sites:
        left_out = measured(splits_by_site(table, recipe))
        rows += [
            replace(row, group=f"unseen-{row.group}".replace("unseen-all", "unseen-site:all"))
            for row in left_out
            if row.group == "all" or row.group.startswith("site:")
        ]
    return tuple(figure_of(row.as_dict(), command) for row in rows)


def train_command(table: AgeTable, recipe: AgeRecipe) -> str:
    """The command that gives the figures of a card."""
    data = {"ixi-roi": "ixi", "abide": "abide"}.get(subset_name(table))
    place = f"../shared/data/brain_age/{data}" if data else "DATA"
    changed = " ".join(
        f"--set {name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in recipe.plain().items()
        if name in TOLD and value != getattr(AgeRecipe(), name)
    )
    words = f"medview train brain-age --data {place} --out DIR --set folds={recipe.folds}"
    return f"{words} {changed}".strip()


def subset_name(table: AgeTable) -> str:
    """Name of the set, or of all sets together."""
    return "+".join(dict.fromkeys(case.subset for case in table.cases if case.subset))


def _health(fitted: Fitted) -> list[dict[str, object]]:
    figures = {name: value for _, part, name, value in fitted.trainer.history if part == "health"}
    return health_words(figures, len(fitted.trainer.network.roles))


def _errors(fitted: Fitted, table: AgeTable, val: AgeTable) -> list[dict[str, object]]:
    """Error on the rows that each member had not seen, and on the rows marked "val"."""
    found = {"mae_left_out": float(np.abs(fitted.left_out - table.age).mean())}
    if len(val):
        told = fitted.model.answer(val.values).age
        found["mae_val"] = float(np.abs(told - val.age).mean())
    guess = float(np.abs(table.age - table.age.mean()).mean())
    return [
        {
            "name": name,
            "value": value,
            "ok": value < guess,
            "text": "" if value < guess else "no better than the mean age",
        }
        for name, value in found.items()
    ]


def _parts(table: AgeTable, held_out: tuple[str, ...]) -> tuple[AgeTable, AgeTable]:
    """Rows to train on, and those marked "val" or of a held-out patient."""
    hashes = set(held_out)
    val = [c.split == "val" or patient_hash(c.patient) in hashes for c in table.cases]
    held = np.array(val, dtype=np.bool_)
    train = np.array([c.split in ("", "train") for c in table.cases], dtype=np.bool_) & ~held
    return table.take(train), table.take(held)


def _share(request: TrainRequest, recipe: AgeRecipe) -> float | None:
    """Minutes of one training: folds and refit share what there is."""
    if request.max_minutes is None:
        return None
    return request.max_minutes / (recipe.folds + 1 if recipe.folds > 1 else 1)


def _start(request: TrainRequest) -> Start | None:
    """The version to go on from, if one is named."""
    refuse_other(MODEL, request.method, ("full", "head"))
    if request.init is None:
        return None
    model, _ = load_age_model(Path(request.init))
    return Start(model, HEADS if request.method == "head" else ())
