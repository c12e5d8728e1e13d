"""A lane: one thread here, one child process there, one job after the other."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import medview
from medview.domain.errors import OUT_OF_MEMORY, MedviewError, WorkerDied
from medview.services.job import Job, Report
from medview.services.wire import Channel, pair
from medview.services.worker import WARM, Place, Terms, mistake, place_of

Post = Callable[[Callable[[], object]], object]

# A child that has not answered a cancel by then is killed; with that it is over within 1 s.
CANCEL_WITHIN_S = 0.7
# How long a lane listens to its child before it looks at anything else.
TICK_S = 0.05
# How long a child that is asked to leave may take, or one that died to be seen dead.
LEAVE_S = 0.5

_ENDS = ("done", "failed", "broken", "died")
_ROOT = str(Path(medview.__file__).resolve().parent.parent)
# The first argument makes this very copy of the program importable, whatever the folder.
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from medview.services.worker import main; main(int(sys.argv[2]))"
)
# Threads of a network sleep while they wait for each other. Spinning, as is the default, they
# take the processor from those they wait for as soon as anything else runs here: with four
# threads beside a busy program the ICU model took minutes in place of seconds.
_PATIENT = {"OMP_WAIT_POLICY": "PASSIVE"}
_log = logging.getLogger("medview.jobs")
# Where nobody has asked for a log, nothing is printed.
_log.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Habits:
    """How a lane runs.

    `child` is its child's name in a sentence; `nice` how far it stands back for others;
    `ends` when the child ends although nothing went wrong, to give all its memory back, also
    that of a GPU: after a job that the user has cancelled, after every job, or never; `patience`
    how many times as long as others it may say nothing.
    """

    child: str
    nice: int = 0
    ends: Literal["never", "cancelled", "always"] = "never"
    memory_mb: int | None = None
    hang_after_s: float = 30.0
    patience: float = 1.0


class Child:
    """A child process and the channel to it."""

    def __init__(self, habits: Habits) -> None:
        ours, theirs = pair()
        self.channel = Channel(ours)
        try:
            self._process = _started(theirs)
        except BaseException:
            self.channel.close()
            raise
        self.pid = self._process.pid
        terms = Terms(tuple(sys.path), os.getpid(), habits.memory_mb, habits.nice)
        with contextlib.suppress(OSError):  # one that is dead already is found so with its job
            self.channel.send("start", terms)

    def has_ended(self) -> bool:
        """Look, but leave the exit code where it is, so that the process id stays ours."""
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, look) is not None

    def end(self, patience_s: float = 0.0) -> int:
        """Let it leave by itself for so long, then kill it; return its exit code. Once."""
        self.channel.close()
        until = time.monotonic() + patience_s
        while not self.has_ended() and time.monotonic() < until:
            time.sleep(0.005)
        # The whole group: a training child may have children that load its data.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return self._process.wait()


def _started(theirs: socket.socket) -> subprocess.Popen[bytes]:
    with theirs:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _START, _ROOT, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            # Libraries print what they read; and stdout belongs to the command's answer.
            stdout=_output(),
            stderr=_output(),
            env={**_PATIENT, **os.environ},
            # Ctrl-C in a terminal is for the parent, which then ends its children.
            start_new_session=True,
        )


def _output() -> int:
    return 2 if os.environ.get("MEDVIEW_DEBUG") else subprocess.DEVNULL


class Lane(threading.Thread):
    """Feeds one child with one job after the other; starts with the first job."""

    def __init__(
        self, name: str, habits: Habits, post: Post, hung: Callable[[Job], object] | None
    ) -> None:
        super().__init__(name=f"medview-{name}", daemon=True)
        self._habits = habits
        self._post = post
        self._hung = hung
        self._waiting: deque[Job] = deque()
        self._change = threading.Condition()
        self._leaving = False
        self._current: Job | None = None
        self._child: Child | None = None
        self._modules: tuple[object, ...] = ()

    # -- from any thread -------------------------------------------------------------------

    def put(self, job: Job) -> None:
        """Queue a job."""
        with self._change:
            if self._leaving:
                raise WorkerDied("the program is closing")
            if job.work == WARM:
                self._modules = job.args
            self._waiting.append(job)
            self._change.notify()
            if self.ident is None:
                self.start()

    def drop(self, job: Job) -> None:
        """Take a cancelled job out of the queue, if it has not begun."""
        with self._change:
            if job not in self._waiting:
                return
            self._waiting.remove(job)
        self._settle(job)

    def leave(self) -> None:
        """Begin to end: no job is told any more, the running one is stopped."""
        with self._change:
            self._leaving = True
            waiting, current = list(self._waiting), self._current
            self._waiting.clear()
            self._change.notify()
        for job in waiting:
            job.supersede()
            job.settle()
        if current is not None:
            current.supersede()

    # -- on the lane's own thread ----------------------------------------------------------

    def run(self) -> None:
        """Do the jobs until told to leave."""
        while (job := self._next()) is not None:
            self._do(job)
            del job
        self._end_child(LEAVE_S)

    def _next(self) -> Job | None:
        with self._change:
            self._current = None
            self._change.wait_for(lambda: self._waiting or self._leaving)
            if self._leaving:
                return None
            self._current = self._waiting.popleft()
            return self._current

    def _do(self, job: Job) -> None:
        """Have one job done and settle it."""
        kind, value = self._attempt(job)
        if kind == "died" and job.wanted and not job.has_begun:
            # The child had died while it had nothing to do; the job is as it was.
            self._end_child()
            kind, value = self._attempt(job)
        if kind == "done":
            self._settle(job, value)
        elif kind == "failed":
            self._settle(job, error=cast(MedviewError, value))
        elif kind == "killed":
            self._end_child()
            self._settle(job)
        elif kind == "died":
            self._settle(job, error=self._bury(job, value))
        else:
            self._settle(job, error=_unexpected(job, cast(Place, value)))
        self._tidy(job, kind)

    def _tidy(self, job: Job, kind: str) -> None:
        """End the child where that is due; have a new one ready where one was kept warm."""
        ends = self._habits.ends
        given_up = ends == "cancelled" and job.state == "cancelled" and not job.replaced
        if kind == "lost" or ends == "always" or given_up:
            self._end_child(LEAVE_S)
        with self._change:
            if self._child is None and self._modules and job.work != WARM and not self._leaving:
                self._waiting.append(Job(self.name, WARM, self._modules, None, self.drop))

    def _attempt(self, job: Job) -> tuple[str, object]:
        """Send the job to the child and return how it ended, and with what."""
        try:
            child = self._child = self._child or Child(self._habits)
        except OSError as error:
            return "failed", _not_started(self._habits, error)
        try:
            job.begin(child.pid)
            child.channel.send("run", (job.number, job.work, job.args))
            return self._follow(job, child)
        except (OSError, EOFError):
            return "died", None
        # An argument or an answer that cannot cross the boundary: our own mistake.
        except Exception as error:
            return "lost", place_of(error)

    def _follow(self, job: Job, child: Child) -> tuple[str, object]:
        """Pass on what the child says until it has answered or has to be killed."""
        asked_at: float | None = None
        hint: object = None
        hang_told = False
        while True:
            if child.channel.ready(TICK_S):
                kind, value = child.channel.receive(touched=("done",))
                if kind in _ENDS:
                    return kind, value
                self._pass_on(job, kind, value)
                # One that was slow to start, and then falls silent, is told again.
                hang_told = False
            elif child.has_ended():
                return "died", None
            if job.hint is not hint:
                hint = job.hint
                child.channel.send("hint", (job.number, hint))
            if not job.wanted:
                if asked_at is None:
                    child.channel.send("cancel", job.number)
                    asked_at = time.monotonic()
                elif time.monotonic() - asked_at > CANCEL_WITHIN_S:
                    return "killed", None
            elif job.silent_s > self._habits.hang_after_s and not hang_told:
                hang_told = True
                self._tell_hung(job)

    def _pass_on(self, job: Job, kind: str, value: object) -> None:
        job.hear()
        if kind == "begun":
            job.has_begun = True
        elif kind == "report":
            if job.learn(Report(*cast(tuple[int, int, str], value))):
                self._say(job, job.tell_progress)
        elif kind == "partial":
            self._say(job, lambda: job.tell_partial(value))

    def _tell_hung(self, job: Job) -> None:
        hung = self._hung
        if hung is not None:
            self._say(job, lambda: hung(job))

    def _settle(self, job: Job, answer: object = None, error: MedviewError | None = None) -> None:
        job.settle(answer, error)
        self._say(job, job.tell)

    def _say(self, job: Job, call: Callable[[], object]) -> None:
        """Post a call; a mistake in what it calls must not end the lane."""
        if job.callbacks is None:
            return
        try:
            self._post(call)
        except Exception:  # what is called is the window's; it is shown as uncaught
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self)))

    def _end_child(self, patience_s: float = 0.0) -> int:
        child, self._child = self._child, None
        return 0 if child is None else child.end(patience_s)

    def _bury(self, job: Job, why: object) -> WorkerDied:
        """End what is left of the child and say why it died."""
        code = self._end_child(LEAVE_S if why is None else 0.0)
        reason = str(why) if why is not None else f"exit code {code}"
        _log.warning("job %d (%s) lost its process: %s", job.number, job.work, reason)
        return WorkerDied(
            _how_it_died(self._habits, why, code),
            code=OUT_OF_MEMORY if why == "memory" or code == -signal.SIGKILL else "",
            still_works="everything else; a new process is ready",
            do="Try again; if it happens again, leave out the file or series it was working on.",
        )


def _not_started(habits: Habits, error: OSError) -> WorkerDied:
    _log.warning("%s could not be started: %s", habits.child, error.strerror)
    return WorkerDied(
        f"{habits.child} could not be started ({error.strerror or 'unknown reason'})",
        still_works="what is open",
        do="End other programs and try again.",
    )


def _how_it_died(habits: Habits, why: object, code: int) -> str:
    if why == "memory":
        limit = f" (its limit is {habits.memory_mb} MB)" if habits.memory_mb else ""
        return f"{habits.child} ran out of memory{limit}"
    if why is not None:
        return f"{habits.child} stopped ({why})"
    if code == -signal.SIGKILL:
        return f"{habits.child} was ended by the system, perhaps because memory ran out (signal 9)"
    if code < 0:
        return f"{habits.child} stopped (signal {-code})"
    return f"{habits.child} stopped (exit code {code})"


def _unexpected(job: Job, place: Place) -> MedviewError:
    _log.error("job %d (%s): %s", job.number, job.work, place)
    return mistake(place)
