"""Fine-tuning from the window: cases looked at, a training followed, the outcome kept or not.

The training is another process; its curve is read from history.csv, so what is drawn is what is
on the disk. A training that is stopped leaves its checkpoint and goes on from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medview.domain.errors import Cancelled, DataError, MedviewError
from medview.domain.training import FinetuneRequest
from medview.services.checking import Checking
from medview.services.gathering import Gathering
from medview.services.histories import Curves
from medview.services.jobs import Job, Jobs
from medview.services.known import Known
from medview.services.locked_set import LockedSet
from medview.services.model_library import ModelLibrary
from medview.services.rate_search import RateSearch
from medview.services.recipes import epochs_of, halved
from medview.services.runs import RUNS, Run, count_runs, keep_run, write_run
from medview.services.session import Session
from medview.services.session_values import Message, Way
from medview.services.settings import Preferences
from medview.services.tasks import Answers, Errand, Tasks
from medview.services.training import METHODS, TRAINERS
from medview.services.training_folder import Left, TrainingFolder
from medview.services.training_notes import (
    Expected,
    advised,
    expected,
    note_time,
    read_times,
)
from medview.services.training_pace import Pace
from medview.services.training_request import (
    as_begun,
    as_wish,
    epochs_wished,
    errand_of,
    request_of,
)
from medview.services.training_taken_up import taken_up
from medview.services.tuned import Tuned, TuningState
from medview.services.tuning_outcome import TuningOutcome
from medview.services.varying import Varying
from medview.services.versions import Version

READ_RUNS = "medview.services.runs:read_all"
SURVEY = "medview.learning.finetune:survey"
# Hints that ``medview.learning.finetune`` understands.
PAUSE, GO_ON = "pause", "go on"
_OTHERS = "Other cases were chosen, or something runs on them. Start the training in its panel."
AT_ONCE = 1e-4
"""Minutes: a training that goes on ends after its first epoch."""


class Tuning:
    """Runs one fine-tuning at a time; ``changed`` tells of each new snapshot."""

    def __init__(
        self,
        jobs: Jobs,
        session: Session,
        preferences: Preferences,
        models: ModelLibrary | None = None,
    ) -> None:
        writer = preferences.writer
        self.models = models or ModelLibrary(jobs, session, writer=writer)
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
        self._errand: Errand | None = None
        self._finish_after_stop = False
        self._is_ending = False
        self._is_reading = False
        self._folder = TrainingFolder(preferences)
        outcome = TuningOutcome(self.state, self._folder, session, preferences, self.models)
        self.keep, self.reject = outcome.keep, outcome.reject
        self._pace = Pace()
        self._title = ""
        self._asked: FinetuneRequest | None = None
        self._begun: Mapping[str, Any] = {}
        self._times: Known[dict[str, Any]] = Known(
            lambda: read_times(preferences.folder), {}, writer
        )
        self._kept_runs = Known(lambda: count_runs(self.runs), 0, writer)
        # The panel shows what lies on the disk: it is told that this is another now.
        self._times.changed.connect(lambda: self.state.set())
        self._kept_runs.changed.connect(lambda: self.state.set())

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
        return self._folder.path

    @property
    def runs(self) -> Path:
        """Where curves and settings of earlier trainings are kept."""
        return self._preferences.folder / RUNS

    @property
    def kept_runs(self) -> int:
        """How many of them there are."""
        return self._kept_runs.now

    def read_runs(
        self,
        folders: Sequence[Path],
        done: Callable[[tuple[Run, ...]], object],
        failed: Callable[[MedviewError], object],
    ) -> None:
        """Have the trainings in these folders read, wherever they lie."""
        errand = Errand("Reading trainings", "files", READ_RUNS, (tuple(folders),))
        self._tasks.run(errand, Answers(done, failed))

    def choices(self) -> tuple[Version, ...]:
        """Versions that can be trained further."""
        return tuple(one for one in self.models.versions() if one.card.id in TRAINERS)

    def wish(self, **new: Any) -> None:
        """Choose a version, a method or a number of epochs; other cases may fit then."""
        now = self.now
        wish = replace(now.wish, **new)
        model = wish.version.partition("@")[0]
        if model != now.model and "rate" not in new:
            wish = replace(wish, rate=0.0)  # rates of other models say nothing of this one
        if wish.method not in METHODS.get(model, ("full",)):
            wish = replace(wish, method="full")
        if (model, wish.method) != (now.model, now.wish.method) and "halved" not in new:
            wish = replace(wish, halved=0)  # another network may have the room
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
        epochs = epochs_wished(self.now)
        return expected(self._times.now, self._kind, epochs=epochs, cases=cases)

    @property
    def _version(self) -> Version | None:
        """The version to start from; None while none is chosen that is there."""
        return next((v for v in self.choices() if v.name == self.now.wish.version), None)

    @property
    def _init(self) -> str | None:
        """Its weights."""
        return None if self._version is None else str(self._version.weights)

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
            (self.now.model, (str(data),), self._init),
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
        self._checking.run(self.now.model, self.now.data, self._init)

    def _checked(self, found: Mapping[str, Any], *, is_checked: bool = True) -> None:
        data = self.now.data

        def seen(left: Left | None) -> None:
            if (self.now.phase, self.now.data) == ("checking", data):
                phase = "ready"
                if left is not None and left.can_go_on:
                    phase, self._begun = "stopped", self._begun or left.begun
                phase = phase if found["cases"] else "empty"
                self.state.set(phase=phase, found=found, is_checked=is_checked)

        self._folder.look(seen)

    def _not_checked(self, error: MedviewError) -> None:
        """The reader did not wait: what cannot be read is then left out by the training."""
        if isinstance(error, Cancelled):
            self._checked(self.now.found, is_checked=False)
        else:
            self._unusable(error)

    def _unusable(self, error: MedviewError) -> None:
        self.state.set(phase="empty", refused=str(error))

    # -- the training ----------------------------------------------------------------------

    def _request(
        self, *, resume: bool = False, max_minutes: float | None = None
    ) -> FinetuneRequest | None:
        """The training that Start would begin; None where none may start."""
        now, settings = self.now, self._preferences.settings
        version = self._version
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
            self.state.set(**as_begun(self._begun))
        request = self._request(resume=resume, max_minutes=max_minutes)
        if request is None:
            return None
        self._asked, self._begun, self._is_ending = request, as_wish(self.now), False
        self._pace = Pace()
        self.state.set(
            phase="running",
            refused="",
            epochs=epochs_of(request.train.recipe),
            outcome={},
            kept="",
            lines=(),
            is_paused=False,
            is_finishing=max_minutes is not None,
            seconds_left=None,
            base=Path(request.train.init or ""),
            preview=self.now.preview if resume else None,
        )
        errand = self._errand = errand_of(self.now, request)
        self._title, self._job = errand.title, None
        self._begin(errand, resume=resume)
        return self._job

    def _begin(self, errand: Errand, *, resume: bool) -> None:
        """Delete what an earlier training left, or find what this one did; then begin."""

        def ready(left: Left | None) -> None:
            if self._errand is errand:
                answers = Answers(self._done, self._stopped, ways=self._ways)
                self._job = self._tasks.run(errand, answers)
                self.state.set(preview=left.preview if left is not None else None)

        # In private mode nobody remembers names of folders: it goes on as the window does.
        begun = None if self._session.private else self._begun
        self._folder.make_room(begun, ready, resume=resume)

    def _ways(self, error: MedviewError) -> tuple[Way, ...]:
        """With half as many cases in a step a training may do where memory ran out."""
        asked, times = self._asked, self.now.wish.halved + 1
        if asked is None or not halved(asked.train.recipe):
            return advised(error, None)

        def again() -> None:
            request = self._request()
            if request is not None and request.train.data == asked.train.data:
                self.wish(halved=times)
                self.start()
            else:
                self._session.message = Message(_OTHERS)

        return advised(error, again)

    def stop(self) -> None:
        """Stop the training; its checkpoint stays."""
        self._end(finish=False)

    def finish_now(self) -> None:
        """Stop after the last whole epoch, and go on with the best weights until then."""
        if not self.now.is_finishing:  # what finishes already would only be begun once more
            self._end(finish=True)

    def _end(self, *, finish: bool) -> None:
        if self.now.phase != "running":
            return
        self._finish_after_stop, self._errand = finish, None
        self.state.set(is_finishing=finish)
        if self._is_ending:  # the last wish counts, once the disk has answered
            return
        self._is_ending = True
        if self._job is not None:
            self._job.cancel()
        else:  # the disk has not even let it begin
            self._stopped(Cancelled("stopped by the user"))

    def pause(self, *, on: bool) -> None:
        """Let the training wait after the present epoch, or go on."""
        if self._job is not None and self.now.phase == "running":
            self._job.hint = PAUSE if on else GO_ON
            self.state.set(is_paused=on)

    def reopen(self, offered: Callable[[str], object] = lambda words: None) -> None:
        """Take up a training of an earlier start, where there is one; `offered` is told how."""

        def seen(left: Left | None) -> None:
            if left is None or self.now.phase not in ("empty", "ready"):
                return
            found = taken_up(left, self.choices(), self._folder.weights)
            if found is None:
                return
            self._begun = left.begun
            if left.is_lost:
                self._folder.forget()
            self.state.set(**found.fields)
            offered(found.words)

        # The versions of one's own that it may be of are read before.
        self.models.look()
        self._folder.look(seen)

    def refresh(self) -> None:
        """Have the curve read again, while a training runs; one reading at a time."""
        if self.now.phase != "running" or self._is_reading:
            return
        self._is_reading = True
        job = self._job

        def seen(left: Left | None) -> None:
            self._is_reading = False
            if left is not None and self.now.phase == "running" and self._job is job:
                self._show(left.curves, left.preview)

        self._folder.look(seen)

    def _show(self, curves: Curves, preview: Path | None) -> None:
        if (curves, preview) != (self.now.curves, self.now.preview):
            pid = self._job.pid if self._job is not None else None
            told = self._pace.told(curves, self.now.epochs, pid)
            self.state.set(curves=curves, preview=preview, **told)

    def _stopped(self, error: MedviewError) -> None:
        def seen(left: Left | None) -> None:
            left = left or Left()
            phase = "stopped" if left.has_checkpoint else "ready"
            if left.is_lost:  # the reader knows: it is not told once more at the next start
                self._folder.forget()
            # What is wrong with the cases stays beside them until others are looked at.
            refused = str(error) if isinstance(error, DataError) else ""
            self._is_ending = False
            self.state.set(
                phase=phase, curves=left.curves, is_paused=False, is_finishing=False,
                refused=refused,
            )  # fmt: skip
            if left.has_checkpoint and self._finish_after_stop:
                self._finish_after_stop = False
                self.start(resume=True, max_minutes=AT_ONCE)

        self._folder.look(seen)

    # -- what comes of it ------------------------------------------------------------------

    def _done(self, outcome: Mapping[str, Any]) -> None:
        def seen(left: Left | None) -> None:
            left = left or Left()
            self.state.set(
                lines=left.lines,
                is_paused=False,
                is_finishing=False,
                phase="done",
                outcome=outcome,
                curves=left.curves,
                preview=self._folder.weights,
            )

        self._folder.look(seen, self.now.found.get("files", {}))
        self._note_run(outcome)

    def _note_run(self, outcome: Mapping[str, Any]) -> None:
        """Keep curve, settings and time of the training."""
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
