"""The record of a stay as a table holds it: variables in time, before any model reads them."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Values are compared with themselves as written; a table of single precision is near enough.
_ROUNDED = 1e-6


@dataclass(frozen=True, slots=True)
class Strip:
    """One variable: when it was measured (hours since admission) and what came of it.

    `unit` is told by the table or else the usual one, and then `doubt` says in words where values
    do not go with it: "46 values look like degrees Fahrenheit"; empty where they do.
    """

    name: str
    unit: str
    hours: tuple[float, ...]
    values: tuple[float, ...]
    doubt: str = ""

    def at(self, hour: float) -> float | None:
        """The newest value up to an hour; None before the first one."""
        known = [value for when, value in zip(self.hours, self.values, strict=True) if when <= hour]
        return known[-1] if known else None

    def carried(self, last: float, step: float = 1.0) -> tuple[tuple[float, float], ...]:
        """(hour, value) in the middle of each step without a measurement, the last one kept on.

        Nothing before the first measurement: what a model puts there is no value of the patient.
        `step` is in hours.
        """
        if not self.hours:
            return ()
        measured = {math.floor(hour / step) for hour in self.hours}
        first = math.floor(self.hours[0] / step)
        places = [n for n in range(first, math.ceil(last / step)) if n not in measured]
        return tuple(
            ((n + 0.5) * step, value) for n in places if (value := self.at(n * step)) is not None
        )

    @property
    def never_changes(self) -> bool:
        """Whether several values are all the same, such as a weight written every hour."""
        return len(self.values) > 1 and len(set(self.values)) == 1

    @property
    def decimals(self) -> int | None:
        """How many decimals its values are written with; None for more than two."""
        digits = (n for n in range(3) if all(abs(round(v, n) - v) < _ROUNDED for v in self.values))
        return next(digits, None)


@dataclass(frozen=True, slots=True)
class Record:
    """A stay: its variables, those with the most measurements first and what never changes last.

    `last` is the hour of the last row; `ignored` names columns without a number in them;
    `before` counts rows from before admission, which are in no strip; `step` is how many hours
    a row of the table stands for (24 where it counts days).
    """

    strips: tuple[Strip, ...]
    last: float
    ignored: tuple[str, ...] = ()
    before: int = 0
    step: float = 1.0

    @property
    def imputed_share(self) -> float:
        """Share of the steps of all variables in which nothing was measured."""
        # The last day of a table of days begins with its last row, and is a whole one.
        whole = self.last / self.step + (self.step > 1)
        steps = max(1, math.ceil(whole))
        if not self.strips:
            return 1.0
        known = sum(
            len({min(math.floor(h / self.step), steps - 1) for h in each.hours})
            for each in self.strips
        )
        return 1 - known / (steps * len(self.strips))
