"""One job: what the caller holds of work that goes on in a child process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Literal, NamedTuple

from medview.domain.errors import Cancelled, MedviewError

State = Literal["queued", "running", "done", "failed", "cancelled"]

_numbers = count(1)


class Report(NamedTuple):
    """How far a job is: `done` of `total`, and a short phrase."""

    done: int = 0
    total: int = 0
    text: str = ""


# Takes the fields of a Report, as ``Progress.report`` does.
Listener = Callable[[int, int, str], object]


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Whom to tell."""

    done: Callable[..., object] | None = None
    failed: Callable[[MedviewError], object] | None = None
    progress: Listener | None = None
    partial: Callable[..., object] | None = None


@dataclass(slots=True, eq=False)
class Job:
    """A job from the moment it is asked for.

    `hint` may be set at any time to tell the running work what the reader looks at.

    The lane's thread fills it in; `cancel` and the ``tell`` methods belong to the thread that
    asked for it. `callbacks` is None where somebody waits for `settled` instead.
    """

    lane: str
    work: str
    args: tuple[object, ...]
    callbacks: Callbacks | None
    drop: Callable[[Job], None]
    number: int = field(default_factory=lambda: next(_numbers))
    pid: int | None = None
    state: State = "queued"
    progress: Report = field(default_factory=Report)
    wanted: bool = True
    hint: object = None
    replaced: bool = False
    has_begun: bool = False
    answer: object = None
    error: MedviewError | None = None
    settled: threading.Event = field(default_factory=threading.Event)
    _heard_at: float = 0.0
    _phase: tuple[float, int] = (0.0, 0)
    _progress_on_its_way: bool = False
    _told: bool = False

    @property
    def is_over(self) -> bool:
        """True once the child is done with it, whatever came of it."""
        return self.settled.is_set()

    @property
    def silent_s(self) -> float:
        """Seconds since the running work last said anything; 0 when it does not run."""
        return time.monotonic() - self._heard_at if self.state == "running" else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long it will take if it goes on as it did; None while nothing can be said.

        Counted within what is being counted now: finding the brain says nothing of slices.
        """
        (since, first), report = self._phase, self.progress
        if self.state != "running" or not first < report.done <= report.total:
            return None
        each = (self._heard_at - since) / (report.done - first)
        return max(0.0, each * (report.total - report.done) - self.silent_s)

    def cancel(self) -> None:
        """Stop it within a second. After this nothing but ``failed(Cancelled)`` is called."""
        self.wanted = False
        self.drop(self)

    def supersede(self) -> None:
        """Stop it and never call back: something newer has taken its place."""
        self.replaced = True
        if self.callbacks is not None:
            self.callbacks = Callbacks()
        self.cancel()

    # -- told by the lane's thread ---------------------------------------------------------

    def begin(self, pid: int) -> None:
        """It runs from now on, in the process `pid`."""
        self.pid, self.state = pid, "running"
        self._heard_at = time.monotonic()
        self._phase = (self._heard_at, 0)

    def hear(self) -> None:
        """The child has said something."""
        self._heard_at = time.monotonic()

    def learn(self, report: Report) -> bool:
        """Take in how far it is; say whether ``tell_progress`` has to be posted for it."""
        if report.total != self.progress.total or report.done < self.progress.done:
            self._phase = (self._heard_at, report.done)
        self.progress = report
        if self._progress_on_its_way:
            return False
        self._progress_on_its_way = True
        return True

    def settle(self, answer: object = None, error: MedviewError | None = None) -> None:
        """Keep what came of it; the arguments are let go."""
        if not self.wanted:
            answer, error = None, _cancelled()
        self.answer, self.error, self.args = answer, error, ()
        self.state = _state_after(error)
        self.settled.set()

    # -- on the caller's thread ------------------------------------------------------------

    def tell(self) -> None:
        """Call back with what came of it; it may have been cancelled on the way here."""
        if self._told:
            return
        self._told = True
        answer, error, self.answer = self.answer, self.error, None
        if not self.wanted:
            error, self.state = _cancelled(), "cancelled"
        calls = self.callbacks or Callbacks()
        if error is None and calls.done is not None:
            calls.done(answer)
        if error is not None and calls.failed is not None:
            calls.failed(error)

    def tell_progress(self) -> None:
        """Call back with the newest figure."""
        self._progress_on_its_way = False
        if self._is_heard and self.callbacks is not None and self.callbacks.progress is not None:
            self.callbacks.progress(*self.progress)

    def tell_partial(self, payload: object) -> None:
        """Call back with a part of the answer."""
        if self._is_heard and self.callbacks is not None and self.callbacks.partial is not None:
            self.callbacks.partial(payload)

    @property
    def _is_heard(self) -> bool:
        return self.wanted and not self._told


def _cancelled() -> Cancelled:
    return Cancelled("stopped by the user")


def _state_after(error: MedviewError | None) -> State:
    if error is None:
        return "done"
    return "cancelled" if isinstance(error, Cancelled) else "failed"
