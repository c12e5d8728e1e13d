"""The record of a stay as a table holds it: variables in time, before any model reads them."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Strip:
    """One variable: when it was measured (hours since admission) and what came of it."""

    name: str
    unit: str
    hours: tuple[float, ...]
    values: tuple[float, ...]

    def at(self, hour: float) -> float | None:
        """The newest value up to an hour; None before the first one."""
        known = [value for when, value in zip(self.hours, self.values, strict=True) if when <= hour]
        return known[-1] if known else None

    def carried(self, last: float) -> tuple[tuple[float, float], ...]:
        """(hour, value) in the middle of each hour without a measurement, the last one kept on.

        Nothing before the first measurement: what a model puts there is no value of the patient.
        """
        if not self.hours:
            return ()
        measured = {math.floor(hour) for hour in self.hours}
        first = math.floor(self.hours[0])
        places = [hour for hour in range(first, math.ceil(last)) if hour not in measured]
        return tuple((hour + 0.5, value) for hour in places if (value := self.at(hour)) is not None)


@dataclass(frozen=True, slots=True)
class Record:
    """A stay: its variables, those with the most measurements first.

    `last` is the hour of the last row; `ignored` names columns without a number in them;
    `before` counts rows from before admission, which are in no strip.
    """

    strips: tuple[Strip, ...]
    last: float
    ignored: tuple[str, ...] = ()
    before: int = 0

    @property
    def imputed_share(self) -> float:
        """Share of the hours of all variables in which nothing was measured."""
        hours = max(1, math.ceil(self.last))
        if not self.strips:
            return 1.0
        known = sum(
            len({min(math.floor(h), hours - 1) for h in each.hours}) for each in self.strips
        )
        return 1 - known / (hours * len(self.strips))
