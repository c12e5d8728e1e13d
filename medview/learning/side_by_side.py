"""Several networks to train, some of them at once: each in a process of its own on one thread.

Convolutions as small as ours gain little from a second thread; networks side by side gain all of
it. A network is the same whether it was trained alone on one thread or beside others: each has
its own seed, and its own folder with checkpoint and curve.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol, TypeVar

import torch

from medview.domain.errors import MedviewError
from medview.domain.progress import Progress
from medview.learning.checkpoint import CHECKPOINT, EpochReport, read_checkpoint
from medview.learning.course import Trainer, epochs_of

T = TypeVar("T", bound=Trainer)
_LOOK_EVERY_S = 0.2
_GO_ON = True
_ALONE = "Train on one processor thread: the networks then learn one after the other."


class Training(Protocol[T]):
    """One network to train. A process of its own is handed a copy, whose tensors are shared."""

    @property
    def name(self) -> str:
        """What it is called in words, such as "fold 2 of 5"; no other one is called so."""

    @property
    def folder(self) -> Path:
        """Where its checkpoint is kept, after each epoch."""

    @property
    def epochs(self) -> int:
        """How many its recipe asks for."""

    def begun(self, *, resume: bool) -> T:
        """A trainer at its first step, or where its checkpoint is, if it shall go on from one."""

    def after_epoch(self, trainer: T, report: EpochReport) -> None:
        """What else there is to do after each epoch."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What all trainings share; `minutes` is for all of them together, None without end."""

    resume: bool = False
    at_once: int = 1
    minutes: float | None = None


def train_each(job: Progress, trainings: Sequence[Training[T]], terms: Terms) -> Iterator[T]:
    """Train every network to the end of its recipe, or until the time is up.

    One after the other each is given back before the next one begins. Side by side all of them
    are trained first, and come as their checkpoints have them.

    Yields
    ------
    Trainer
        In the order given; `stopped` is "time" where the recipe was not finished.

    Raises
    ------
    Cancelled
        The user asked to stop; checkpoints stay.
    MedviewError
        What a training failed with.
    """
    for training in trainings:
        training.folder.mkdir(parents=True, exist_ok=True)
    at_once = max(1, min(terms.at_once, len(trainings)))
    before = {each.name: _epochs_before(each.folder, terms) for each in trainings}
    going = [each.name for each in trainings if before[each.name] < each.epochs]
    told = Told.of(job, trainings, before, weights(going, at_once))
    left = TimeLeft.of(terms.minutes, len(going), at_once)

    def end_of(name: str) -> float:
        return left.next_end() if name in going else left.end

    stopped: dict[str, str] = {}
    if at_once > 1:
        stopped = _Crew(told, terms.resume, end_of).train(trainings, at_once)
    for training in trainings:
        if at_once > 1:
            trainer = training.begun(resume=True)
            trainer.stopped = stopped[training.name]
        else:
            trainer = training.begun(resume=terms.resume)
            _to_end(told.part(training.name), training, trainer, end_of(training.name))
            told.ended(training.name)
        yield trainer


def _epochs_before(folder: Path, terms: Terms) -> int:
    """How many epochs an earlier run that is gone on with has done."""
    if not terms.resume or not (folder / CHECKPOINT).is_file():
        return 0
    return int(read_checkpoint(folder, names=("epoch",), run=None)["epoch"])


def _to_end(job: Progress, training: Training[T], trainer: T, end: float) -> None:
    for report in epochs_of(job, trainer, lambda: time.monotonic() > end, training.name):
        training.after_epoch(trainer, report)


def weights(names: Sequence[str], at_once: int) -> dict[str, float]:
    """What an epoch of each training counts, so that all that is counted takes equally long.

    Of six trainings, four at once, the last two have the machine to themselves: their epochs count
    twice as much as those of the first four.
    """
    waves = [names[n : n + at_once] for n in range(0, len(names), at_once)]
    return {name: at_once / len(wave) for wave in waves for name in wave}


