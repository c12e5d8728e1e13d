"""What runs inside a child process: it is told what to do, does it and answers.

The parent sends ("start", Terms), then ("run", (number, work, args)) and perhaps
("cancel", number). For every job the child answers ("begun", None), then ("report", ...),
("alive", None) and ("partial", ...) as it goes, and in the end one of ("done", result),
("failed", error), ("broken", place) and ("died", why).
"""

from __future__ import annotations

import ctypes
import errno
import gc
import logging
import os
import queue
import resource
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import TracebackType

from medview.domain.errors import Cancelled, MedviewError
from medview.io.atomic import full_disk
from medview.services.wire import Channel, room

# The name of ``warm`` as a work.
WARM = "medview.services.worker:warm"
# A reader's eye takes no more than this from a progress bar.
REPORT_EVERY_S = 0.05
ALIVE_EVERY_S = 1.0
# What torch, the loader of libraries and Python say where there is no room.
_NO_MEMORY = (
    *("can't allocate memory", "out of memory"),
    *("failed to map segment", "can't start new thread"),
)
# <linux/prctl.h>
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what terms a child lives: where it may import from, and what it may take."""

    path: tuple[str, ...]
    parent: int
    memory_mb: int | None = None
    nice: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where an unexpected error came from: no values, so nothing of a patient."""

    kind: str
    module: str
    line: int

    def __str__(self) -> str:
        return f"{self.kind} in {self.module}, line {self.line}"


class _Stop:
    """Which job the parent has asked to stop, and what it has hinted at, for which job."""

    number = -1
    hint: tuple[int, object] = (-1, None)


class Link:
    """The ``Progress`` of one job, seen from inside the child."""

    def __init__(self, channel: Channel, number: int, stop: _Stop) -> None:
        self._channel = channel
        self._number = number
        self._stop = stop
        self._pending: tuple[int, int, str] | None = None
        self._reported = self._alive = 0.0

    def begin(self) -> None:
        """Tell that the job is being done from now on."""
        self._channel.send("begun")

    def report(self, done: int, total: int, text: str = "") -> None:
        """Tell how much is done; sent at most every 50 ms, the newest figure wins."""
        self._pending = (done, total, text)
        if time.monotonic() - self._reported >= REPORT_EVERY_S:
            self.flush()
        self.check()

    def check(self) -> None:
        """Raise ``Cancelled`` if asked to stop; tell the parent once a second that we live."""
        if self._stop.number == self._number:
            raise Cancelled("stopped by the user")
        now = time.monotonic()
        if self._pending is not None and now - self._reported >= REPORT_EVERY_S:
            self.flush()
        elif now - self._alive >= ALIVE_EVERY_S:
            self._alive = now
            self._channel.send("alive")

    def partial(self, payload: object) -> None:
        """Send a part of the answer."""
        self.check()
        self._channel.send("partial", payload)

    def hint(self) -> object:
        """What the reader looks at now, if anything has been said of it."""
        number, hint = self._stop.hint
        return hint if number == self._number else None

    def room(self, size: int) -> memoryview:
        """Make zeroed memory for an array that is sent without a copy."""
        return memoryview(room(size))

    def flush(self) -> None:
        """Send the newest figure if it has not been sent."""
        if self._pending is not None:
            self._channel.send("report", self._pending)
            self._pending = None
            self._reported = self._alive = time.monotonic()


def warm(job: object, *modules: str) -> None:
    """Work that only imports modules, so that the next job starts at once."""
    for module in modules:
        import_module(module)


def main(descriptor: int) -> None:
    """Serve jobs that come over the socket `descriptor` until its other end is closed."""
    channel = Channel(socket.socket(fileno=descriptor))
    _, terms = channel.receive()
    assert isinstance(terms, Terms)
    _accept(terms)
    stop = _Stop()
    jobs: queue.SimpleQueue[tuple[int, str, tuple[object, ...]]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(channel, jobs, stop), daemon=True).start()
    while True:
        number, work, args = jobs.get()
        link = Link(channel, number, stop)
        link.begin()
        kind, answer = _outcome(link, work, args)
        del args
        if kind == "done":
            link.flush()
        _answer(channel, kind, answer)
        del answer
        _give_memory_back()


