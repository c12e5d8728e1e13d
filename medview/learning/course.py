"""The course of a training, alike for every model: its start, its epochs, its end, its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from medview.domain.progress import Progress
from medview.domain.training import Place, TrainRequest
from medview.learning.checkpoint import EpochReport
from medview.learning.devices import choose_device, name_of
from medview.learning.subset import LeftOut


class Trainer(Protocol):
    """What trains one network, or several at once, epoch by epoch."""

    stopped: str
    """Why it ended: "epochs", "patience" or "time"."""

    def fit(self) -> Iterator[EpochReport]:
        """Train to the end, one report an epoch; close the iterator to stop."""


@dataclass(frozen=True, slots=True)
class Course:
    """A training under way: its device, its folder and its time.

    `began` and `until` are moments of ``time.perf_counter``, in s.
    """

    device: str
    out: Path
    began: float
    until: float

    @classmethod
    def start(
        cls,
        job: Progress,
        request: TrainRequest,
        *,
        threads: int | None = None,
        only_cpu: bool = True,
    ) -> Course:
        """Settle device and threads, and tell of them.

        Where the request names no threads, `threads` count (None: torch's own). `only_cpu`
        networks are too small to gain by a GPU.

        Raises
        ------
        ModelInputError
            There is no such GPU.
        """
        began = time.perf_counter()
        chosen = request.threads or threads
        if chosen:
            torch.set_num_threads(chosen)
        device = choose_device(request.device)
        if only_cpu:
            device = "cpu"
        job.partial(Place(name_of(device), torch.get_num_threads()))
        return cls(device, Path(request.out), began, end_after(request.max_minutes, began))

    @property
    def is_over(self) -> bool:
        """Whether all the time that the request gives is spent."""
        return time.perf_counter() > self.until

    def made_folder(self) -> Path:
        """The folder to write into, made where it is missing: call it once the data are usable."""
        self.out.mkdir(parents=True, exist_ok=True)
        return self.out

    def answer(
        self,
        *,
        epochs: int,
        best_epoch: int,
        stopped: str,
        n: Mapping[str, int],
        weights_sha256: str,
        health: Sequence[Mapping[str, object]],
        skipped: Sequence[LeftOut] | None = None,
    ) -> dict[str, Any]:
        """The body of ``medview.train/1``; `n` are patients by part of the data."""
        body: dict[str, Any] = {
            "epochs": epochs,
            "best_epoch": best_epoch,
            "stopped": stopped,
            "n": dict(n),
            "seconds": round(time.perf_counter() - self.began, 1),
            "weights_sha256": weights_sha256,
            "health": list(health),
        }
        if skipped is not None:
            body["skipped"] = [one.as_dict() for one in skipped]
        return body


def end_after(minutes: float | None, began: float | None = None) -> float:
    """When a training of so many minutes ends, by ``time.perf_counter``; never without a limit.

    It begins now, or `began` then.
    """
    if not minutes:
        return float("inf")
    return (time.perf_counter() if began is None else began) + 60 * minutes


def epochs_of(
    job: Progress, trainer: Trainer, is_over: Callable[[], bool], name: str = ""
) -> Iterator[EpochReport]:
    """Run the epochs of a trainer and tell of each; `is_over` is asked after each one.

    When it says so before the last one, the trainer is left as it is, stopped for its time.

    Raises
    ------
    Cancelled
        The user asked to stop.
    """
    front = f"{name}: " if name else ""
    job.report(0, 1, f"{front}learning")  # an epoch may take minutes
    for report in trainer.fit():
        job.check()
        job.report(report.epoch, report.epochs, f"{front}epoch {report.epoch} / {report.epochs}")
        job.partial(report)
        yield report
        if is_over() and report.epoch < report.epochs:
            trainer.stopped = "time"
            return
