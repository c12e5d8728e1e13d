"""``medview bench probes``: which rivals lean on inputs that only hold the cluster."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from medview.cli.benches.rows import Row
from medview.cli.benches.spirals import paired
from medview.cli.contract import Context

WORK = "medview.learning.spirals_probes:bench"
SEEDS, QUICK_SEEDS = 10, 2
EPOCHS, QUICK_EPOCHS = 10, 1
FIRST = "conventional"


def measure(context: Context, quick: bool) -> list[Row]:
    """Accuracy with and without the cluster seen, and what the probes weigh, of every rival.

    Each row says the spread over seeds and, for all but the first rival, the difference to the
    conventional network with the same seeds. An importance is the mean size of the slope of the
    fixed part's logit, times the spread of the input; of four equal inputs two have a share of
    0.5. Published accuracies are for comparison, no aim: one seed, 100 epochs, other draws.
    """
    seeds, epochs = (QUICK_SEEDS, QUICK_EPOCHS) if quick else (SEEDS, EPOCHS)
    first = context.options.seed
    body = context.call("compute", WORK, tuple(range(first, first + seeds)), epochs)
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
