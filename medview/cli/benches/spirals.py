"""``medview bench spirals`` and ``probes``: ARMED and its rivals on spirals, by paired seeds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from medview.cli.benches.rows import Row
from medview.cli.contract import Context

SEEDS, QUICK_SEEDS = 10, 2
EPOCHS, QUICK_EPOCHS = 10, 1
FIRST = "conventional"
# Two-sided 95 % points of Student's t by degrees of freedom: few seeds, so no normal curve.
T_95 = {1: 12.706, 4: 2.776, 9: 2.262, 19: 2.093}


def measure(context: Context, quick: bool) -> list[Row]:
    """Accuracy of every rival on the published simulation, mean over seeds and folds.

    The rows name what is measured, with its spread over seeds and, for all but the first, the
    difference to the conventional network with the same seeds. Published figures are for
    comparison, no aim: they come from one start of the network, and starts differ by more than
    the rivals do.
    """
    return _rows(context, quick, "medview.learning.spirals:bench")


def measure_probes(context: Context, quick: bool) -> list[Row]:
    """Which rivals lean on inputs that only hold the cluster; rows as those of ``measure``.

    Accuracy with and without the cluster seen, and what the probes weigh: an importance is the
    mean size of the slope of the fixed part's logit, times the spread of the input; of four equal
    inputs two have a share of 0.5. Published accuracies are of one seed, 100 epochs, other draws.
    """
    return _rows(context, quick, "medview.learning.spirals_probes:bench")


def _rows(context: Context, quick: bool, work: str) -> list[Row]:
    seeds, epochs = (QUICK_SEEDS, QUICK_EPOCHS) if quick else (SEEDS, EPOCHS)
    first = context.options.seed
    body = context.call("compute", work, tuple(range(first, first + seeds)), epochs)
    by = {each["figure"]: each["values"] for each in body["rows"] if each["name"] == FIRST}
    rows = [_row(each, by[each["figure"]], epochs) for each in body["rows"]]
    return [*rows, Row(f"time for {len(rows)} rows", body["seconds"], "s", aim=20 * 60)]


def _row(each: Mapping[str, Any], reference: Sequence[float], epochs: int) -> Row:
    values = each["values"]
    words = f"{each['name']}: {each['figure']}, 10 folds x {len(values)} seeds, {epochs} epochs"
    if len(values) > 1:
        words += f", sd over seeds {statistics.stdev(values):.3f}"
    if each["name"] != FIRST:
        words += "; " + paired(values, reference)
    peer = "published, one seed" if each["published"] else None
    return Row(words, statistics.fmean(values), "share", peer, each["published"])


def paired(values: Sequence[float], reference: Sequence[float]) -> str:
    """Mean difference over seeds with its 95 % interval by Student's t, in words."""
    apart = [ours - theirs for ours, theirs in zip(values, reference, strict=True)]
    mean = statistics.fmean(apart)
    words = f"minus conventional, same seeds {mean:+.3f}"
    point = T_95.get(len(apart) - 1)
    if point is None:
        return words
    half = point * statistics.stdev(apart) / len(apart) ** 0.5
    return f"{words} [{mean - half:+.3f}, {mean + half:+.3f}]"
