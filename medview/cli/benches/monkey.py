"""``medview bench monkey``: random hands on the whole window, and a hundred studies opened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import medview
from medview.cli.benches.ct_series import write_series
from medview.cli.benches.rows import Row
from medview.cli.contract import Context
from medview.domain.errors import WorkerDied

EVENTS, QUICK_EVENTS = 10_000, 300
OPENS, QUICK_OPENS = 100, 6
STALL_S, GROWTH_MB = 1.0, 50.0
_ROOT = Path(medview.__file__).resolve().parents[1]


def measure(context: Context, quick: bool) -> list[Row]:
    """Give the rows: what went wrong, the longest wait, and what has grown."""
    events, opens = (QUICK_EVENTS, QUICK_OPENS) if quick else (EVENTS, OPENS)
    with tempfile.TemporaryDirectory(prefix="medview-bench-") as name:
        parent = Path(name)
        for place, slices in (("one", 24), ("two", 16)):
            write_series(parent / place, slices, size=128)
        context.report(0, 1, f"{events} events, then {opens} studies")
        seen = _run(parent, events, opens)
    return rows(seen)


def rows(seen: dict[str, Any]) -> list[Row]:
    """The rows of what a window saw."""
    waits = np.array(seen["wall_s"])
    many, opened = f"{waits.size} random events", f"{seen['opens']} studies opened and closed"
    grown = seen["grown"]
    return [
        Row(f"{many}: exceptions", len(seen["errors"]), "", aim=0),
        Row(f"{many}: longest wait", float(waits.max()), "s", aim=STALL_S),
        Row(f"{many}: wait, 99 %", float(np.percentile(waits, 99)), "s"),
        Row(f"{many}: memory grown after the first tenth", seen["event_mb"], "MiB", aim=GROWTH_MB),
        Row(f"{opened}: memory grown after the first tenth", grown["mb"], "MiB", aim=GROWTH_MB),
        Row(f"{opened}: more threads", grown["threads"], "", aim=0),
        Row(f"{opened}: more open files", grown["handles"], "", aim=0),
        Row(f"{opened}: more widgets", grown["widgets"], "", aim=0),
    ]


def _run(parent: Path, events: int, opens: int) -> dict[str, Any]:
    """A window of its own, offscreen; it says what it saw."""
    environment = {
        **os.environ, "QT_QPA_PLATFORM": "offscreen", "MEDVIEW_HOME": str(parent / "home"),
    }  # fmt: skip
    environment["PYTHONPATH"] = os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])
    words = ["-m", "medview.cli.benches.monkey_run", str(parent), str(events), str(opens)]
    done = subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise WorkerDied(f"the window ended with {done.returncode}", do="Report this.")
    return dict(json.loads(done.stdout.splitlines()[-1]))
