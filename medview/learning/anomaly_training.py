"""Train the anomaly model: data, folds, refit, calibration and card. Runs in the train child."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from medview.domain.card import Figure
from medview.domain.errors import DataError, InputRefused
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress
from medview.domain.training import FOLLOWS, TrainRequest
from medview.io.cards import write_card
from medview.learning.anomaly_card import (
    figure_of,
    findings_in_words,
    judged_in_words,
    make_card,
    weak_spots,
)
from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_health import health, health_words
from medview.learning.anomaly_recipe import Recipe
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.anomaly_trainer import Trainer, first_model
from medview.learning.augment import Brain
from medview.learning.begun_with import begin
from medview.learning.brain import clean
from medview.learning.calibrate import calibrate, commonest, draw_slices, settle_norms
from medview.learning.cases import PreparedCase, brain_of, find_subsets, prepare_case
from medview.learning.checkpoint import snapshot
from medview.learning.course import Course, end_after, epochs_of
from medview.learning.evaluate import evaluate
from medview.learning.images import read_image
from medview.learning.measure import measure_folds
from medview.learning.preview import Previews
from medview.learning.ranks import Ranks
from medview.learning.splits_file import SPLITS, write_splits
from medview.learning.subset import LeftOut, Subset, TrainCase, none_usable
from medview.learning.weights import CARD, WEIGHTS, fill, load_anomaly, save
from medview.models.anomaly_vae import AnomalyVae

ROLES = ("t1",)
HEAD = ("from_latent", "mean_head", "log_variance_head")
"""What learns with the method "head"."""


TRAIN = "medview train anomaly --data ../shared/data --out DIR"
MEASURE = "medview evaluate anomaly --data ../shared/data --out DIR"
"""The commands that give a card's figures."""


@dataclass(frozen=True, slots=True, eq=False)
class NormalCase:
    """A normal case ready for training and for measuring."""

    case: TrainCase
    brains: tuple[Brain, ...]
    prepared: PreparedCase
    training_only: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """A model trained without some patients, and those patients' cases."""

    engine: Engine
    settings: AnomalySettings
    held_out: tuple[NormalCase, ...]


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
    course = Course.start(request)
    request = replace(request, device=course.device)
    recipe = Recipe.of(dict(request.recipe))
    found = find_subsets(request.data, "anomaly", request.held_out)
    subsets = [normal for each in found if (normal := each.normal_part) is not None]
    cases, skipped = load_normals(job, subsets)
    out = course.made_folder()
    parts = split(cases)
    leads = Ranks.here(request.device).leads
    begin(request, subsets, leads=leads)
    if leads:
        every = ((one.case, part) for part, cases in parts.items() for one in cases)
        write_splits(out / SPLITS, every, private=request.private)
    several = recipe.folds > 1
    time_left = TimeLeft.of(request, 1 + recipe.folds if several else 1)
    folds = run_folds(job, request, recipe, parts["train"], out, time_left) if several else ()
    trainer = make_trainer(recipe, request, parts["train"], parts["val"], out)
    epochs = train_to_end(job, trainer, time_left, "training", Previews.of(request))
    if not trainer.ranks.leads:
        return {FOLLOWS: True}
    model = finished_model(trainer)
    engine = Engine.fast(model, request.device)
    settings, normals = settle(job, engine, folds, parts["train"])
    always = [c.prepared for c in cases if c.training_only]
    figures = cross_validated(job, folds, always, request) if folds else ()
    patients = tuple(dict.fromkeys(c.case.patient for c in parts["train"]))
    card = make_card(subsets, patients, recipe, settings, normals, figures)
    kept = save(model, card, out)
    if folds:
        elsewhere = measured_elsewhere(job, request, out)
        measured = (*kept.measured, *elsewhere)
        words = (*findings_in_words(measured), *weak_spots(measured), *judged_in_words(measured))
        limits = (*kept.limits, *words)
        kept = replace(kept, measured=measured, limits=limits)
        write_card(kept, out / CARD)
    last = (epochs[-1] if epochs else {}) or health(model, *trainer.fixed_slices())
    return course.answer(
        epochs=trainer.epoch,
        best_epoch=trainer.best_epoch,
        stopped=trainer.stopped,
        n={part: len({c.case.patient for c in cases}) for part, cases in parts.items()},
        weights_sha256=kept.weights_sha256,
        health=health_words(last),
        skipped=skipped,
    )


def load_normals(
    job: Progress, subsets: Sequence[Subset]
) -> tuple[tuple[NormalCase, ...], tuple[LeftOut, ...]]:
    """Read and clean every normal case; the second list names those that cannot be used.

    Raises
    ------
    DataError
        If none can be used.
    """
    cases = [(case, subset.training_only) for subset in subsets for case in subset.cases]
    ready, skipped = [], [one for subset in subsets for one in subset.skipped]
    for n, (case, training_only) in enumerate(cases):
        job.check()
        job.report(n, len(cases), f"reading case {n + 1} / {len(cases)}")
        try:
            ready.append(replace(load_normal(case), training_only=training_only))
        except InputRefused as error:
            skipped.append(LeftOut(case.case, error.code, error.what))
    if not ready:
        raise _nothing_to_train_on(skipped)
    return tuple(ready), tuple(skipped)


def _nothing_to_train_on(skipped: Sequence[LeftOut]) -> DataError:
    if not skipped:
        return DataError(
            "no normal case was found to train on",
            do="Give a folder of normal T1 volumes.",
            code="MV-DAT-030",
        )
    return none_usable(skipped, "MV-DAT-031")


