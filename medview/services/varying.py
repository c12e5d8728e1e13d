"""A case as a training sees it, changed as the recipe says, before anything is trained."""

from __future__ import annotations

from pathlib import Path

from psygnal import Signal

from medview.domain.errors import Cancelled, MedviewError
from medview.domain.varied import Varied
from medview.services.jobs import Job, Jobs
from medview.services.recipes import read_recipe
from medview.services.session import Session
from medview.services.tasks import Answers, Errand, Tasks

PREVIEW = "medview.learning.augment_preview:preview"


class Varying:
    """Keeps what was shown last; ``changed`` tells of it. Every case is asked for by its number."""

    changed = Signal()

    def __init__(self, jobs: Jobs, session: Session) -> None:
        self._tasks = Tasks(jobs, session)
        self.shown: Varied | None = None
        self.why_not = ""
        self.is_busy = False
        self._number = -1

    def show_next(self, model: str, data: Path, seed: int = 0) -> Job:
        """Draw the next case of the data, the first one at first."""
        self._number += 1
        self.is_busy, self.why_not = True, ""
        self.changed.emit()
        errand = Errand(
            "Changing a case as the recipe does",
            "compute",
            PREVIEW,
            (model, (str(data),), read_recipe(model), self._number, seed),
            key="preview of the recipe",
        )
        return self._tasks.run(errand, Answers(self._drawn, self._failed))

    def forget(self) -> None:
        """Other cases or another model: what was shown is of neither."""
        self._tasks.drop("preview of the recipe")
        self.shown, self.why_not, self.is_busy, self._number = None, "", False, -1
        self.changed.emit()

    def _drawn(self, shown: Varied) -> None:
        self.shown, self.is_busy = shown, False
        self.changed.emit()

    def _failed(self, error: MedviewError) -> None:
        self.is_busy = False
        self.why_not = "" if isinstance(error, Cancelled) else f"{error.what}. {error.do}".strip()
        self.changed.emit()
