"""Time and memory of a training: said before it starts, and noted when it is over."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medview.cli.contract import Context
from medview.cli.progress import in_time
from medview.domain.errors import DataError, MedviewError
from medview.io.installation import home
from medview.io.tables import read_table
from medview.services.recipes import epochs_of
from medview.services.training_notes import (
    Amount,
    Expected,
    expected,
    note_time,
    read_times,
)

SURVEY = "medview.learning.finetune:survey"


@dataclass(slots=True)
class Expecting:
    """One training of a model in a way ("train" or a method), by what such ones took here.

    The first of its kind on a machine can only be noted.
    """

    context: Context
    model: str
    way: str
    recipe: Mapping[str, Any]
    _began: float = field(default_factory=time.monotonic)
    _amount: Amount = field(init=False)

    def __post_init__(self) -> None:
        options, folds = self.context.options, int(self.recipe.get("folds") or 0)
        self._amount = Amount.of(
            self.model, self.way, folds=folds, threads=options.threads, device=options.device
        )

    def say(self, data: tuple[str, ...]) -> Expected | None:
        """Say on stderr what to expect, and return it; None where none of its kind has run here."""
        times, kind = read_times(home()), self._amount.kind
        if expected(times, kind, epochs=1, cases=1) is None:
            self.context.say("How long this takes is not known yet: the first of its kind here.")
            return None
        try:
            cases = int(self.context.call("train", SURVEY, self.model, data)["cases"])
        except MedviewError:
            return None  # the training itself says what is wrong
        epochs = self._amount.rounds * (epochs_of(self.recipe) or 1)
        found = expected(times, kind, epochs=epochs, cases=max(1, cases))
        if found is None:
            return None
        memory = f", {found.memory_mb:.0f} MB of memory" if found.memory_mb else ""
        self.context.say(f"Expected: about {in_time(found.seconds)}{memory}.")
        return found

    def note(self, body: Mapping[str, Any], out: Path) -> None:
        """Keep what it took, for the next of its kind; `out` is where it was written.

        Ends the children: the system tells the memory of those only that have ended.
        """
        self.context.close()
        try:
            cases = len(read_table(out / "splits.csv").rows)
        except DataError:
            return
        note_time(
            home(),
            self._amount.kind,
            seconds=time.monotonic() - self._began,
            epochs=self._amount.rounds * int(body.get("epochs") or 0),
            cases=cases,
            memory_mb=_most_memory_mb() * self._amount.at_once,
        )


def as_answer(found: Expected | None) -> dict[str, float] | None:
    """What was expected, for the answer."""
    if found is None:
        return None
    return {"seconds": round(found.seconds, 1), "memory_mb": round(found.memory_mb)}


def _most_memory_mb() -> float:
    """Highest memory of any child that has ended."""
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)
