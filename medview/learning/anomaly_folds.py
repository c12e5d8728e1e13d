"""Trainings of the anomaly model that share their time: folds, the last one, and its settings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medview.domain.progress import Progress
from medview.domain.training import TrainRequest
from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_recipe import Recipe
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.anomaly_trainer import Trainer, first_model
from medview.learning.calibrate import calibrate, commonest, draw_slices, settle_norms
from medview.learning.checkpoint import snapshot
from medview.learning.course import end_after, epochs_of
from medview.learning.normal_cases import NormalCase
from medview.learning.preview import Previews
from medview.learning.ranks import Ranks
from medview.learning.weights import fill, load_anomaly
from medview.models.anomaly_vae import AnomalyVae

HEAD = ("from_latent", "mean_head", "log_variance_head")
"""What learns with the method "head"."""


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """A model trained without some patients, and those patients' cases."""

    engine: Engine
    settings: AnomalySettings
    held_out: tuple[NormalCase, ...]


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
