"""Trainings of a few numbers, over in no time: what any that train side by side must bear."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from medview.domain.errors import DataError
from medview.learning.checkpoint import CHECKPOINT, EpochReport, read_checkpoint, write_checkpoint


@dataclass(slots=True, eq=False)
class Walker:
    """Takes a random step an epoch, and keeps where it is."""

    training: Walk
    place: torch.Tensor
    epoch: int = 0
    stopped: str = "epochs"

    def fit(self) -> Iterator[EpochReport]:
        """One report a step."""
        walk = self.training
        dice = torch.Generator()
        while self.epoch < walk.epochs:
            time.sleep(walk.pace_s)
            dice.manual_seed(walk.seed + self.epoch)
            self.place = self.place + walk.step * torch.randn(8, generator=dice)
            self.epoch += 1
            write_checkpoint(walk.folder, {"epoch": self.epoch, "place": self.place})
            yield EpochReport(self.epoch, walk.epochs, {}, walk.pace_s, True)
            if walk.tired_after and self.epoch >= walk.tired_after:
                self.stopped = "patience"
                return


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """A training; `accident` is what happens to it after its second epoch, if anything."""

    name: str
    folder: Path
    step: torch.Tensor
    epochs: int = 3
    seed: int = 0
    pace_s: float = 0.0
    accident: str = ""
    tired_after: int = 0

    def begun(self, *, resume: bool) -> Walker:
        """At the origin, or where the checkpoint is; it notes by whom and on how many threads."""
        (self.folder / "pid").write_text(f"{os.getpid()} {torch.get_num_threads()}")
        if not resume or not (self.folder / CHECKPOINT).is_file():
            return Walker(self, torch.zeros(8))
        kept = read_checkpoint(self.folder, names=("epoch", "place"), run=None)
        return Walker(self, kept["place"], kept["epoch"])

    def after_epoch(self, trainer: Walker, report: EpochReport) -> None:
        """Something happens, or nothing."""
        if self.accident and report.epoch == 2:
            if self.accident == "refused":
                raise DataError("the brain is upside down", file="a.nii", do="Turn it.")
            if self.accident == "mistake":
                raise ZeroDivisionError("of a network")
            os.kill(os.getpid(), signal.SIGKILL)


def walks(folder: Path, *names: str, **more: object) -> list[Walk]:
    """Some that share what they step with."""
    step = torch.linspace(0.5, 2.0, 8)
    return [
        Walk(name, folder / name, step, seed=100 * n, **more)  # type: ignore[arg-type]  # by name
        for n, name in enumerate(names)
    ]
