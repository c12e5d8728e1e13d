"""Several region networks, some of them at once: each in a process of its own on one thread.

Convolutions as small as these gain little from a second thread; networks side by side gain all
of it. A network is the same whether it was trained alone or beside others: each has its own
seed, and its own folder with checkpoint and curve.
"""

from __future__ import annotations

import multiprocessing
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch

from medview.domain.errors import MedviewError
from medview.domain.progress import Progress
from medview.learning.checkpoint import CHECKPOINT, EpochReport
from medview.learning.region_augment import RegionCase
from medview.learning.region_trainer import RegionRecipe, RegionTrainer

_LOOK_EVERY_S = 0.2
Heard = Callable[[EpochReport], None]


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """One network to train: its name in words, its folder, and what it learns from."""

    name: str
    folder: Path
    cases: tuple[RegionCase, ...]


@dataclass(frozen=True, slots=True)
class Habits:
    """What all trainings share; `minutes` is for all of them together, None without end."""

    recipe: RegionRecipe
    seed: int = 0
    device: str = "cpu"
    resume: bool = False
    at_once: int = 1
    minutes: float | None = None


def train_all(job: Progress, trainings: Sequence[Training], habits: Habits) -> list[RegionTrainer]:
    """Train every network to the end of the recipe, or until the time is up.

    Returns
    -------
    list[RegionTrainer]
        Trained, in the order given; `stopped` is "time" where the recipe was not finished.

    Raises
    ------
    Cancelled
        The user asked to stop; checkpoints stay.
    MedviewError
        What a training failed with.
    """
    for training in trainings:
        training.folder.mkdir(parents=True, exist_ok=True)
    at_once = max(1, min(habits.at_once, len(trainings)))
    began, waves = time.time(), -(-len(trainings) // at_once)
    ends = [
        began + 60 * habits.minutes * (n // at_once + 1) / waves
        if habits.minutes is not None
        else float("inf")
        for n in range(len(trainings))
    ]
    if at_once > 1:
        return _side_by_side(job, trainings, habits, ends, at_once)
    made, tell = [], _Told(job, len(trainings))
    for training, end in zip(trainings, ends, strict=True):
        trainer = _begun(training, habits, resume=habits.resume)

        def heard(report: EpochReport, name: str = training.name) -> None:
            job.check()
            tell(name, report)

        _run(trainer, end, heard)
        made.append(trainer)
    return made


def _begun(training: Training, habits: Habits, *, resume: bool) -> RegionTrainer:
    """A trainer at its first step, or where its checkpoint is."""
    trainer = RegionTrainer(
        habits.recipe, training.cases, habits.seed, habits.device, training.folder
    )
    if resume and (training.folder / CHECKPOINT).is_file():
        trainer.resume(training.folder)
    return trainer


def _run(trainer: RegionTrainer, end: float, heard: Heard) -> None:
    for report in trainer.fit():
        heard(report)
        if time.time() > end and trainer.epoch < trainer.recipe.epochs:
            trainer.stopped = "time"
            break


@dataclass(frozen=True, slots=True)
class _Told:
    """Says how far all trainings together are, as each of them tells of its epochs."""

    job: Progress
    trainings: int
    epochs: dict[str, int] = field(default_factory=dict)

    def __call__(self, name: str, report: EpochReport) -> None:
        self.epochs[name] = report.epoch
        done, total = sum(self.epochs.values()), self.trainings * report.epochs
        self.job.report(done, total, f"{name}: epoch {report.epoch} / {report.epochs}")
        self.job.partial(report)


def _side_by_side(
    job: Progress,
    trainings: Sequence[Training],
    habits: Habits,
    ends: Sequence[float],
    at_once: int,
) -> list[RegionTrainer]:
    context = multiprocessing.get_context("spawn")
    said: multiprocessing.Queue[tuple[str, Any]] = context.Queue()
    waiting = list(zip(trainings, ends, strict=True))
    running: list[BaseProcess] = []
    tell = _Told(job, len(trainings))
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                training, end = waiting.pop(0)
                begun = context.Process(
                    target=_child, args=(training, habits, end, said), daemon=True
                )
                begun.start()
                running.append(begun)
            job.check()
            _listen(tell, said)
            running = [child for child in running if child.is_alive() or not _ended(child, said)]
    finally:
        for child in running:
            child.terminate()
            child.join()
    return [_finished(training, habits) for training in trainings]


def _listen(tell: _Told, said: multiprocessing.Queue[tuple[str, Any]]) -> None:
    """Pass on what the children say for a moment; raise what one of them failed with."""
    until = time.monotonic() + _LOOK_EVERY_S
    while (left := until - time.monotonic()) > 0:
        try:
            name, word = said.get(timeout=left)
        except queue.Empty:
            return
        if isinstance(word, MedviewError):
            raise word
        tell(name, word)


def _ended(child: BaseProcess, said: multiprocessing.Queue[tuple[str, Any]]) -> bool:
    """Whether a child ended well; its last words may still be on their way."""
    if child.exitcode == 0:
        return True
    if said.empty():
        raise MedviewError(
            "a training ended without a word, perhaps for want of memory",
            do="Give --threads 1: the networks are then trained one after the other.",
            code="MV-TRN-002",
        )
    return False


def _finished(training: Training, habits: Habits) -> RegionTrainer:
    """The trainer as its process left it."""
    trainer = _begun(training, habits, resume=True)
    if trainer.epoch < habits.recipe.epochs:
        trainer.stopped = "time"
    return trainer


def _child(
    training: Training, habits: Habits, end: float, said: multiprocessing.Queue[tuple[str, Any]]
) -> None:
    """Train one network; stop when the parent is gone (it may have been killed)."""
    torch.set_num_threads(1)
    parent = multiprocessing.parent_process()

    def heard(report: EpochReport) -> None:
        if parent is not None and not parent.is_alive():
            raise SystemExit(1)
        said.put((training.name, report))

    try:
        _run(_begun(training, habits, resume=habits.resume), end, heard)
    except MedviewError as error:
        said.put((training.name, error))
        raise SystemExit(1) from error
