"""Events of a stay as hourly bins, and bins as the numbers that a network takes.

The rules are those of the MIMIC-III benchmark, which the fusion paper uses: the last value in a
bin wins, an empty bin repeats the one before, and what was never measured is imputed. The
benchmark leaves open which one is last of several at the same time: here their mean counts, of
flags the highest, of words the one whose level stands last in the map. So the order of the rows
of a table, which says nothing, never counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import DataError
from medview.learning.icu_variables import VariableMap

Floats = NDArray[np.float32]
_Places = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Bin and variable of each of n values."""
_EPS = 1e-6
"""A value at a full hour belongs to the hour that ends there, as in the benchmark."""
FURTHEST = 6.0
"""Standardised values stay within this."""
STALE_HOURS = 24.0
"""Measurements older than this are old; ones that never were count as twice as old."""


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """What was measured in a stay: hours since admission, place in the map, value; all (n,)."""

    hours: Floats
    codes: NDArray[np.int16]
    values: Floats

    @classmethod
    def of(cls, rows: Iterable[tuple[float, int, float]]) -> Events:
        """From rows of (hour, place, value)."""
        table = np.array(list(rows), dtype=np.float64).reshape(-1, 3)
        return cls(
            table[:, 0].astype(np.float32),
            table[:, 1].astype(np.int16),
            table[:, 2].astype(np.float32),
        )

    def __len__(self) -> int:
        return len(self.hours)

    def kept(self, mask: NDArray[np.bool_]) -> Events:
        """The events where `mask` (n,) is True."""
        return Events(self.hours[mask], self.codes[mask], self.values[mask])

    def until(self, hour: float) -> Events:
        """The events of the first `hour` hours."""
        return self.kept(self.hours <= hour + _EPS)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A stay in bins. All arrays are (bins, variables); `values` have no gaps left but NaN where
    a variable without anything to impute was never seen.

    `since` counts bins since the last measurement, infinity before the first. `lowest`, `highest`,
    `mean` and `count` are of all measurements up to and including the bin.
    """

    values: Floats
    observed: NDArray[np.bool_]
    since: Floats
    lowest: Floats
    highest: Floats
    mean: Floats
    count: Floats

    def __len__(self) -> int:
        return len(self.values)


def n_bins(hours: float, bin_hours: float = 1.0) -> int:
    """How many bins a stay of so many hours has: int(T + 1 - 1e-6), T in bins; at least one."""
    return max(1, int(hours / bin_hours + 1 - _EPS))


def clean(events: Events, variables: VariableMap) -> tuple[Events, dict[str, int]]:
    """Turn foreign units, leave out impossible values, pull the others into their range.

    Returns
    -------
    tuple[Events, dict[str, int]]
        The events, and how many values were in which foreign unit or impossible, in words.
    """
    values, keep = events.values.copy(), np.isfinite(events.values)
    below = np.isneginf(events.values)
    said: dict[str, int] = {}
    for place, variable in enumerate(variables.variables):
        here = events.codes == place
        if not here.any() or variable.levels:
            continue
        values[here & below], keep[here & below] = variable.clip[0], True
        for rule in variable.units:
            if rule.whole:  # of columns of a table, which are no longer known here
                continue
            foreign = here & (values >= rule.first) & (values <= rule.last)
            if foreign.any():
                values[foreign] = values[foreign] * rule.scale + rule.shift
                said[f"{variable.name}: {rule.says}; converted"] = int(foreign.sum())
        low, high = variable.possible
        odd = here & keep & ((values < low) | (values > high))
        if odd.any():
            keep &= ~odd
            said[f"{variable.name}: outside {low:g} to {high:g}; left out"] = int(odd.sum())
        low, high = variable.clip
        beyond = here & keep & ((values < low) | (values > high))
        if beyond.any():
            said[f"{variable.name}: outside {low:g} to {high:g}; taken as the nearer end"] = int(
                beyond.sum()
            )
        values[here] = np.clip(values[here], low, high)
    return Events(events.hours, events.codes, values).kept(keep), said


def discretise(events: Events, variables: VariableMap, hours: float | None = None) -> Grid:
    """Put cleaned events into bins.

    Parameters
    ----------
    hours : float | None
        Length of the stay; None ends it with its last event.

    Raises
    ------
    DataError
        If there is neither an event nor a length.
    """
    if hours is None:
        if not len(events):
            raise DataError(
                "the stay has no values", code="MV-DAT-161", do="Give a stay with values."
            )
        hours = float(events.hours.max())
    bins = min(n_bins(hours, variables.bin_hours), variables.longest)
    # By value, too: sums are the same to the last digit then, whatever the order of the rows.
    order = np.lexsort((events.values, events.codes, events.hours))
    times = events.hours[order].astype(np.float64) / variables.bin_hours
    places = np.maximum((times - _EPS).astype(np.int64), 0)
    inside = (times >= 0) & (places < bins)
    at = (places[inside], events.codes[order][inside].astype(np.int64))
    given = events.values[order][inside]
    shape = (bins, len(variables.variables))
    return _filled(at, given, _latest(at, given, times[inside], variables, shape), variables)


def _latest(
    at: _Places,
    given: Floats,
    times: NDArray[np.float64],
    variables: VariableMap,
    shape: tuple[int, int],
) -> Floats:
    """What counts of the values in each bin (bins, variables); NaN where there is none."""
    end = np.full(shape, -np.inf)
    np.maximum.at(end, at, times)
    last = times == end[at]
    at, given = (at[0][last], at[1][last]), given[last]
    total, count = np.zeros(shape, np.float64), np.zeros(shape, np.float64)
    highest = np.full(shape, -np.inf, np.float32)
    np.add.at(total, at, given)
    np.add.at(count, at, 1)
    np.maximum.at(highest, at, given)
    mixes = np.array([not v.levels and v.kind != "flag" for v in variables.variables])
    mean = np.where(mixes, total / np.maximum(count, 1), highest)
    return np.where(count > 0, mean, np.nan).astype(np.float32)


def _filled(at: _Places, given: Floats, latest: Floats, variables: VariableMap) -> Grid:
    shape = latest.shape
    bins = len(latest)
    observed = np.isfinite(latest)
    lowest, highest = np.full(shape, np.inf, np.float32), np.full(shape, -np.inf, np.float32)
    total, count = np.zeros(shape, np.float64), np.zeros(shape, np.float32)
    np.minimum.at(lowest, at, given)
    np.maximum.at(highest, at, given)
    np.add.at(total, at, given)
    np.add.at(count, at, 1)
    count = count.cumsum(0, dtype=np.float32)
    impute = np.array(
        [np.nan if v.impute is None else v.impute for v in variables.variables], np.float32
    )
    last = np.maximum.accumulate(np.where(observed, np.arange(bins)[:, None], -1), axis=0)
    seen = last >= 0
    columns = np.arange(shape[1])[None]
    filled = np.where(seen, latest[np.maximum(last, 0), columns], impute)
    since = np.where(seen, np.arange(bins)[:, None] - last, np.inf).astype(np.float32)
    lowest = np.where(seen, np.minimum.accumulate(lowest, 0), impute)
    highest = np.where(seen, np.maximum.accumulate(highest, 0), impute)
    mean = np.where(seen, total.cumsum(0) / np.maximum(count, 1), impute).astype(np.float32)
    return Grid(filled, observed, since, lowest, highest, mean, count)


@dataclass(frozen=True, slots=True, eq=False)
class Normaliser:
    """Mean and standard deviation of each variable (after its logarithm where it has one)."""

    mean: Floats
    sd: Floats

    @classmethod
    def shipped(cls, variables: VariableMap) -> Normaliser:
        """The authors' statistics, of MIMIC-III; their huge spreads come from outliers.

        Raises
        ------
        DataError
            If the map has none.
        """
        known = [variable.normal for variable in variables.variables if not variable.levels]
        if any(pair is None for pair in known):
            raise DataError(
                f"the map {variables.name} has no shipped statistics",
                code="MV-DAT-162",
                do="Fit them to the training data (normaliser fitted).",
            )
        pairs = [variable.normal or (0.0, 1.0) for variable in variables.variables]
        return cls(*(np.array(column, np.float32) for column in zip(*pairs, strict=True)))

    @classmethod
    def fitted(cls, grids: Sequence[Grid], variables: VariableMap) -> Normaliser:
        """The statistics of what was measured in these stays, bin by bin."""
        raw = np.concatenate([grid.values for grid in grids])
        observed = np.concatenate([grid.observed for grid in grids])
        table = np.where(observed, straightened(raw, variables), np.nan)
        # What was never measured stands at its imputed value, which is then zero.
        impute = np.array([[v.impute or 0.0 for v in variables.variables]], np.float32)
        mean, sd = straightened(impute, variables)[0], np.ones(table.shape[1], np.float32)
        for place, variable in enumerate(variables.variables):
            known = table[observed[:, place], place].astype(np.float64)
            if variable.kind == "flag" or variable.levels:
                mean[place] = 0
            elif known.size:
                spread = float(known.std())
                mean[place], sd[place] = known.mean(), spread if spread > 1e-3 else 1.0
        return cls(mean, sd)

    def applied(self, values: Floats) -> Floats:
        """Standardised values."""
        standard = (values - self.mean) / self.sd
        return np.asarray(np.clip(standard, -FURTHEST, FURTHEST), dtype=np.float32)


def straightened(values: Floats, variables: VariableMap) -> Floats:
    """Skewed variables as their logarithm, the others as they are; (..., variables)."""
    found = values.copy()
    for place, variable in enumerate(variables.variables):
        if variable.log:
            found[..., place] = np.log(values[..., place] + (variable.clip[0] <= 0))
    return found


def encode(grid: Grid, variables: VariableMap, normaliser: Normaliser) -> Floats:
    """Bins as the numbers of the network, (bins, columns), finite.

    First the values in the order of the map, levels one-hot; then one block of all variables
    that change in time for each further feature: flags "observed" (1: measured in this bin),
    "since" (days since the last measurement, 2 before the first), "lowest", "highest", "mean"
    (standardised like the value) and "count" (half its logarithm).
    """

    def standard(values: Floats) -> Floats:
        return normaliser.applied(straightened(values, variables))

    values, dynamic = standard(grid.values), list(variables.dynamic)
    blocks = [
        _one_hot(grid.values[:, n], variable.width) if variable.levels else values[:, n : n + 1]
        for n, variable in enumerate(variables.variables)
    ]
    age = np.minimum(grid.since * variables.bin_hours, 2 * STALE_HOURS) / STALE_HOURS
    for name in variables.features[1:]:
        if name == "since":
            block = np.where(np.isfinite(grid.since), np.minimum(age, 1.0), 2.0)
        elif name == "count":
            block = np.log1p(grid.count) / 2
        elif name == "observed":
            block = grid.observed
        else:
            block = standard(getattr(grid, name))
        blocks.append(np.nan_to_num(block[:, dynamic].astype(np.float32)))
    return np.concatenate(blocks, axis=1, dtype=np.float32)


def _one_hot(levels: Floats, width: int) -> Floats:
    known = np.isfinite(levels)
    row = np.zeros((len(levels), width), np.float32)
    row[known, levels[known].astype(int)] = 1
    return row
