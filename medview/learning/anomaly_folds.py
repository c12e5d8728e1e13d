"""The networks of a training of the anomaly model: folds, the last one, and its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from medview.domain.progress import Progress
from medview.domain.training import NETWORK_MB, TrainRequest
from medview.io.limits import networks_at_once
from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_recipe import Recipe
from medview.learning.anomaly_scores import Drawn, rimless
from medview.learning.anomaly_settings import AnomalySettings, Normals
from medview.learning.anomaly_trainer import Trainer, first_model
from medview.learning.augment import Brain
from medview.learning.brain import Prepared
from medview.learning.calibrate import calibrate, commonest, draw_slices, settle_norms
from medview.learning.checkpoint import CHECKPOINT, EpochReport, snapshot
from medview.learning.findings import highest_peak
from medview.learning.grid import PIXEL_MM
from medview.learning.normal_cases import NormalCase
from medview.learning.preview import Previews
from medview.learning.ranks import Ranks
from medview.learning.side_by_side import Terms, train_each
from medview.learning.weights import fill, load_anomaly
from medview.models.anomaly_vae import AnomalyVae

_T = TypeVar("_T")
HEAD = ("from_latent", "mean_head", "log_variance_head")
"""What learns with the method "head"."""
OPPOSITE = 0.3
"""`opposite` of new versions. Of 0, 0.2, 0.3, 0.5 and 0.7 the best for slices and solid lesions."""


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """A model trained without some patients, and those patients' cases."""

    engine: Engine
    settings: AnomalySettings
    held_out: tuple[NormalCase, ...]


@dataclass(frozen=True, slots=True, eq=False)
class NetworkTraining:
    """One network to train, as ``side_by_side`` wants it: all that a process of its own needs."""

    name: str
    folder: Path
    recipe: Recipe
    request: TrainRequest
    train: tuple[Brain, ...]
    val: tuple[Brain, ...]
    previews: Previews | None = None

    @classmethod
    def of(
        cls,
        name: str,
        folder: Path,
        recipe: Recipe,
        request: TrainRequest,
        train: Sequence[NormalCase],
        val: Sequence[NormalCase] = (),
        previews: Previews | None = None,
    ) -> NetworkTraining:
        """Learn from every version of the brains of some cases; validate on one of others."""
        brains = tuple(brain for case in train for brain in case.brains)
        held = tuple(case.brains[0] for case in val)
        return cls(name, folder, recipe, request, brains, held, previews)

    @property
    def epochs(self) -> int:
        """How many the recipe asks for."""
        return self.recipe.epochs

    def begun(self, *, resume: bool) -> Trainer:
        """From nothing or from given weights; where there is a checkpoint to go on from, there."""
        request = self.request
        ranks = Ranks.here(request.device)
        trainer = Trainer(
            self.recipe, self.train, self.val, request.seed, request.device, self.folder, ranks
        )
        if request.init:
            start, _, _ = load_anomaly(Path(request.init))
            fill(trainer.model, start.state_dict(), Path(request.init).name)
        trainer.restrict(request.method, HEAD)
        if resume and (self.folder / CHECKPOINT).is_file():
            trainer.resume(self.folder)
        return trainer

    def after_epoch(self, trainer: Trainer, report: EpochReport) -> None:
        """Leave the weights where the reader's window can try them, if it wants to."""
        if self.previews is not None:
            self.previews.leave(report.epoch, trainer.model)


def finished_model(trainer: Trainer) -> AnomalyVae:
    """The best weights of a run, as they are stored (float16), ready to predict."""
    model = first_model(trainer.recipe.network)
    state = trainer.best_state if trainer.best_epoch else snapshot(trainer.model)
    model.load_state_dict(
        {k: v.half().float() if v.is_floating_point() else v for k, v in state.items()}
    )
    return model.eval().to(trainer.device)


def fold_parts(
    folds: int, cases: Sequence[NormalCase]
) -> list[tuple[list[NormalCase], tuple[NormalCase, ...]]]:
    """What each fold learns from, and what it leaves out: every n-th patient of the list.

    Sets that are never evaluated (templates) are in every training part. No folds are made of
    fewer than two.
    """
    patients = list(dict.fromkeys(c.case.patient for c in cases if not c.training_only))
    parts = []
    for n in range(folds if folds > 1 else 0):
        left_out = set(patients[n::folds])
        train = [c for c in cases if c.case.patient not in left_out]
        parts.append((train, tuple(c for c in cases if c.case.patient in left_out)))
    return parts