def _listen(
    channel: Channel, jobs: queue.SimpleQueue[tuple[int, str, tuple[object, ...]]], stop: _Stop
) -> None:
    """Take in messages while the main thread works; leave when the parent is gone."""
    while True:
        try:
            kind, value = channel.receive()
        except (EOFError, OSError):
            os._exit(0)
        if kind == "run":
            jobs.put(value)  # type: ignore[arg-type]  # the parent sends exactly this tuple
        elif kind == "cancel":
            assert isinstance(value, int)
            stop.number = value
        elif kind == "hint":
            stop.hint = value  # type: ignore[assignment]  # the parent sends exactly this pair


def _outcome(link: Link, work: str, args: tuple[object, ...]) -> tuple[str, object]:
    """Do the work; return the kind of answer and what it says."""
    try:
        return "done", _find(work)(link, *args)
    except MedviewError as error:
        return "failed", error.with_traceback(None)
    except Exception as error:  # whatever work raises, its job ends with an answer
        if says_memory(error):
            return "died", "memory"
        _say_in_debug()
        full = full_disk(error)
        return ("broken", place_of(error)) if full is None else ("failed", full)
    # A decoder written in Rust panics with a class of its own below BaseException.
    except BaseException as error:
        _say_in_debug()
        return "died", place_of(error)


def says_memory(error: BaseException) -> bool:
    """Whether an error, or one that it came of, says that memory ran out.

    Not every library says so by MemoryError: the system has a number for it, its loader finds no
    room for a library, and torch has no class of its own for the memory of a CPU.
    """
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    if isinstance(error, RuntimeError | ImportError):
        words = str(error)
        if any(each in words for each in _NO_MEMORY):
            return True
    cause = error.__cause__ or error.__context__
    return cause is not None and says_memory(cause)


def _answer(channel: Channel, kind: str, answer: object) -> None:
    """Send the answer; one that cannot be sent is an error like any other."""
    try:
        channel.send(kind, answer)
    except OSError:
        os._exit(0)
    except MemoryError:
        channel.send("died", "memory")
    except Exception as error:  # pickling runs the answer's own code, which may raise anything
        _say_in_debug()
        channel.send("broken", place_of(error))


def _find(work: str) -> Callable[..., object]:
    """Import the function named "package.module:function"."""
    module, _, name = work.partition(":")
    function: Callable[..., object] = getattr(import_module(module), name)
    return function


def place_of(error: BaseException) -> Place:
    """Name the innermost line of ours on the way to the error, else the innermost of all."""
    frames: list[TracebackType] = []
    step = error.__traceback__
    while step is not None:
        frames.append(step)
        step = step.tb_next
    names = [str(frame.tb_frame.f_globals.get("__name__", "")) for frame in frames]
    ours = [n for n, name in enumerate(names) if name.startswith("medview.")]
    own = [n for n in ours if names[n] != __name__]
    last = (own or [len(frames) - 1])[-1]
    return Place(type(error).__name__, names[last], frames[last].tb_lineno)


def mistake(place: Place) -> MedviewError:
    """What a reader is told of an error that nobody foresaw."""
    return MedviewError(
        f"unexpected error ({place})",
        code="MV-GEN-002",
        still_works="everything else",
        do="This is a mistake in the program; please report the words in brackets.",
    )


def _say_in_debug() -> None:
    """Print the traceback where someone has asked for it."""
    if os.environ.get("MEDVIEW_DEBUG"):
        traceback.print_exc()


def _accept(terms: Terms) -> None:
    """Take on limits and habits: end with the parent, no core files, memory, import path."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_PR_SET_DUMPABLE, 0)
    if os.getppid() != terms.parent:
        os._exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if terms.memory_mb is not None:
        limit = terms.memory_mb << 20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    os.nice(terms.nice)
    sys.path[:] = terms.path
    # Libraries write headers into their logs; nothing of a patient may get out that way.
    logging.disable(logging.CRITICAL)


def _give_memory_back() -> None:
    """Return what the job has freed to the system; the child itself stays warm."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
