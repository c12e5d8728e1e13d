"""How much memory some processes take together, at the highest point."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

import psutil

EVERY_S = 0.02


class PeakMemory:
    """Watches processes from its start to its end: ``with PeakMemory(pid) as peak: ...; peak.mb``.

    Memory that they share (the pixels, mostly) is counted once, where the system can tell.
    """

    def __init__(self, *pids: int) -> None:
        self.mb = 0.0
        self._pids = pids
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._watch.join()

    def _look(self) -> None:
        while True:
            self.mb = max(self.mb, memory_mb(*self._pids))
            if self._over.wait(EVERY_S):
                return


def memory_mb(*pids: int) -> float:
    """Memory of these processes and what they started now, MiB; one that has ended has none."""
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            own = psutil.Process(pid)
            found |= {process.pid: process for process in (own, *_below(own))}
    total = 0
    for process in found.values():
        with suppress(psutil.NoSuchProcess):
            total += _bytes_of(process)
    return total / 2**20


def _below(process: psutil.Process) -> list[psutil.Process]:
    # Of this process, only what was named is of interest: other children are its peers.
    return [] if process.pid == os.getpid() else list(process.children(recursive=True))


def _bytes_of(process: psutil.Process) -> int:
    """Its share of the memory; all that it sees where its share is not told."""
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
