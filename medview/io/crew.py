"""Decoding in processes of their own: one that crashes, hangs or swells costs its slice only.

They are forked from the process that supervises them, so they see the volume that is being
filled and write their slices into the same memory; only numbers travel.
"""

from __future__ import annotations

import ctypes
import faulthandler
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from medview.domain.errors import ReadError

LISTEN_S = 0.05
# No frame takes this long to decode, except in a decoder that is stuck.
STALLED_S = 20.0
# What a worker may take beyond what it was born with.
ROOM_EACH = 2 * 2**30
# Slices that a worker has at hand, so that it never waits for the next.
AT_HAND = 2
# <linux/prctl.h>
_PR_SET_PDEATHSIG = 1

# A slice, and None, why it was refused, or in words how its worker ended.
Result = tuple[int, ReadError | str | None]


class Order:
    """Slices that are still to be decoded, the wanted one first, then outward from it."""

    def __init__(self, slices: Iterable[int], wanted: int) -> None:
        self._todo = list(slices)
        self.around(wanted)

    def __len__(self) -> int:
        return len(self._todo)

    def around(self, wanted: int) -> None:
        """Go on from another slice."""
        self._todo.sort(key=lambda k: (-abs(k - wanted), -k))

    def take(self) -> int:
        """The next one."""
        return self._todo.pop()

    def put_back(self, slices: Iterable[int]) -> None:
        """Do these next."""
        self._todo.extend(slices)


def decoded_apart(
    order: Order, decode: Callable[[int], None], *, room: int = ROOM_EACH
) -> Iterator[Result | None]:
    """Run ``decode(k)`` for every slice in worker processes and give each result as it comes.

    None comes now and then while nothing happens, so that the caller can look around. A worker
    that crashes, or takes more than 20 s for a slice or `room` bytes of memory, loses that
    slice and is replaced.
    """
    crew = _Crew(decode, room)
    for _ in range(min(os.cpu_count() or 1, len(order))):
        crew.workers.append(crew.hire())
    try:
        while len(order) or any(worker.at_hand for worker in crew.workers):
            crew.feed(order)
            heard = crew.listen(order)
            yield from heard
            if not heard:
                yield None
    finally:
        for worker in crew.workers:
            worker.end()


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    link: Connection
    at_hand: deque[int] = field(default_factory=deque)
    since: float = 0.0

    @property
    def is_stalled(self) -> bool:
        return bool(self.at_hand) and time.monotonic() - self.since > STALLED_S

    def end(self) -> int:
        """End it, if it has not ended by itself, and give its exit code."""
        self.process.kill()
        self.process.join()
        self.link.close()
        return self.process.exitcode or 0


@dataclass(slots=True)
class _Crew:
    decode: Callable[[int], None]
    room: int
    workers: list[_Worker] = field(default_factory=list)

    def hire(self) -> _Worker:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        links = [*(worker.link for worker in self.workers), ours]
        process = context.Process(
            target=_work, args=(self.decode, theirs, links, self.room), daemon=True
        )
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def feed(self, order: Order) -> None:
        """Give everybody enough to do; one that has died in the meantime is noticed later."""
        for worker in self.workers:
            while len(order) and len(worker.at_hand) < AT_HAND:
                k = order.take()
                if not worker.at_hand:
                    worker.since = time.monotonic()
                worker.at_hand.append(k)
                try:
                    worker.link.send(k)
                except OSError:
                    break

    def listen(self, order: Order) -> list[Result]:
        """Wait a moment for results; replace workers that have died or are stuck."""
        busy = [worker.link for worker in self.workers if worker.at_hand]
        ready = wait(busy, LISTEN_S)
        heard: list[Result] = []
        for n, worker in enumerate(self.workers):
            if worker.link in ready:
                heard.append(self._receive(n, order))
            elif worker.is_stalled:
                heard.append(self._replace(n, order, f"took longer than {STALLED_S:.0f} s"))
        return heard

    def _receive(self, n: int, order: Order) -> Result:
        worker = self.workers[n]
        try:
            k, error = worker.link.recv()
        except (EOFError, OSError):
            return self._replace(n, order, "")
        worker.at_hand.remove(k)
        worker.since = time.monotonic()
        return k, error

    def _replace(self, n: int, order: Order, why: str) -> Result:
        """Put a new worker in the place of one; what it had begun is lost, the rest is not."""
        worker = self.workers.pop(n)
        lost, *others = worker.at_hand
        code = worker.end()
        order.put_back(others)
        self.workers.insert(n, self.hire())
        by_itself = f"stopped (signal {-code})" if code < 0 else f"stopped (exit code {code})"
        return lost, why or by_itself


def _work(
    decode: Callable[[int], None], link: Connection, foreign: list[Connection], room: int
) -> None:
    """What a worker does until the other end of its link is closed."""
    # Ends that were inherited would keep the links of others open after their supervisor.
    for other in foreign:
        other.close()
    _accept_limits(room)
    while True:
        try:
            k = link.recv()
        except EOFError:
            return
        try:
            decode(k)
        except ReadError as error:
            link.send((k, error))
        else:
            link.send((k, None))


def _accept_limits(room: int) -> None:
    """End with the supervisor, leave no core file, and take no more memory than allowed."""
    # How it ended is told by its supervisor; nothing of what it was doing gets printed.
    faulthandler.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = now + room if soft == resource.RLIM_INFINITY else min(soft, now + room)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
