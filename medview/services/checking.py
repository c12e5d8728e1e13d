"""The cases of a training read one by one in a child; what ends the child is only one case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from medview.domain.case_check import TAKE_OUT, Fault, Tried
from medview.domain.errors import Cancelled, MedviewError, WorkerDied
from medview.services.tasks import Answers, Errand, Tasks

CHECK = "medview.learning.case_check:check"
_ENDED = "the program that reads it ended at this file"


class Checking:
    """Reads each case of some data once, before a training.

    `done` is told what the check found, `failed` why it could not be made or was cancelled.
    """

    def __init__(
        self,
        tasks: Tasks,
        done: Callable[[Mapping[str, Any]], object],
        failed: Callable[[MedviewError], object],
    ) -> None:
        self._tasks, self._done, self._failed = tasks, done, failed
        self._asked: tuple[str, Path, str | None] | None = None
        self._tried: tuple[str, ...] = ()
        self._faults: tuple[Fault, ...] = ()
        self._begun: Tried | None = None

    def run(self, model: str, data: Path, init: str | None = None) -> None:
        """Read all cases for a training from the weights `init`; a check that runs is given up."""
        self._asked, self._tried, self._faults, self._begun = (model, data, init), (), (), None
        self._go_on()

    def give_up(self) -> None:
        """Stop without a word: other cases are looked at."""
        self._tasks.drop("check")

    def _go_on(self) -> None:
        if self._asked is None:
            return
        model, data, init = self._asked
        errand = Errand(
            "Reading each case once",
            "train",
            CHECK,
            (model, (str(data),), self._tried, self._faults, init),
            about=data.name,
            key="check",
        )
        self._tasks.run(errand, Answers(self._done, self._stopped, self._heard))

    def _heard(self, tried: Tried) -> None:
        self._begun = None if tried.is_over else tried
        if tried.is_over:
            self._tried = (*self._tried, tried.key)
            if tried.fault is not None:
                self._faults = (*self._faults, tried.fault)

    def _stopped(self, error: MedviewError) -> None:
        """Go on behind a file at which the child ended; anything else is told."""
        begun = self._begun
        if begun is None or isinstance(error, Cancelled) or not isinstance(error, WorkerDied):
            self._failed(error)
            return
        self._tried = (*self._tried, begun.key)
        self._faults = (*self._faults, Fault(begun.key, begun.case, _ENDED, do=TAKE_OUT))
        self._begun = None
        self._go_on()
