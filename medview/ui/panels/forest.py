"""Effects of sites one below the other, each with its interval, and the one that was used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from medview.ui.controls import name
from medview.ui.plotting import plot_painter
from medview.ui.theme import current
from medview.ui.words import tr

_ROW_PX = 14
_FOOT_PX = 18
# What a card calls the effect of a site, with the unit of the figures.
_UNITS = {"effect_years": "y", "effect_log_odds": ""}
_TIPS = {
    "y": "How many years each site of training adds for an average brain, with 95 % interval",
    "": "What each site of training adds to the log-odds of the outcome, with 95 % interval",
}


@dataclass(frozen=True, slots=True)
class Effect:
    """What a site adds (years to the age of an average brain, or to log-odds), 95 % interval."""

    site: str
    rows: int
    value: float
    low: float
    high: float
    unit: str = "y"


def effects_of(told: object) -> tuple[Effect, ...]:
    """The effects that a card's settings keep, the largest first; damaged ones are left out."""
    found = []
    for each in told if isinstance(told, list | tuple) else ():
        if not isinstance(each, Mapping):
            continue
        key = next((key for key in _UNITS if key in each), "")
        numbers = [each.get(one) for one in (key, "low", "high")]
        if all(isinstance(one, int | float) and math.isfinite(one) for one in numbers):
            rows = each.get("rows")
            known = rows if isinstance(rows, int) else 0
            value, low, high = map(float, numbers)  # type: ignore[arg-type]  # checked above
            found.append(Effect(str(each.get("site", "")), known, value, low, high, _UNITS[key]))
    return tuple(sorted(found, key=lambda effect: -effect.value))


class ForestPlot(QWidget):
    """One row for each site, a line at no effect; the site of this result in blue."""

    def __init__(self, effects: tuple[Effect, ...], here: str = "") -> None:
        super().__init__()
        name(self, "forest_plot", tr("Effects of {n} sites", n=len(effects)))
        self.effects, self.here = effects, here
        self.unit = effects[0].unit if effects else ""
        self.setFixedHeight(_ROW_PX * len(effects) + _FOOT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(tr(_TIPS[self.unit]))

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's hook
        """As wide as the card."""
        return QSize(280, self.height())

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest value that is drawn; zero lies between them."""
        bounds = [bound for effect in self.effects for bound in (effect.low, effect.high)]
        return min(0.0, *bounds), max(0.0, *bounds)

    def place(self, value: float) -> float:
        """Where an effect stands along the plot, in pixels."""
        low, high = self.span
        area = self._area
        return area.left() + area.width() * (value - low) / ((high - low) or 1.0)

    @property
    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(84, 0, -8, -_FOOT_PX)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw the line of no effect, every site, and the bounds."""
        theme, area = current(), self._area
        painter = plot_painter(self)
        painter.setPen(QPen(QColor(theme.quiet), 1, Qt.PenStyle.DashLine))
        zero = self.place(0.0)
        painter.drawLine(QPointF(zero, area.top()), QPointF(zero, area.bottom()))
        for number, effect in enumerate(self.effects):
            self._draw_site(painter, effect, area.top() + _ROW_PX * (number + 0.5))
        painter.setPen(QColor(theme.quiet))
        base = self.height() - 4.0
        for value in self.span:
            words = f"{value:+.1f} {self.unit}".replace("-", "\u2212").rstrip()
            left = value == self.span[0]
            box = QRectF(area.left() if left else area.right() - 60, base - 13, 60, 14)
            side = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight
            painter.drawText(box, side, words)
        painter.end()

    def _draw_site(self, painter: QPainter, effect: Effect, y: float) -> None:
        theme = current()
        is_here = effect.site == self.here
        colour = QColor(theme.accent if is_here else theme.quiet)
        painter.setPen(QColor(theme.strong) if is_here else colour)
        box = QRectF(0, y - _ROW_PX / 2, 78, _ROW_PX)
        words = painter.fontMetrics().elidedText(effect.site, Qt.TextElideMode.ElideRight, 78)
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        painter.setPen(QPen(colour, 2 if is_here else 1))
        ends = QPointF(self.place(effect.low), y), QPointF(self.place(effect.high), y)
        painter.drawLine(*ends)
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(self.place(effect.value), y), 2.5, 2.5)
