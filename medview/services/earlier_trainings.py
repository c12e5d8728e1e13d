"""What the trainings of this machine have left: curves with settings, and how long each took."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from medview.domain.errors import MedviewError
from medview.domain.training import FinetuneRequest
from medview.services.known import Known
from medview.services.recipes import read_recipe
from medview.services.runs import RUNS, Run, count_runs, keep_run, write_run
from medview.services.settings import Preferences
from medview.services.tasks import Answers, Errand, Tasks
from medview.services.training_notes import (
    Amount,
    Expected,
    expected,
    note_time,
    read_times,
)
from medview.services.training_request import epochs_wished
from medview.services.tuned import TuningState

READ_RUNS = "medview.services.runs:read_all"


class EarlierTrainings:
    """Kept in the program's own folder; the state is told when another is found there."""

    def __init__(self, tasks: Tasks, state: TuningState, preferences: Preferences) -> None:
        self._tasks, self._state, self._preferences = tasks, state, preferences
        writer = preferences.writer
        self._times: Known[dict[str, Any]] = Known(
            lambda: read_times(preferences.folder), {}, writer
        )
        self._kept = Known(lambda: count_runs(self.folder), 0, writer)
        # The panel shows what lies on the disk: it is told that this is another now.
        self._times.changed.connect(lambda: state.set())
        self._kept.changed.connect(lambda: state.set())

    @property
    def folder(self) -> Path:
        """Where their curves and settings are kept."""
        return self._preferences.folder / RUNS

    @property
    def count(self) -> int:
        """How many of them there are."""
        return self._kept.now

    def read(
        self,
        folders: Sequence[Path],
        done: Callable[[tuple[Run, ...]], object],
        failed: Callable[[MedviewError], object],
    ) -> None:
        """Have the trainings in these folders read, wherever they lie."""
        errand = Errand("Reading trainings", "files", READ_RUNS, (tuple(folders),))
        self._tasks.run(errand, Answers(done, failed))

    def expected(self) -> Expected | None:
        """Time and memory that the chosen one would take; None where nothing is known of it."""
        now = self._state.now
        cases = now.found.get("cases")
        if not cases:
            return None
        amount = self._amount
        epochs = amount.rounds * epochs_wished(now)
        return expected(self._times.now, amount.kind, epochs=epochs, cases=cases)

    def keep(
        self,
        folder: Path,
        asked: FinetuneRequest | None,
        outcome: Mapping[str, Any],
        seconds: float,
    ) -> None:
        """Keep curve, settings and time of a training that is over; `folder` is where it wrote."""
        now, home = self._state.now, self._preferences.folder
        kind, epochs = self._amount.kind, self._amount.rounds * int(outcome.get("epochs") or 1)
        cases, memory = int(now.found.get("cases", 0)), now.memory_mb or 0.0

        def work() -> None:
            if asked is not None:
                write_run(folder, asked.model, asked.train, outcome)
                keep_run(home, folder)
            note_time(home, kind, seconds=seconds, epochs=epochs, cases=cases, memory_mb=memory)

        # The panel counts the runs that are kept: it is told when this one is.
        self._preferences.writer.put(work, done=self._state.set)

    @property
    def _amount(self) -> Amount:
        """Trainings of one kind take as long as each other, by their amount."""
        now, settings = self._state.now, self._preferences.settings
        own = {} if now.is_fit else read_recipe(now.model)
        return Amount.of(
            now.model,
            now.wish.method,
            folds=now.wish.folds or int(own.get("folds") or 0),
            threads=settings.threads or None,
            device=settings.device,
        )
