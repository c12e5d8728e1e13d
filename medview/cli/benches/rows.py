"""What a benchmark gives: rows, and the machine they were measured on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, what it is held against, and whether it is good enough.

    `value` and `peer_value` are in `unit`. `aim` is for their ratio, or for the value where there
    is no peer; the figure must not be above it, or not below it with `at_least`. Without `aim`
    nothing is asked, nor beside a peer without a value: it could not do it at all.
    """

    what: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    aim: float | None = None
    at_least: bool = False

    @property
    def ratio(self) -> float | None:
        """Value by peer value; None without a peer."""
        return self.value / self.peer_value if self.peer_value else None

    @property
    def met(self) -> bool | None:
        """Whether the aim is reached; None where nothing is asked."""
        if self.aim is None or (self.peer is not None and self.peer_value is None):
            return None
        figure = self.value if self.ratio is None else self.ratio
        return figure >= self.aim if self.at_least else figure <= self.aim

    def as_dict(self) -> dict[str, object]:
        """Return the row as it stands in the answer."""
        return {
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "peer": self.peer,
            "peer_value": self.peer_value,
            "ratio": self.ratio,
            "aim": self.aim,
            "at_least": self.at_least,
            "met": self.met,
        }


def best_of(times: int, measure: Callable[[], float]) -> float:
    """Take the smallest of several figures: the one least disturbed by others on the machine."""
    return min(measure() for _ in range(times))


def seconds(work: Callable[[], object]) -> float:
    """Do the work once and say how long it took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def machine() -> dict[str, object]:
    """Describe the machine, and how busy it is with other things at this moment."""
    return {
        "cpu": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "gpu": _gpu(),
        "load_1_min": round(psutil.getloadavg()[0], 1),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _gpu() -> str | None:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    asked = [tool, "--query-gpu=name", "--format=csv,noheader"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
    return found[0].strip() if found else None