def load_normal(case: TrainCase) -> NormalCase:
    """One case: its brain with the mask that came with it and with the one found here.

    Both are trained on, so that the model knows either outline.
    """
    volume = read_image(case.image, case.pixel_mm)
    given = brain_of(case, volume)
    axes = volume.geometry.axis_of
    steps = volume.geometry.spacing_mm
    step_mm = (steps[axes[2]], steps[axes[1]], steps[axes[0]])
    versions = [clean(volume, given)]
    if given is not None and not versions[0].skull_stripped:
        versions.append(clean(volume))
    brains = tuple(Brain.of(case.patient, v.values, v.mask, step_mm) for v in versions)
    return NormalCase(case, brains, prepare_case(case))


def split(cases: Sequence[NormalCase]) -> dict[str, tuple[NormalCase, ...]]:
    """Parts by the case list's own split; cases without one are trained on."""
    train = tuple(c for c in cases if c.case.split in ("", "train"))
    val = tuple(c for c in cases if c.case.split == "val")
    return {"train": train, "val": val}


def make_trainer(
    recipe: Recipe,
    request: TrainRequest,
    train: Sequence[NormalCase],
    val: Sequence[NormalCase],
    folder: Path,
) -> Trainer:
    """A trainer on these cases, from given weights or a checkpoint where asked for."""
    brains = tuple(brain for case in train for brain in case.brains)
    held = tuple(case.brains[0] for case in val)
    ranks = Ranks.here(request.device)
    trainer = Trainer(recipe, brains, held, request.seed, request.device, folder, ranks)
    if request.init:
        start, _, _ = load_anomaly(Path(request.init))
        fill(trainer.model, start.state_dict(), Path(request.init).name)
    trainer.restrict(request.method, HEAD)
    if request.resume and (folder / "checkpoint" / "last.pt").is_file():
        trainer.resume(folder)
    return trainer


@dataclass(slots=True)
class TimeLeft:
    """A deadline that several trainings share: each gets an equal part of what is left."""

    deadline: float
    trainings: int

    @classmethod
    def of(cls, request: TrainRequest, trainings: int) -> TimeLeft:
        """From now on, as long as the request allows."""
        return cls(end_after(request.max_minutes), trainings)

    def next_deadline(self) -> float:
        """When the next training must end."""
        now = time.perf_counter()
        share = (self.deadline - now) / max(1, self.trainings)
        self.trainings -= 1
        return now + share


def train_to_end(
    job: Progress,
    trainer: Trainer,
    time_left: TimeLeft,
    name: str,
    previews: Previews | None = None,
) -> list[dict[str, float]]:
    """Run the epochs, report each, stop in time; validation figures of each epoch."""
    deadline = time_left.next_deadline()
    seen = []
    for report in epochs_of(job, trainer, lambda: time.perf_counter() > deadline, name):
        if previews is not None:
            previews.leave(report.epoch, trainer.model)
        seen.append({n: v for (part, n), v in report.figures.items() if part == "val"})
    return seen


def finished_model(trainer: Trainer) -> AnomalyVae:
    """The best weights of a run, as they are stored (float16), ready to predict."""
    model = first_model(trainer.recipe.network)
    state = trainer.best_state if trainer.best_epoch else snapshot(trainer.model)
    model.load_state_dict(
        {k: v.half().float() if v.is_floating_point() else v for k, v in state.items()}
    )
    return model.eval().to(trainer.device)


def run_folds(
    job: Progress,
    request: TrainRequest,
    recipe: Recipe,
    cases: Sequence[NormalCase],
    out: Path,
    time_left: TimeLeft,
) -> tuple[Fold, ...]:
    """Train once for each fold without its patients (every n-th patient of the list).

    Sets that are never evaluated (templates) are in every training part.
    """
    patients = list(dict.fromkeys(c.case.patient for c in cases if not c.training_only))
    folds = []
    for n in range(recipe.folds):
        left_out = set(patients[n :: recipe.folds])
        train = [c for c in cases if c.case.patient not in left_out]
        held = tuple(c for c in cases if c.case.patient in left_out)
        trainer = make_trainer(recipe, request, train, (), out / f"fold-{n + 1}")
        train_to_end(job, trainer, time_left, f"fold {n + 1} of {recipe.folds}")
        engine = Engine.fast(finished_model(trainer), request.device)
        prepared = [c.prepared.prepared for c in train]
        settings = calibrate(job, engine, prepared, AnomalySettings())
        folds.append(Fold(engine, settings, held))
    return tuple(folds)


def settle(
    job: Progress, engine: Engine, folds: Sequence[Fold], train: Sequence[NormalCase]
) -> tuple[AnomalySettings, list[float]]:
    """Final settings, and the volume scores of normals that the scoring weights never saw.

    With folds, smoothing and summary are the folds' commonest choice and norms, thresholds and
    normal scores come from the left-out brains; without, from the training brains themselves.
    """
    prepared = [c.prepared.prepared for c in train]
    if not folds:
        settings = calibrate(job, engine, prepared, AnomalySettings())
        pairs = [(engine, p) for p in prepared]
    else:
        settings = commonest([fold.settings for fold in folds])
        pairs = [(f.engine, c.prepared.prepared) for f in folds for c in f.held_out]
    drawn = [
        draw_slices(job, e, p.slices[p.scored], p.brain[p.scored], settings.samples)
        for e, p in pairs
    ]
    if folds:
        settings = settle_norms(drawn, [p.grid.spacing_mm[0] for _, p in pairs], settings)
    scores = [d.volume_score(settings) for d in drawn]
    return settings, sorted(round(score, 4) for score in scores if np.isfinite(score))


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
