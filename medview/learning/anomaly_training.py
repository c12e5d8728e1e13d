"""Train the anomaly model: data, folds, refit, calibration and card. Runs in the train child."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medview.domain.card import Figure, ModelCard
from medview.domain.errors import DataError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress
from medview.domain.training import FOLLOWS, TrainRequest
from medview.io.cards import CARD, WEIGHTS, write_card
from medview.learning.anomaly_card import (
    findings_in_words,
    judged_in_words,
    make_card,
    weak_spots,
)
from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_folds import Fold, finished_model, settle, train_networks
from medview.learning.anomaly_health import health, health_words
from medview.learning.anomaly_recipe import Recipe
from medview.learning.begun_with import begin
from medview.learning.card_parts import figure_of
from medview.learning.cases import PreparedCase, find_subsets
from medview.learning.course import Course
from medview.learning.evaluate import evaluate
from medview.learning.measure import measure_folds
from medview.learning.normal_cases import load_normals, split
from medview.learning.ranks import Ranks
from medview.learning.splits_file import SPLITS, write_splits
from medview.learning.weights import save

TRAIN = "medview train anomaly --data ../shared/data --out DIR"
MEASURE = "medview evaluate anomaly --data ../shared/data --out DIR"
"""The commands that give a card's figures."""


def fit(job: Progress, request: TrainRequest) -> dict[str, Any]:
    """Train, cross-validate if the recipe has folds, calibrate, write weights and card.

    Returns
    -------
    dict
        The body of ``medview.train/1``; of several processes only the first one's.

    Raises
    ------
    DataError
        Unusable data or recipe; a patient in two parts.
    """
    course = Course.start(job, request, only_cpu=False)
    request = replace(request, device=course.device)
    recipe = Recipe.of(dict(request.recipe))
    found = find_subsets(request.data, "anomaly", request.held_out)
    subsets = [normal for each in found if (normal := each.normal_part) is not None]
    cases, skipped = load_normals(job, subsets, upright=recipe.upright, turned=recipe.turned)
    out = course.made_folder()
    parts = split(cases)
    leads = Ranks.here(request.device).leads
    begin(request, subsets, leads=leads)
    if leads:
        every = ((one.case, part) for part, cases in parts.items() for one in cases)
        write_splits(out / SPLITS, every, private=request.private)
    folds, trainer = train_networks(job, request, recipe, parts["train"], parts["val"])
    if not trainer.ranks.leads:
        return {FOLLOWS: True}
    model = finished_model(trainer)
    engine = Engine.fast(model, request.device, drawing=recipe)
    settings, normals, folds = settle(job, engine, folds, parts["train"], recipe)
    always = [c.prepared for c in cases if c.training_only]
    figures = cross_validated(job, folds, always, request) if folds else ()
    patients = tuple(dict.fromkeys(c.case.patient for c in parts["train"]))
    card = make_card(subsets, patients, recipe, settings, normals, figures)
    kept = save(model, card, out)
    if folds:
        kept = with_figures(kept, measured_elsewhere(job, request, out))
        write_card(kept, out / CARD)
    last = trainer.told_last("val") or health(model, *trainer.fixed_slices())
    return course.answer(
        epochs=trainer.epoch,
        best_epoch=trainer.best_epoch,
        stopped=trainer.stopped,
        n={part: len({c.case.patient for c in cases}) for part, cases in parts.items()},
        weights_sha256=kept.weights_sha256,
        health=health_words(last),
        skipped=skipped,
    )


def with_figures(card: ModelCard, more: tuple[Figure, ...]) -> ModelCard:
    """The card with more figures, and with what all of them say of its limits."""
    measured = (*card.measured, *more)
    words = (*findings_in_words(measured), *weak_spots(measured), *judged_in_words(measured))
    return replace(card, measured=measured, limits=(*card.limits, *words))


def cross_validated(
    job: Progress, folds: Sequence[Fold], always: Sequence[PreparedCase], request: TrainRequest
) -> tuple[Figure, ...]:
    """The card's figures: each brain scored by the weights that never saw its patient."""
    command = f"{TRAIN} --set folds={len(folds)}"
    rows = measure_folds(
        job,
        [(fold.engine, fold.settings, [case.prepared for case in fold.held_out]) for fold in folds],
        request.seed,
        always=always,
    )
    return tuple(Figure(command=command, **row) for row in rows)


def measured_elsewhere(job: Progress, request: TrainRequest, out: Path) -> tuple[Figure, ...]:
    """Figures of the final weights on the other sets of the data: patients they never saw."""
    wanted = EvaluateRequest(
        "anomaly",
        request.data,
        str(out / "evaluation"),
        weights=str(out / WEIGHTS),
        device=request.device,
        threads=request.threads,
        seed=request.seed,
    )
    try:
        body = evaluate(job, wanted)
    except DataError:  # the data hold nothing but what was trained on
        return ()
    return tuple(figure_of(row, MEASURE) for row in body["metrics"])
