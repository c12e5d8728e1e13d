"""``medview bench infer``: a brain of 155 slices by the anomaly model, beside the plain loop.

Also one chest film by the chest model, and the stays of PhysioNet 2012 as hourly bins; a study
by each shipped model, and the window while a large map arrives.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from medview.cli.benches.arrival import arrival_rows
from medview.cli.benches.infer_models import model_rows
from medview.cli.benches.rows import Row
from medview.cli.contract import Context
from medview.services.jobs import Jobs

if TYPE_CHECKING:
    from medview.cli.benches.infer_single import Singles

SAMPLES = 5
SLICES, QUICK_SLICES = 155, 16
ROUNDS = 3
STAYS, QUICK_STAYS = 3396, 20
FILM_S, BINS_S = 1.0, 60.0
"""Longest seconds for one film once the weights are loaded, and for all stays."""
RATIO = {"cpu": 0.67, "cuda": 0.33}
APART = 1e-4
_WORK = "medview.cli.benches.infer_work"
_SINGLES = "medview.cli.benches.infer_single:time_singles"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: how many slices, how often, where and with how many threads."""

    slices: int
    rounds: int
    device: str = "cpu"
    threads: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class LowTiming:
    """What came of bfloat16: best seconds, and how far it is from float32.

    `apart` is as that of `Timing`, `score` the difference of the volume's score, in standard
    deviations of training normals.
    """

    seconds: float
    apart: float
    score: float


@dataclass(frozen=True, slots=True)
class Timing:
    """What came of it: best seconds of each way, how far their answers are apart, memory.

    `apart` is the largest difference of any map, as a share of the largest value of that map;
    `low` is None where the device has no bfloat16 products.
    """

    load_s: float
    batched_s: float
    loop_s: float
    apart: float
    low: LowTiming | None
    peak_mb: float
    device: str


def _low_rows(what: str, found: Timing) -> list[Row]:
    """Rows of bfloat16; none where nothing is computed in it."""
    low = found.low
    if low is None:
        return []
    return [
        Row(f"{what}, bfloat16", low.seconds, "s", "float32", found.batched_s),
        Row("bfloat16: furthest from float32, share of each map's top", low.apart, "1"),
        Row("bfloat16: change of the volume's score", low.score, "sd of normals"),
    ]


def measure(context: Context, quick: bool) -> list[Row]:
    """Give time, deviation and memory of blocks against single passes, and of bfloat16."""
    options = context.options
    count = QUICK_SLICES if quick else SLICES
    asked = Asked(count, 1 if quick else ROUNDS, options.device, options.threads, options.seed)
    with Jobs(lambda call: call()) as jobs:
        began = time.perf_counter()
        jobs.warm("compute", _WORK).settled.wait()
        start_s = time.perf_counter() - began
        work = f"{_WORK}:compare"
        found = cast(Timing, jobs.call("compute", work, asked, progress=context.report))
        stays = QUICK_STAYS if quick else STAYS
        one = cast("Singles", jobs.call("compute", _SINGLES, asked, stays, progress=context.report))
    what = f"anomaly, {count} slices, K={SAMPLES}, {found.device}"
    aim = RATIO[found.device.split(":")[0]]
    return [
        Row(what, found.batched_s, "s", "plain loop", found.loop_s, aim=aim),
        Row("furthest from the plain loop, share of each map's top", found.apart, "1", aim=APART),
        *_low_rows(what, found),
        Row(f"one chest film, {one.side} x {one.side}, after loading", one.film_s, "s", aim=FILM_S),
        Row(f"{one.stays} stays of 48 hours in bins", one.bins_s, "s", aim=BINS_S),
        Row("start of the process for models", start_s, "s"),
        Row("reading the weights", found.load_s, "s"),
        Row("peak memory of that process, in blocks", found.peak_mb, "MB"),
        *model_rows(context, quick),
        *arrival_rows(context, quick),
    ]
