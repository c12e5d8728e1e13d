"""The time axis of a stay: hours in pixels, where it is labelled, and how an hour is called."""

from __future__ import annotations

from dataclasses import dataclass

from medview.ui.words import tr

# From so many hours on, days are easier to read.
LONG_STAY_HOURS = 96.0
_DAY = 24.0
_STEPS = (1, 2, 6, 12, 24, 48, 120, 240, 480, 1200, 2400, 4800)
_LABEL_PX, _DOT_PX = 44.0, 7.0


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """`hours` of a stay between two places in pixels."""

    hours: float
    left: float
    right: float

    def x_of(self, hour: float) -> float:
        """Where an hour stands, in pixels."""
        return self.left + (self.right - self.left) * hour / self.hours

    def hour_at(self, x: float) -> float:
        """The hour under a pixel; the ends hold."""
        share = (x - self.left) / (self.right - self.left)
        return min(max(share, 0.0), 1.0) * self.hours

    @property
    def is_long(self) -> bool:
        """Whether it is told in days."""
        return self.hours > LONG_STAY_HOURS

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Hours that are labelled, each with its label."""
        step = self._step_of(_LABEL_PX)
        every = range(0, int(self.hours) + 1, step)
        if self.is_long:
            return tuple((float(at), tr("{n} d", n=f"{at / _DAY:.0f}")) for at in every)
        return tuple((float(at), tr("{n} h", n=at)) for at in every)

    @property
    def dot_step(self) -> float:
        """Hours from one dot to the next so that they do not run into a line."""
        return float(self._step_of(_DOT_PX))

    def words(self, hour: float) -> str:
        """An hour in words: "hour 28.4", of a long stay "day 12"."""
        if self.is_long:
            return tr("day {n}", n=_brief(hour / _DAY))
        return tr("hour {n}", n=_brief(hour))

    def _step_of(self, least_px: float) -> int:
        """The smallest step that is so wide; whole days on an axis of days."""
        steps = [step for step in _STEPS if not (self.is_long and step % _DAY)]
        wide = (self.right - self.left) / self.hours
        return next((step for step in steps if step * wide >= least_px), steps[-1])


def length_words(hours: float) -> str:
    """How long a stay is: "48 h", from five days on "52 d"."""
    if hours > LONG_STAY_HOURS:
        return tr("{n} d", n=_brief(hours / _DAY))
    return tr("{n} h", n=_brief(hours))


def _brief(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
