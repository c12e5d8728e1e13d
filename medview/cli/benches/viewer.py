"""The rows of ``medview bench load`` about the window itself: start, first slice, memory, waits."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from medview.cli.benches.arrival import gap_rows
from medview.cli.benches.ct_series import write_series
from medview.cli.benches.offscreen import ROOT, told_by
from medview.cli.benches.rows import Row
from medview.cli.contract import Context

WINDOW_S = 1.5
FIRST_S = 0.5
MOST_MB = 500.0
SLICES, QUICK_SLICES = 176, 16
RUN_S, QUICK_RUN_S = 20.0, 2.0
ROUNDS = 3
_RUN = "medview.cli.benches.viewer_run"
_MPRAGE = ROOT.parent / "shared" / "data" / "dicom" / "series" / "mr_siemens_trio_mprage_176"


def viewer_rows(context: Context, quick: bool) -> list[Row]:
    """Start the window a few times with a series of 176 slices; run a model in the last one.

    The series is the real MPRAGE where it lies beside the repository, else one made here.
    """
    rounds = 1 if quick else ROUNDS
    with tempfile.TemporaryDirectory(prefix="medview-bench-") as name:
        parent = Path(name)
        folder = _MPRAGE if _MPRAGE.is_dir() and not quick else _made(parent, quick)
        seconds = QUICK_RUN_S if quick else RUN_S
        seen = []
        for n in range(rounds):
            context.report(n, rounds, "starting the window")
            seen.append(_window(parent / "home", folder, seconds if n == rounds - 1 else 0.0))
    last = seen[-1]
    what = f"{last['slices']} slices of 256 x 256" + (", MPRAGE" if folder == _MPRAGE else "")
    keys = ("window_s", "window_cpu_s", "chosen_s", "drop_s")
    best = {key: min(each[key] for each in seen) for key in keys}
    most = max(each["memory_mb"] for each in seen)
    return [
        Row("window, from the command on", best["window_s"], "s", aim=WINDOW_S),
        Row("window, processor time of its process until then", best["window_cpu_s"], "s"),
        Row(f"{what}: chosen to first slice in the window", best["chosen_s"], "s", aim=FIRST_S),
        Row(f"{what}: drop to first slice in the window", best["drop_s"], "s"),
        Row(f"{what}: memory of the window's process", most, "MiB", aim=MOST_MB),
        Row("torch, vtk and readers in the window's process", len(last["heavy"]), "", aim=0),
        *_gap_rows(last),
    ]


def _gap_rows(seen: dict[str, Any]) -> list[Row]:
    """How the event loop waits; nothing where no model was run."""
    return gap_rows(seen["gaps_ms"], "a model runs") if seen["maps"] else []


def _made(parent: Path, quick: bool) -> Path:
    folder = parent / "series"
    write_series(folder, QUICK_SLICES if quick else SLICES, size=256)
    return folder


def _window(home: Path, folder: Path, seconds: float) -> dict[str, Any]:
    """Start a window of its own, offscreen, and have it say what it saw."""
    began = repr(time.monotonic())
    return dict(told_by(_RUN, home, began, folder, seconds))
