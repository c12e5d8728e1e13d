"""A learning rate searched before a training: rising rates are tried for some steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from medview.domain.errors import Cancelled, MedviewError
from medview.domain.training import FINDERS, FinetuneRequest
from medview.services.jobs import Job
from medview.services.tasks import Answers, Errand, Tasks
from medview.services.tuned import TuningState

FIND_RATE = "medview.learning.rate_finder:find_rate"


class RateSearch:
    """One search at a time; `request` gives the training it is for, None where there is none."""

    def __init__(
        self, tasks: Tasks, state: TuningState, request: Callable[[], FinetuneRequest | None]
    ) -> None:
        self._tasks, self._state, self._request = tasks, state, request
        self._job: Job | None = None

    @property
    def can_find(self) -> bool:
        """Whether a learning rate can be searched for what was chosen."""
        now = self._state.now
        searchable = now.model in FINDERS and not now.is_fit
        return now.may_start and not now.is_finding and searchable

    def find(self) -> Job | None:
        """Try rising rates for some steps; nothing is kept of the training."""
        data, request = self._state.now.data, self._request()
        if data is None or request is None or not self.can_find:
            return None
        self._state.set(is_finding=True, rates={})
        errand = Errand(
            "Searching a learning rate", "train", FIND_RATE, (request,), about=data.name,
            key="rates",
        )  # fmt: skip
        asked = self._about
        done = Answers(lambda found: self._found(found if asked == self._about else {}), self._none)
        self._job = self._tasks.run(errand, done)
        return self._job

    @property
    def _about(self) -> tuple[object, ...]:
        """What rates are searched for: those of other cases or of another method say nothing."""
        now = self._state.now
        return now.data, now.wish.version, now.wish.method

    def stop(self) -> None:
        """Give the search up."""
        if self._job is not None and self._state.now.is_finding:
            self._job.cancel()

    def _found(self, found: Mapping[str, Any]) -> None:
        self._state.set(rates=found, is_finding=False)

    def _none(self, error: MedviewError) -> None:
        why = "" if isinstance(error, Cancelled) else f"{error.what}. {error.do}".strip()
        self._state.set(rates={"why": why} if why else {}, is_finding=False)
