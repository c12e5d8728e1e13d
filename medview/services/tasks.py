"""Jobs that the reader sees: a line each in the status bar, errors as messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

from medview.domain.errors import Cancelled, MedviewError
from medview.services.jobs import Job, Jobs, LaneName
from medview.services.session import Session
from medview.services.session_values import Message, Task, VolumeId, Way

# Lines of all services stand in one list.
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be done, and what the reader is told it is.

    `about` names the file or series in an error that names none, `pixels` are those of the image
    that it is about. A newer errand with the same `key` replaces this one.
    """

    title: str
    lane: LaneName
    work: str
    args: tuple[object, ...] = ()
    about: str = ""
    key: str | None = None
    pixels: VolumeId | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """Whom to tell what came of an errand, on the thread that owns the session.

    `ways` says what the reader may do about an error; it may put words of its own into it.
    """

    done: Callable[..., object] | None = None
    failed: Callable[[MedviewError], object] | None = None
    partial: Callable[..., object] | None = None
    ways: Callable[[MedviewError], tuple[Way, ...]] | None = None


class Tasks:
    """Runs errands; keeps ``session.tasks`` and tells their errors by ``session.message``."""

    def __init__(self, jobs: Jobs, session: Session) -> None:
        self._jobs = jobs
        self._session = session
        self._errands: dict[int, _Running] = {}

    def run(self, errand: Errand, answers: Answers = Answers()) -> Job:
        """Do an errand. Its error becomes a message before ``answers.failed`` is called.

        A cancel is no error and makes no message.
        """
        self._forget_older(errand.key)
        running = _Running(next(_numbers), self._session, errand, answers)
        self._errands = {n: r for n, r in self._errands.items() if r.is_listed}
        self._errands[running.number] = running
        running.begin()
        running.job = self._jobs.run(
            errand.lane,
            errand.work,
            *errand.args,
            done=running.finish,
            failed=running.fail,
            progress=running.move,
            partial=answers.partial,
            key=errand.key,
        )
        # The arguments may hold a whole volume.
        running.errand = replace(errand, args=())
        running.change(job=running.job.number)
        return running.job

    def drop(self, key: str) -> None:
        """Stop the errand with this key, if it still runs; nothing more is heard of it."""
        for running in self._errands.values():
            if running.errand.key == key and running.job is not None:
                running.job.supersede()
        self._forget_older(key)

    def _forget_older(self, key: str | None) -> None:
        """Take the line of a replaced job away: nothing more will be heard of it."""
        for running in self._errands.values():
            if key is not None and running.errand.key == key:
                running.remove()


def mark_silent(session: Session, job: Job) -> None:
    """Note that a job has said nothing for long, so that stopping it can be offered."""
    session.tasks = tuple(
        replace(task, is_silent=True) if task.job == job.number else task for task in session.tasks
    )


class _Running:
    """One errand and its line in ``session.tasks``."""

    def __init__(self, number: int, session: Session, errand: Errand, answers: Answers) -> None:
        self.number = number
        self.errand = errand
        self.job: Job | None = None
        self._session = session
        self._answers = answers

    @property
    def is_listed(self) -> bool:
        return any(task.number == self.number for task in self._session.tasks)

    def begin(self) -> None:
        asked = self.errand
        line = Task(self.number, asked.title, self.cancel, about=asked.about, pixels=asked.pixels)
        self._session.tasks = (*self._session.tasks, line)

    def cancel(self) -> None:
        if self.job is not None:
            self.change(is_cancelled=True)
            self.job.cancel()

    def move(self, done: int, total: int, text: str) -> None:
        left = self.job.seconds_left if self.job is not None else None
        self.change(done=done, total=total, text=text, seconds_left=left, is_silent=False)

    def change(self, **fields: object) -> None:
        self._session.tasks = tuple(
            replace(task, **fields) if task.number == self.number else task  # type: ignore[arg-type]  # fields of Task
            for task in self._session.tasks
        )

    def remove(self) -> None:
        left = tuple(task for task in self._session.tasks if task.number != self.number)
        self._session.tasks = left

    def finish(self, answer: object) -> None:
        self.remove()
        if self._answers.done is not None:
            self._answers.done(answer)

    def fail(self, error: MedviewError) -> None:
        self.remove()
        if not isinstance(error, Cancelled):
            error.file = error.file or self.errand.about
            ways = self._answers.ways(error) if self._answers.ways is not None else ()
            self._session.message = Message.of(error, ways)
        if self._answers.failed is not None:
            self._answers.failed(error)
