"""``medview bench train``: samples a second of the anomaly model's training, beside a script.

Also the window while its child trains: how long its event loop waits, and what is left after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from medview.cli.benches.rows import Row
from medview.cli.benches.train_window import window_rows
from medview.cli.contract import Context
from medview.services.jobs import Jobs

STEPS, QUICK_STEPS = 5, 3
LOADING = 0.1
_WORK = "medview.cli.benches.train_work:compare"


@dataclass(frozen=True, slots=True)
class Asked:
    """How many steps, where, with how many threads."""

    steps: int
    device: str = "cpu"
    threads: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Timing:
    """Samples a second of both, and the share of a step that goes into cutting its slices."""

    ours: float
    naive: float
    loading: float
    device: str


def measure(context: Context, quick: bool) -> list[Row]:
    """Give samples a second beside a naive script's, the share of loading, and the window's."""
    options = context.options
    steps = QUICK_STEPS if quick else STEPS
    asked = Asked(steps, options.device, options.threads, options.seed)
    with Jobs(lambda call: call()) as jobs:
        found = cast(Timing, jobs.call("compute", _WORK, asked, progress=context.report))
    what = f"anomaly, all attention blocks, {found.device}"
    return [
        Row(what, found.ours, "samples/s", "naive script", found.naive, aim=1.0, at_least=True),
        Row("share of loading in a step", found.loading, "1", aim=LOADING),
        *window_rows(context, quick),
    ]
