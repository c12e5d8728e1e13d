"""``medview bench monkey``: random hands on the whole window, and a hundred studies opened."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from medview.cli.benches.ct_series import write_series
from medview.cli.benches.offscreen import told_by
from medview.cli.benches.rows import Row
from medview.cli.contract import Context

EVENTS, QUICK_EVENTS = 10_000, 300
OPENS, QUICK_OPENS = 100, 6
STALL_S, GROWTH_MB = 1.0, 50.0
RUN = "medview.cli.benches.monkey_run"


def measure(context: Context, quick: bool) -> list[Row]:
    """Give the rows: what went wrong, the longest wait, and what has grown."""
    events, opens = (QUICK_EVENTS, QUICK_OPENS) if quick else (EVENTS, OPENS)
    with tempfile.TemporaryDirectory(prefix="medview-bench-") as name:
        parent = Path(name)
        for place, slices in (("one", 24), ("two", 16)):
            write_series(parent / place, slices, size=128)
        context.report(0, 1, f"{events} events, then {opens} studies")
        seen = told_by(RUN, parent / "home", parent, events, opens)
    return rows(seen)


def rows(seen: dict[str, Any]) -> list[Row]:
    """The rows of what a window saw."""
    waits = np.array(seen["wall_s"])
    many, opened = f"{waits.size} random events", f"{seen['opens']} studies opened and closed"
    grown = seen["grown"]
    return [
        Row(f"{many}: exceptions", len(seen["errors"]), "", aim=0),
        Row(f"{many}: longest wait", float(waits.max()), "s", aim=STALL_S),
        Row(f"{many}: most processor time of one", max(seen["own_s"]), "s", aim=STALL_S),
        Row(f"{many}: wait, 99 %", float(np.percentile(waits, 99)), "s"),
        Row(f"{many}: memory grown after the first tenth", seen["event_mb"], "MiB", aim=GROWTH_MB),
        Row(f"{opened}: memory grown after the first tenth", grown["mb"], "MiB", aim=GROWTH_MB),
        Row(f"{opened}: more threads", grown["threads"], "", aim=0),
        Row(f"{opened}: more open files", grown["handles"], "", aim=0),
        Row(f"{opened}: more widgets", grown["widgets"], "", aim=0),
    ]
