"""The rows of ``medview bench train`` about the window: its waits, and memory given back."""

from __future__ import annotations

import tempfile
from pathlib import Path

from medview.cli.benches.arrival import gap_rows
from medview.cli.benches.offscreen import told_by
from medview.cli.benches.rows import Row
from medview.cli.benches.studies import heads
from medview.cli.contract import Context

HEADS = 5
RUN_S, QUICK_RUN_S = 75.0, 6.0
GROWTH_MB = 50.0
_RUN = "medview.cli.benches.train_run"


def window_rows(context: Context, quick: bool) -> list[Row]:
    """Let a version go on learning in a child of a window, offscreen; stop it and look again."""
    context.report(0, 1, "a window trains")
    options = context.options
    seconds = QUICK_RUN_S if quick else RUN_S
    with tempfile.TemporaryDirectory(prefix="medview-bench-") as name:
        folder = Path(name)
        cases, epochs = heads(folder, HEADS), 0 if quick else 1
        where = (options.threads or 0, options.device)
        seen = told_by(_RUN, folder / "home", cases, seconds, epochs, *where)
    before, during, after = (seen[key] for key in ("before_mb", "during_mb", "after_mb"))
    return [
        *gap_rows(seen["gaps_ms"], f"its child trains {seen['epochs']} epochs"),
        Row("memory of the child that trains, highest", during, "MB"),
        Row("memory of the window, more after a training", after - before, "MB", aim=GROWTH_MB),
        Row("processes of a training that are left after it", seen["left"], "", aim=0),
    ]
