"""The window while a large map arrives: how long its event loop waits. A process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import medview
from medview.cli.benches.rows import Row
from medview.cli.contract import Context
from medview.domain.errors import WorkerDied

SHAPE, QUICK_SHAPE = (400, 512, 512), (24, 128, 128)
P99_MS, LONGEST_MS = 50.0, 250.0
_ROOT = Path(medview.__file__).resolve().parents[1]


def gap_rows(gaps_ms: list[float], what: str) -> list[Row]:
    """How the event loop waits: 99 of 100 turns, and the longest."""
    gaps = np.array(gaps_ms)
    if not gaps.size:
        return []
    words = f"turn of the event loop while {what}, {gaps.size} turns"
    return [
        Row(f"{words}: 99 %", float(np.percentile(gaps, 99)), "ms", aim=P99_MS),
        Row(f"{words}: longest", float(gaps.max()), "ms", aim=LONGEST_MS),
    ]


def arrival_rows(context: Context, quick: bool) -> list[Row]:
    """Let a map of 400 slices of 512 x 512 arrive in a window, offscreen."""
    shape = QUICK_SHAPE if quick else SHAPE
    context.report(0, 1, "a large map arrives")
    with tempfile.TemporaryDirectory(prefix="medview-bench-") as name:
        told = _window(Path(name), shape)
    slices, rows, columns = shape
    return gap_rows(told, f"a map of {columns} x {rows} x {slices} arrives")


def _window(folder: Path, shape: tuple[int, int, int]) -> list[float]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "MEDVIEW_HOME": str(folder)}
    environment["PYTHONPATH"] = os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])
    words = ["-m", "medview.cli.benches.arrival_run", str(folder), *map(str, shape)]
    done = subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise WorkerDied(f"the window ended with {done.returncode}", do="Report this.")
    return [float(each) for each in json.loads(done.stdout.splitlines()[-1])]
