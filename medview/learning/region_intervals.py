"""The interval of a volume: by how much the network was off on heads that it had not seen.

Nobody knows which of the measured sets a new head is like, so the interval holds the mean error
of each of them. How often it holds the true volume is measured twice: by the errors of all other
patients, and by those of the other sets alone, as on a scanner that nobody has measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from medview.learning.metrics import MetricRow
from medview.learning.region_age import NAMES, Array, grouped_ml
from medview.learning.region_measure import Measured, error_of, figure_of_heads

COVERAGE, WIDTH = "volume_coverage", "volume_interval_width"
ELSEWHERE = "unmeasured-set:all"
"""Group of the rows whose intervals know nothing of the head's own set."""
_NORMAL_95 = 1.96


def factors(middle: float, spread: float, biases: Iterable[float]) -> tuple[float, float]:
    """What the volume of a group is multiplied by for both ends of its 95 % interval.

    Parameters
    ----------
    middle, spread : float
        Mean and standard deviation of the logarithm of the volume found over the true one.
    biases : Iterable[float]
        Mean errors on the measured sets, as shares of the true volume (0.1: a tenth too large).

    Where errors are to one side, so is the interval; the volume as found stays within.
    """
    reach = _NORMAL_95 * spread
    middles = (-middle, *(-math.log1p(share) for share in biases))
    low, high = min(middles) - reach, max(middles) + reach
    return math.exp(min(low, 0.0)), math.exp(max(high, 0.0))


def interval_rows(heads: Sequence[Measured], every: Sequence[Measured]) -> list[MetricRow]:
    """Coverage and width of the intervals of a set's heads; `every` are the heads of all sets.

    The width is a percentage of the volume as found. No row where too few other heads are known.
    """
    of_others = [_told(h, [o for o in every if o.patient != h.patient]) for h in heads]
    of_sets = [_told(h, [o for o in every if o.subset != h.subset]) for h in heads]
    return [
        *_rows(heads, of_others, {"all": slice(None)} | _one_by_one()),
        *_rows(heads, of_sets, {ELSEWHERE: slice(None)}),
    ]


def _one_by_one() -> dict[str, slice]:
    return {f"group:{name}": slice(n, n + 1) for n, name in enumerate(NAMES)}


def _told(head: Measured, others: Sequence[Measured]) -> Array | None:
    """Whether each volume of a head is held, and how wide its interval is, %: (2, groups).

    None where too few other heads are known.
    """
    error = error_of(others).of_volumes()
    if not error.spread.any():
        return None
    sets: dict[str, list[Array]] = {}
    for other in others:
        off = _groups(other.found_ml) / _groups(other.true_ml) - 1
        sets.setdefault(other.subset, []).append(off)
    biases = np.stack([np.mean(shares, axis=0) for shares in sets.values()])
    ends = [factors(*known) for known in zip(error.middle, error.spread, biases.T, strict=True)]
    low, high = np.array(ends).T
    share = _groups(head.true_ml) / _groups(head.found_ml)
    return np.stack([(low <= share) & (share <= high), 100 * (high - low)])


def _groups(ml: Array) -> Array:
    return np.array(list(grouped_ml(ml).values()))


def _rows(
    heads: Sequence[Measured], told: Sequence[Array | None], groups: dict[str, slice]
) -> list[MetricRow]:
    known = [(h, each) for h, each in zip(heads, told, strict=True) if each is not None]
    if not known:
        return []
    mine = [head for head, _ in known]
    values = np.stack([each for _, each in known])
    return [
        figure_of_heads(mine, name, ours[:, part].mean(axis=1), group)
        for group, part in groups.items()
        for name, ours in zip((COVERAGE, WIDTH), values.swapaxes(0, 1), strict=True)
    ]
