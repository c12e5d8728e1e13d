"""A part of the ICU model in training: its stays, and what networks said that never saw them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medview.learning.icu_stays import Stay
from medview.learning.icu_tasks import Done, Rows, Task

Labels = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """A part with its stays, their labels (N, K) and what its tasks came to."""

    name: str
    outputs: tuple[str, ...]
    stays: list[Stay]
    labels: Labels
    done: dict[str, tuple[Task, Done]]

    def scores(self, phase: str, variant: str = "") -> NDArray[np.float64] | None:
        """Mean over members of what networks said that never saw the stay, (N, K); NaN where
        none did. None where no task of the phase is done.
        """
        tasks = [pair for pair in self.done.values() if pair[0].phase == phase]
        if not tasks:
            return None
        total, count = np.zeros_like(self.labels), np.zeros(len(self.labels))
        for task, done in tasks:
            total[task.held] += done.variants[variant] if variant else done.scores
            count[task.held] += 1
        with np.errstate(invalid="ignore"):
            return np.asarray(total / count[:, None], dtype=np.float64)

    def parts(self, phase: str) -> list[Rows]:
        """The stays that were left out together in a phase."""
        return [
            task.held for task, _ in self.done.values() if task.phase == phase and not task.member
        ]

    @property
    def subset(self) -> str:
        """Names of the sets that the stays are from."""
        return ",".join(dict.fromkeys(stay.case.subset for stay in self.stays))
