"""Cases of studies that were read here: found, chosen, and written as a case list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from psygnal import Signal

from medview.domain.errors import Cancelled, MedviewError
from medview.domain.local_case import LocalCase, LocalCases, LocalWish
from medview.services.jobs import Job, Jobs
from medview.services.session import Session
from medview.services.settings import Preferences
from medview.services.tasks import Answers, Errand, Tasks

GATHER = "medview.services.local_work:gather"
WRITE = "medview.services.local_work:write"
FOLDER, LIST = "local-cases", "cases.csv"


class Gathering:
    """Keeps what was found; ``changed`` tells of it. `written` is told the case list's path.

    Looked through are what is open and what was opened before; in private mode nothing is known
    of the latter.
    """

    changed = Signal()

    def __init__(
        self,
        jobs: Jobs,
        session: Session,
        preferences: Preferences,
        written: Callable[[Path], object],
    ) -> None:
        self._tasks = Tasks(jobs, session)
        self._session, self._preferences = session, preferences
        self._written = written
        self.found: tuple[LocalCase, ...] = ()
        self.chosen: frozenset[str] = frozenset()
        self.skipped: tuple[tuple[str, str], ...] = ()
        self.refused = ""
        self.is_looking = False
        self.states = False

    @property
    def folder(self) -> Path:
        """Where the case list and its masks lie."""
        return self._preferences.folder / FOLDER

    def look(self, model: str, *, states: bool = False) -> Job:
        """Find cases for a model; with `states` as ``domain.local_case.STATED`` says."""
        self.is_looking, self.states, self.refused = True, states, ""
        self.changed.emit()
        root, session = self._preferences.folder, self._session
        wish = LocalWish(
            model=model,
            paths=tuple(Path(path) for path in self._preferences.settings.recent),
            results=root / "results",
            out=self.folder,
            open_now=session.catalogue,
            drawings=tuple(session.drawings.items()),
            workspaces=root / "workspaces",
            states=states,
            private=session.private,
        )
        errand = Errand("Looking for cases read here", "train", GATHER, (wish,), key="gather")
        return self._tasks.run(errand, Answers(self._gathered, self._failed))

    def choose(self, case: str, *, on: bool) -> None:
        """Take a case in or leave it out; one without a label cannot be taken in."""
        usable = {one.case for one in self.found if one.is_labelled}
        chosen = self.chosen | {case} if on else self.chosen - {case}
        self.chosen = frozenset(chosen & usable)
        self.changed.emit()

    def use(self) -> Job | None:
        """Write the chosen cases as a case list; None where none is chosen."""
        cases = tuple(one for one in self.found if one.case in self.chosen)
        if not cases:
            return None
        errand = Errand("Writing the case list", "files", WRITE, (self.folder / LIST, cases))
        return self._tasks.run(errand, Answers(lambda path: self._written(Path(path))))

    def forget(self) -> None:
        """Show none: other cases were chosen, or they are for another model."""
        self.found, self.skipped, self.refused, self.chosen = (), (), "", frozenset()
        self.changed.emit()

    def _gathered(self, found: LocalCases) -> None:
        before = {one.case for one in self.found if one.is_labelled} - self.chosen
        self.found, self.skipped, self.is_looking = found.cases, found.skipped, False
        labelled = {one.case for one in found.cases if one.is_labelled}
        self.chosen = frozenset(labelled - before)
        self.changed.emit()

    def _failed(self, error: MedviewError) -> None:
        self.found, self.chosen, self.is_looking = (), frozenset(), False
        stopped = isinstance(error, Cancelled)
        self.refused = "" if stopped else f"{error.what}. {error.do}".strip()
        self.changed.emit()
