"""Fine-tuning from the window: a version and cases are chosen, and all that is done with them.

The training itself is ``training_run``'s, what comes of it ``tuning_outcome``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from medview.domain.errors import Cancelled, MedviewError
from medview.domain.training import FinetuneRequest
from medview.services.checking import Checking
from medview.services.earlier_trainings import EarlierTrainings
from medview.services.gathering import Gathering
from medview.services.jobs import Job, Jobs
from medview.services.locked_set import LockedSet
from medview.services.model_library import ModelLibrary
from medview.services.rate_search import RateSearch
from medview.services.session import Session
from medview.services.settings import Preferences
from medview.services.tasks import Answers, Errand, Tasks
from medview.services.training import METHODS, TRAINERS
from medview.services.training_folder import Left, TrainingFolder
from medview.services.training_request import request_of
from medview.services.training_run import TrainingRun
from medview.services.training_taken_up import taken_up
from medview.services.tuned import Tuned, TuningState, Wish
from medview.services.tuning_outcome import TuningOutcome
from medview.services.varying import Varying
from medview.services.versions import Version

SURVEY = "medview.learning.finetune:survey"


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
        self._preferences = preferences
        self.state = TuningState(Wish(seed=preferences.seed))
        self.changed = self.state.changed
        self.library = Gathering(jobs, session, preferences, self.look)
        self.varying = Varying(jobs, session)
        self.locked = LockedSet(self._tasks, self.state)
        self.rates = RateSearch(self._tasks, self.state, self._request)
        self._checking = Checking(self._tasks, self._checked, self._not_checked)
        self._folder = TrainingFolder(preferences)
        outcome = TuningOutcome(self.state, self._folder, session, preferences, self.models)
        self.keep, self.reject = outcome.keep, outcome.reject
        self.earlier = EarlierTrainings(self._tasks, self.state, preferences)
        self._run = TrainingRun(
            self._tasks, session, self.state, self._folder, self.earlier, self._request
        )
        self.start, self.pause, self.stop = self._run.start, self._run.pause, self._run.stop
        self.finish_now, self.refresh = self._run.finish_now, self._run.refresh

    @property
    def now(self) -> Tuned:
        """What the fine-tuning is at."""
        return self.state.now

    @property
    def job(self) -> Job | None:
        """What trains, from when its folder is ready."""
        return self._run.job

    @property
    def title(self) -> str:
        """What the training under way is called in the list of jobs; empty without one."""
        return self._run.title

    @property
    def folder(self) -> Path:
        """Where the training under way writes."""
        return self._folder.path

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

    @property
    def _version(self) -> Version | None:
        """The version to start from; None while none is chosen that is there."""
        return next((v for v in self.choices() if v.name == self.now.wish.version), None)

    @property
    def _init(self) -> str | None:
        """Its weights."""
        return None if self._version is None else str(self._version.weights)

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
                    phase, self._run.begun = "stopped", self._run.begun or left.begun
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

    def reopen(self, offered: Callable[[str], object] = lambda words: None) -> None:
        """Take up a training of an earlier start, where there is one; `offered` is told how."""

        def seen(left: Left | None) -> None:
            if left is None or self.now.phase not in ("empty", "ready"):
                return
            found = taken_up(left, self.choices(), self._folder.weights)
            if found is None:
                return
            self._run.begun = left.begun
            if left.is_lost:
                self._folder.forget()
            self.state.set(**found.fields)
            offered(found.words)

        # The versions of one's own that it may be of are read before.
        self.models.look()
        self._folder.look(seen)
