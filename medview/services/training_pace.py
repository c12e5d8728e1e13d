"""How far a training is, by what it has written and what its process takes."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from medview.io.cards import WEIGHTS
from medview.services.histories import Curves, read_curves

HISTORY = "history.csv"


class Pace:
    """Time left of one training, by its last epochs."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self._first = (0, self.began)

    @property
    def seconds(self) -> float:
        """Since it was begun."""
        return time.monotonic() - self.began

    def told(self, curves: Curves, epochs: int, pid: int | None) -> dict[str, Any]:
        """Seconds left of `epochs` and memory of the process, as fields of ``Tuned``."""
        epoch = max((points[-1][0] for points in curves.values() if points), default=0)
        done, since = self._first
        clock = time.monotonic()
        if not done and epoch:
            self._first = (epoch, clock)
        left = None
        if done and epoch > done:
            left = (clock - since) / (epoch - done) * max(epochs - epoch, 0)
        return {"seconds_left": left, "memory_mb": memory_of(pid)}


def curves_in(folder: Path) -> Curves:
    """The curve that a training has written so far."""
    return read_curves(folder / HISTORY)


def newest_preview(folder: Path) -> Path | None:
    """The weights that a training left after its last validation."""
    left = sorted((folder / "preview").glob(f"[0-9]*/{WEIGHTS}"))
    return left[-1] if left else None


def memory_of(pid: int | None) -> float | None:
    """What a process and its children have in memory now, MB; None where it is gone.

    What the children share with others counts once, as the process's own.
    """
    if pid is None:
        return None
    try:
        process = psutil.Process(pid)
        found = process.memory_info().rss
        children = process.children(recursive=True)
    except psutil.Error:
        return None
    for child in children:
        with suppress(psutil.Error):  # it has ended meanwhile
            told = child.memory_info()
            found += told.rss - getattr(told, "shared", 0)
    return float(found) / 1e6
