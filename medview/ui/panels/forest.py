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


@dataclass(frozen=True, slots=True)
class Effect:
    """By how many years a site makes an average brain older, with its 95 % interval."""

    site: str
    rows: int
    years: float
    low: float
    high: float


def effects_of(told: object) -> tuple[Effect, ...]:
    """The effects that a card's settings keep, the largest first; damaged ones are left out."""
    found = []
    for each in told if isinstance(told, list | tuple) else ():
        if not isinstance(each, Mapping):
            continue
        numbers = [each.get(key) for key in ("effect_years", "low", "high")]
        if all(isinstance(one, int | float) and math.isfinite(one) for one in numbers):
            rows = each.get("rows")
            known = rows if isinstance(rows, int) else 0
            found.append(Effect(str(each.get("site", "")), known, *map(float, numbers)))  # type: ignore[arg-type]  # checked above
    return tuple(sorted(found, key=lambda effect: -effect.years))


class ForestPlot(QWidget):
    """One row for each site, a line at no effect; the site of this result in blue."""

    def __init__(self, effects: tuple[Effect, ...], here: str = "") -> None:
        super().__init__()
        name(self, "forest_plot", tr("Effects of {n} sites", n=len(effects)))
        self.effects, self.here = effects, here
        self.setFixedHeight(_ROW_PX * len(effects) + _FOOT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            tr("How many years each site of training adds for an average brain, with 95 % interval")
        )

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's hook
        """As wide as the card."""
        return QSize(280, self.height())

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest year that is drawn; zero lies between them."""
        bounds = [bound for effect in self.effects for bound in (effect.low, effect.high)]
        return min(0.0, *bounds), max(0.0, *bounds)

    def place(self, years: float) -> float:
        """Where an effect stands along the plot, in pixels."""
        low, high = self.span
        area = self._area
        return area.left() + area.width() * (years - low) / ((high - low) or 1.0)

    @property
    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(84, 0, -8, -_FOOT_PX)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw the line of no effect, every site, and the bounds in years."""
        theme, area = current(), self._area
        painter = plot_painter(self)
        painter.setPen(QPen(QColor(theme.quiet), 1, Qt.PenStyle.DashLine))
        zero = self.place(0.0)
        painter.drawLine(QPointF(zero, area.top()), QPointF(zero, area.bottom()))
        for number, effect in enumerate(self.effects):
            self._draw_site(painter, effect, area.top() + _ROW_PX * (number + 0.5))
        painter.setPen(QColor(theme.quiet))
        base = self.height() - 4.0
        for years in self.span:
            words = tr("{n} y", n=f"{years:+.1f}")
            left = years == self.span[0]
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
        painter.drawEllipse(QPointF(self.place(effect.years), y), 2.5, 2.5)