@dataclass(slots=True)
class TimeLeft:
    """A moment by which trainings end, so many at once: all get an equal part of what is left.

    Moments are of ``time.monotonic``, which all processes of a machine have in common.
    """

    end: float
    trainings: int
    at_once: int = 1
    _begun: int = field(default=0, init=False)

    @classmethod
    def of(cls, minutes: float | None, trainings: int, at_once: int = 1) -> TimeLeft:
        """From now on; without end where there are no minutes."""
        end = time.monotonic() + 60 * minutes if minutes is not None else float("inf")
        return cls(end, trainings, at_once)

    def next_end(self) -> float:
        """When the training that begins now must end."""
        now = time.monotonic()
        rounds = -(-self.trainings // self.at_once) - self._begun // self.at_once
        self._begun += 1
        return now + (self.end - now) / max(1, rounds)


@dataclass(slots=True)
class Told:
    """Says how far all trainings together are, as each of them tells of its epochs."""

    job: Progress
    epochs: dict[str, int]
    done: dict[str, int]
    weight: dict[str, float]

    @classmethod
    def of(
        cls,
        job: Progress,
        trainings: Sequence[Training[T]],
        before: dict[str, int],
        weight: dict[str, float],
    ) -> Told:
        """What was done before counts as well, all alike."""
        return cls(job, {each.name: each.epochs for each in trainings}, before, weight)

    def part(self, name: str) -> Part:
        """What one of them speaks to."""
        return Part(self, name)

    def ended(self, name: str) -> None:
        """No epoch of this one is to come any more, whatever its recipe says."""
        self.done[name] = self.epochs[name]

    def counted(self, epochs: dict[str, int]) -> int:
        """So many epochs of each, all told."""
        return round(sum(self.weight.get(name, 1.0) * n for name, n in epochs.items()))


@dataclass(frozen=True, slots=True)
class Part:
    """The Progress of one of several trainings: what it says is told as a part of the whole."""

    told: Told
    name: str

    def report(self, done: int, total: int, text: str = "") -> None:
        """So many epochs of this one; how far all are is passed on."""
        told = self.told
        told.done[self.name] = max(told.done[self.name], done)
        told.job.report(told.counted(told.done), told.counted(told.epochs), text)

    def check(self) -> None:
        """Ask the whole; it may wait here."""
        self.told.job.check()

    def partial(self, payload: object) -> None:
        """Pass it on."""
        self.told.job.partial(payload)


@dataclass(frozen=True, slots=True)
class Line:
    """The Progress of a training in its process: all that is said goes to the parent."""

    pipe: Connection

    def report(self, done: int, total: int, text: str = "") -> None:
        """Tell how far it is."""
        self.pipe.send(("report", (done, total, text)))

    def check(self) -> None:
        """Wait until the parent lets it go on: not before a pause is over."""
        self.pipe.send(("check", ()))
        self.pipe.recv()

    def partial(self, payload: object) -> None:
        """Hand it over."""
        self.pipe.send(("partial", (payload,)))


@dataclass(slots=True)
class _Crew:
    """The processes that train, seen from their parent; `end_of` says when each must end."""

    told: Told
    resume: bool
    end_of: Callable[[str], float]
    running: dict[Connection, tuple[str, BaseProcess]] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)

    def train(self, trainings: Sequence[Training[T]], at_once: int) -> dict[str, str]:
        """Train all of them; why each stopped, by name."""
        waiting = list(trainings)
        try:
            while waiting or self.running:
                while waiting and len(self.running) < at_once:
                    self._start(waiting.pop(0))
                self.told.job.check()
                ready = wait(list(self.running), _LOOK_EVERY_S)
                for pipe in [each for each in self.running if each in ready]:
                    self._hear(pipe)
        finally:
            for pipe in list(self.running):
                self._let_go(pipe)
        return self.stopped

    def _start(self, training: Training[T]) -> None:
        context: SpawnContext = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        end = self.end_of(training.name)
        child = context.Process(
            target=_child, args=(training, self.resume, end, theirs), daemon=True
        )
        self.running[ours] = training.name, child
        try:
            child.start()
        except (RuntimeError, OSError) as error:  # no shared memory, no process, no open file more
            raise MedviewError(
                f"no process can be started for {training.name}", do=_ALONE, code="MV-TRN-002"
            ) from error
        finally:
            theirs.close()

    def _hear(self, pipe: Connection) -> None:
        """One word of a child; raise what it failed with."""
        name, _ = self.running[pipe]
        try:
            kind, given = pipe.recv()
        except (EOFError, OSError):
            raise MedviewError(
                "a training ended without a word, perhaps for want of memory",
                do=_ALONE,
                code="MV-TRN-002",
            ) from None
        part = self.told.part(name)
        if kind == "failed":
            raise given
        if kind == "report":
            part.report(*given)
        elif kind == "partial":
            part.partial(*given)
        elif kind == "check":
            part.check()
            with suppress(OSError):  # one that is gone is told of when it is listened to
                pipe.send(_GO_ON)
        else:
            self.stopped[name] = given
            self.told.ended(name)
            self._let_go(pipe)

    def _let_go(self, pipe: Connection) -> None:
        _, child = self.running.pop(pipe)
        if child.pid is not None:
            child.terminate()  # what it has done is on the disk
            child.join()
        pipe.close()


def _child(training: Training[T], resume: bool, end: float, pipe: Connection) -> None:
    """Train one network in this process, and say so."""
    torch.set_num_threads(1)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        trainer = training.begun(resume=resume)
        _to_end(Line(pipe), training, trainer, end)
    except Exception as error:  # whatever it is, the parent must not wait for more
        pipe.send(("failed", error))
        if isinstance(error, MedviewError):
            raise SystemExit(1) from error
        raise
    pipe.send(("ended", trainer.stopped))


def _leave_with_parent() -> None:
    """End this process as soon as its parent is gone: that one may have been killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