def train_networks(
    job: Progress,
    request: TrainRequest,
    recipe: Recipe,
    train: Sequence[NormalCase],
    val: Sequence[NormalCase],
) -> tuple[tuple[Fold, ...], Trainer]:
    """Train once for each fold without its patients, and once on all: the one that is shipped.

    On a processor with several threads some at once. Settings of a fold are chosen on what it has
    learnt from.
    """
    out, parts = Path(request.out), fold_parts(recipe.folds, train)
    trainings = [
        NetworkTraining.of(
            f"fold {n} of {recipe.folds}", out / f"fold-{n}", recipe, request, learnt
        )
        for n, (learnt, _) in enumerate(parts, start=1)
    ]
    last = NetworkTraining.of("training", out, recipe, request, train, val, Previews.of(request))
    at_once = networks_at_once(NETWORK_MB["anomaly"], request.threads, request.device)
    terms = Terms(request.resume, at_once, request.max_minutes)
    networks = train_each(job, [*trainings, last], terms)
    folds = []
    for learnt, held in parts:
        model = finished_model(next(networks))
        engine = Engine.fast(model, request.device, drawing=recipe)
        prepared = [case.prepared.prepared for case in learnt]
        folds.append(Fold(engine, calibrate(job, engine, prepared, first_settings(recipe)), held))
    return tuple(folds), next(networks)


def first_settings(recipe: Recipe) -> AnomalySettings:
    """The settings that a choice begins with; they tell how the network is asked."""
    return AnomalySettings(
        mirrored=recipe.mirrored,
        balanced=recipe.balanced,
        upright=recipe.upright,
        opposite=OPPOSITE,
    )


def settle(
    job: Progress,
    engine: Engine,
    folds: Sequence[Fold],
    train: Sequence[NormalCase],
    recipe: Recipe,
) -> tuple[AnomalySettings, Normals, tuple[Fold, ...]]:
    """Final settings, what normals have that the scoring weights never saw, and the folds.

    With folds, smoothing and summary are the folds' commonest choice and norms, thresholds and
    normal scores come from the left-out brains; without, from the training brains themselves.
    A fold comes back with its own choice and with norms and thresholds of what the *other* folds
    left out: so its left-out brains are judged as a new brain is by the final settings.
    """
    if not folds:
        prepared = [c.prepared.prepared for c in train]
        settings = calibrate(job, engine, prepared, first_settings(recipe))
        own = [_asked(job, engine, one, settings) for one in prepared]
        return settings, _normals(own, [one.grid.spacing_mm[0] for one in prepared], settings), ()
    chosen = commonest([fold.settings for fold in folds])
    said = [[_asked(job, f.engine, c.prepared.prepared, chosen) for c in f.held_out] for f in folds]
    steps = [[c.prepared.prepared.grid.spacing_mm[0] for c in f.held_out] for f in folds]
    settings = settle_norms(_chained(said), _chained(steps), chosen)
    judged = []
    for n, fold in enumerate(folds):
        others, apart = (_chained([*each[:n], *each[n + 1 :]]) for each in (said, steps))
        found = settle_norms(others, apart, fold.settings) if others else fold.settings
        judged.append(replace(fold, settings=found))
    return settings, _normals(_chained(said), _chained(steps), settings), tuple(judged)


def _asked(job: Progress, engine: Engine, one: Prepared, settings: AnomalySettings) -> Drawn:
    """What a network says of the scored slices of a brain."""
    kept = one.scored
    return draw_slices(job, engine, one.slices[kept], one.brain[kept], settings.samples)


def _chained(each: Sequence[Sequence[_T]]) -> list[_T]:
    return [one for several in each for one in several]


def _normals(
    said: Sequence[Drawn], steps_mm: Sequence[float], settings: AnomalySettings
) -> Normals:
    """Of the brains of which the model recognises anything."""
    scores, peaks = [], []
    for drawn, step_mm in zip(said, steps_mm, strict=True):
        score, step = drawn.volume_score(settings), (step_mm, PIXEL_MM, PIXEL_MM)
        if np.isfinite(score):
            values = drawn.volume_maps(settings, step_mm).score("ratio")
            scores.append(round(score, 4))
            peaks.append(round(highest_peak(values, rimless(drawn.brain), settings, step), 4))
    return Normals(sorted(scores), sorted(peaks))
