"""Fine-tuning from the window: cases looked at, a training followed, the outcome kept or not.

The training is another process; its curve is read from history.csv, so what is drawn is what is
on the disk. A training that is stopped leaves its checkpoint and goes on from it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from medview.domain.errors import Cancelled, MedviewError
from medview.domain.training import FinetuneRequest
from medview.services.audit import note
from medview.services.case_table import case_lines
from medview.services.checking import Checking
from medview.services.gathering import Gathering
from medview.services.histories import Curves
from medview.services.jobs import Job, Jobs
from medview.services.locked_set import LockedSet
from medview.services.rate_search import RateSearch
from medview.services.recipes import epochs_of
from medview.services.runs import RUNS, keep_run, write_run
from medview.services.session import Message, Session
from medview.services.settings import Preferences
from medview.services.tasks import Answers, Errand, Tasks
from medview.services.training import METHODS, TRAINERS
from medview.services.training_notes import (
    Expected,
    expected,
    note_time,
    read_wish,
    write_wish,
)
from medview.services.training_pace import Pace, curves_in, newest_preview, was_interrupted
from medview.services.training_request import (
    as_begun,
    as_wish,
    epochs_wished,
    errand_of,
    request_of,
)
from medview.services.tuned import Tuned, TuningState
from medview.services.varying import Varying
from medview.services.versions import WEIGHTS, Version, register, versions

SURVEY = "medview.learning.finetune:survey"
# Hints that ``medview.learning.finetune`` understands.
PAUSE, GO_ON = "pause", "go on"
AT_ONCE = 1e-4
"""Minutes: a training that goes on ends after its first epoch."""


class Tuning:
    """Runs one fine-tuning at a time; ``changed`` tells of each new snapshot."""

    def __init__(self, jobs: Jobs, session: Session, preferences: Preferences) -> None:
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._preferences = preferences
        self.state = TuningState()
        self.changed = self.state.changed
        self.library = Gathering(jobs, session, preferences, self.look)
        self.varying = Varying(jobs, session)
        self.locked = LockedSet(self._tasks, self.state)
        self.rates = RateSearch(self._tasks, self.state, self._request)
        self._checking = Checking(self._tasks, self._checked, self._not_checked)
        self._job: Job | None = None
        self._finish_after_stop = False
        self._is_keeping = self._is_reading = False
        self._pace = Pace()
        self._title = ""
        self._asked: FinetuneRequest | None = None
        self._begun: dict[str, Any] = {}

    @property
    def now(self) -> Tuned:
        """What the fine-tuning is at."""
        return self.state.now

    @property
    def title(self) -> str:
        """What the training under way is called in the list of jobs; empty without one."""
        return self._title if self.now.phase == "running" else ""

    @property
    def folder(self) -> Path:
        """Where the training under way writes."""
        return self._preferences.folder / "training"

    @property
    def runs(self) -> Path:
        """Where curves and settings of earlier trainings are kept."""
        return self._preferences.folder / RUNS

    def choices(self) -> tuple[Version, ...]:
        """Versions that can be trained further."""
        return tuple(version for version in versions() if version.card.id in TRAINERS)

    def wish(self, **new: Any) -> None:
        """Choose a version, a method or a number of epochs; other cases may fit then."""
        now = self.now
        wish = replace(now.wish, **new)
        model = wish.version.partition("@")[0]
        if model != now.model and "rate" not in new:
            wish = replace(wish, rate=0.0)  # rates of other models say nothing of this one
        if wish.method not in METHODS.get(model, ("full",)):
            wish = replace(wish, method="full")
        again = wish.version != now.wish.version and now.data is not None
        of_other = (wish.version, wish.method) != (now.wish.version, now.wish.method)
        self.state.set(wish=wish, rates={} if of_other else now.rates)
        if self.now.model != now.model:
            self.library.forget()
        if again and self.now.data is not None:
            self.look(self.now.data)

    def expected(self) -> Expected | None:
        """Time and memory that Start would take; None where nothing is known of it."""
        cases = self.now.found.get("cases")
        if not cases:
            return None
        home, epochs = self._preferences.folder, epochs_wished(self.now)
        return expected(home, self._kind, epochs=epochs, cases=cases)

    @property
    def _kind(self) -> str:
        return f"{self.now.model} {self.now.wish.method}"

    # -- cases -----------------------------------------------------------------------------

    def look(self, data: Path) -> Job:
        """Count the cases of a folder or case list, for the chosen version; then read each once."""
        self._checking.give_up()
        self.varying.forget()
        self.state.set(
            phase="looking",
            data=data,
            found={},
            refused="",
            is_checked=False,
            outcome={},
            kept="",
            curves={},
            rates={},
            preview=None,
        )
        errand = Errand(
            "Looking at cases",
            "compute",
            SURVEY,
            (self.now.model, (str(data),)),
            about=data.name,
            key="survey",
        )
        return self._tasks.run(errand, Answers(self._found, self._unusable))

    def _found(self, found: Mapping[str, Any]) -> None:
        if not found["cases"] or self.now.data is None:
            self.state.set(phase="empty", found=found)
            return
        self.state.set(phase="checking", found=found)
        self.locked.look()
        self._checking.run(self.now.model, self.now.data)

    def _checked(self, found: Mapping[str, Any]) -> None:
        phase = "stopped" if was_interrupted(self.folder) else "ready"
        phase = phase if found["cases"] else "empty"
        self.state.set(phase=phase, found=found, is_checked=True)

    def _not_checked(self, error: MedviewError) -> None:
        """The reader did not wait: what cannot be read is then left out by the training."""
        if isinstance(error, Cancelled):
            self._checked(self.now.found)
            self.state.set(is_checked=False)
        else:
            self._unusable(error)

    def _unusable(self, error: MedviewError) -> None:
        self.state.set(phase="empty", refused=f"{error.what}. {error.do}".strip())

    # -- the training ----------------------------------------------------------------------

    def _request(
        self, *, resume: bool = False, max_minutes: float | None = None
    ) -> FinetuneRequest | None:
        """The training that Start would begin; None where none may start."""
        now, settings = self.now, self._preferences.settings
        version = next((v for v in self.choices() if v.name == now.wish.version), None)
        if now.data is None or version is None or not now.may_start:
            return None
        return request_of(
            now, version, settings, self.folder, resume=resume, max_minutes=max_minutes
        )

    def start(self, *, resume: bool = False, max_minutes: float | None = None) -> Job | None:
        """Train; with `resume` go on from the checkpoint of a training that was stopped.

        It ends after `max_minutes`, with the best weights until then. What goes on is what was
        begun, with its cases and its method, whatever was chosen since.
        """
        if resume:
            self.state.set(**as_begun(self._begun or read_wish(self.folder)))
        request = self._request(resume=resume, max_minutes=max_minutes)
        if request is None:
            return None
        if not resume:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._asked, self._begun = request, as_wish(self.now)
        if not self._session.private:
            # Names of folders are remembered by nobody then; it goes on as long as the window does.
            folder, begun = self.folder, self._begun
            self._preferences.writer.put(lambda: write_wish(folder, begun))
        self._pace = Pace()
        self.state.set(
            phase="running",
            epochs=epochs_of(request.train.recipe),
            outcome={},
            kept="",
            lines=(),
            is_paused=False,
            seconds_left=None,
            base=Path(request.train.init or ""),
            preview=newest_preview(self.folder) if resume else None,
        )
        errand = errand_of(self.now, request)
        self._title = errand.title
        self._job = self._tasks.run(errand, Answers(self._done, self._stopped))
        return self._job

    def stop(self) -> None:
        """Stop the training; its checkpoint stays."""
        if self._job is not None and self.now.phase == "running":
            self._finish_after_stop = False
            self._job.cancel()

    def finish_now(self) -> None:
        """Stop after the last whole epoch, and go on with the best weights until then."""
        if self._job is not None and self.now.phase == "running":
            self._finish_after_stop = True
            self._job.cancel()

    def pause(self, *, on: bool) -> None:
        """Let the training wait after the present epoch, or go on."""
        if self._job is not None and self.now.phase == "running":
            self._job.hint = PAUSE if on else GO_ON
            self.state.set(is_paused=on)

    def reopen(self) -> bool:
        """Offer to go on with a training that was interrupted; False where there is none."""
        kept = read_wish(self.folder)
        left = was_interrupted(self.folder) and kept.get("data")
        if not left or self.now.phase not in ("empty", "ready"):
            return False
        begun = as_begun(kept)
        if not any(version.name == begun["wish"].version for version in self.choices()):
            return False
        self.state.set(phase="stopped", curves=curves_in(self.folder), **begun)
        return True

    def refresh(self) -> None:
        """Have the curve read again, while a training runs; one reading at a time."""
        if self.now.phase != "running" or self._is_reading:
            return
        self._is_reading = True
        folder, job = self.folder, self._job
        read: list[tuple[Curves, Path | None]] = []

        def done() -> None:
            self._is_reading = False
            if self.now.phase == "running" and self._job is job:
                self._show(*read[0])

        def failed(error: MedviewError) -> None:
            self._is_reading = False

        self._preferences.writer.put(
            lambda: read.append((curves_in(folder), newest_preview(folder))),
            done=done,
            failed=failed,
        )

    def _show(self, curves: Curves, preview: Path | None) -> None:
        if (curves, preview) != (self.now.curves, self.now.preview):
            pid = self._job.pid if self._job is not None else None
            told = self._pace.told(curves, self.now.epochs, pid)
            self.state.set(curves=curves, preview=preview, **told)

    def _stopped(self, error: MedviewError) -> None:
        left = (self.folder / "checkpoint").is_dir()
        phase = "stopped" if left else "ready"
        self.state.set(phase=phase, curves=curves_in(self.folder), is_paused=False)
        if left and self._finish_after_stop:
            self._finish_after_stop = False
            self.start(resume=True, max_minutes=AT_ONCE)

    # -- what comes of it ------------------------------------------------------------------

    def _done(self, outcome: Mapping[str, Any]) -> None:
        self._note_run(outcome)
        self.state.set(
            lines=case_lines(self.folder, self.now.found.get("files", {})),
            is_paused=False,
            phase="done",
            outcome=outcome,
            curves=curves_in(self.folder),
            preview=self.folder / WEIGHTS,
        )

    def _note_run(self, outcome: Mapping[str, Any]) -> None:
        """Keep curve, settings and time of the training, beside the window."""
        home, folder, asked, kind = self._preferences.folder, self.folder, self._asked, self._kind
        seconds, epochs = self._pace.seconds, int(outcome.get("epochs") or 1)
        cases, memory = int(self.now.found.get("cases", 0)), self.now.memory_mb or 0.0

        def work() -> None:
            if asked is not None:
                write_run(folder, asked.model, asked.train, outcome)
                keep_run(home, folder)
            note_time(home, kind, seconds=seconds, epochs=epochs, cases=cases, memory_mb=memory)

        # The panel counts the runs that are kept: it is told when this one is.
        self._preferences.writer.put(work, done=self.state.set)

    def keep(self, name: str, *, accept_worse: bool = False) -> None:
        """Make a version of the outcome; a message says why where that cannot be.

        One that is worse on the locked set is kept only with `accept_worse`.
        """
        now, weights = self.now, self.folder / WEIGHTS
        if now.worse_on_locked and not accept_worse:
            worse = ", ".join(now.worse_on_locked)
            text = f"The new version is worse on the locked set ({worse}). It was not kept."
            self._session.message = Message(text, "warning")
        elif not self._is_keeping:
            self._is_keeping = True
            made: list[Version] = []

            def work() -> None:
                made.append(register(weights, name))
                note("accepted", {"version": made[0].name, "worse": list(now.worse)})

            self._preferences.writer.put(
                work, done=lambda: self._kept(made[0]), failed=self._not_kept
            )

    def _kept(self, version: Version) -> None:
        self._is_keeping = False
        if self.now.phase == "done":  # else other cases were looked at meanwhile
            self.state.set(phase="kept", kept=version.name, preview=None)

    def _not_kept(self, error: MedviewError) -> None:
        self._is_keeping = False
        self._session.message = Message.of(error)

    def reject(self) -> None:
        """Throw the outcome away; everything is as it was before."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.state.set(phase="ready", outcome={}, curves={}, preview=None, lines=())
