"""Processes and moments: what runs, and what comes true while others keep the machine busy."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

# Whatever comes at all comes by then; on a busy machine all takes long.
PATIENCE_S = 120.0


def soon(claim: Callable[[], object], limit: float = PATIENCE_S) -> bool:
    """Wait until a claim holds; say whether it ever did."""
    until = time.monotonic() + limit
    while time.monotonic() < until:
        if claim():
            return True
        time.sleep(0.005)
    return bool(claim())


def is_running(pid: int) -> bool:
    """Whether a process is there and has not ended; in one look, for it may end between two."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def children() -> set[psutil.Process]:
    """The children of this process.

    Compare with those there were before: one that Python keeps for itself stays once some other
    test has started a process anew.
    """
    return set(psutil.Process().children())
