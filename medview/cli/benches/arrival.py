"""The window while a large map arrives: how long its event loop waits. A process of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from medview.cli.benches.offscreen import told_by
from medview.cli.benches.rows import Row
from medview.cli.contract import Context

SHAPE, QUICK_SHAPE = (400, 512, 512), (24, 128, 128)
P99_MS, LONGEST_MS = 50.0, 250.0
_RUN = "medview.cli.benches.arrival_run"


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
        told: list[float] = told_by(_RUN, Path(name), name, *shape)
    slices, rows, columns = shape
    return gap_rows(told, f"a map of {columns} x {rows} x {slices} arrives")
