"""The picture of a curve: values up, slices or time along, where one is, and curves kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from medview.imaging.curves import Curve
from medview.ui.controls import name
from medview.ui.plotting import plot_painter
from medview.ui.theme import current
from medview.ui.words import short, tr

_HIGH_PX = 128
_LEFT_PX = 52
_FEW = 60
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_Up: 1}


class CurvePlot(QWidget):
    """Draws the curve at the mouse over those that were kept; a click chooses a place on it."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        name(self, "curve_plot", tr("Values at the mouse"))
        self.setFixedHeight(_HIGH_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(tr("Click to go there; Left and Right go a step"))
        self.curve: Curve | None = None
        self.kept: tuple[Curve, ...] = ()
        self.note = ""
        #: Lowest and highest value that is drawn.
        self.span = (0.0, 1.0)

    def show_curve(self, curve: Curve | None, kept: Iterable[Curve], note: str = "") -> None:
        """Draw these; without a curve the note stands in its place."""
        self.curve, self.kept, self.note = curve, tuple(kept), note
        # Once, not for each value: that took longer than all the drawing.
        self.span = _span_of([each.y for each in (curve, *self.kept) if each is not None])
        self.setAccessibleDescription(self.words or note)
        self.update()

    @property
    def words(self) -> str:
        """Where one is, and the value there."""
        curve = self.curve
        if curve is None:
            return ""
        value = short(float(curve.y[curve.here]))
        return f"{short(float(curve.x[curve.here]))} {curve.unit}".strip() + f": {value}"

    # -- where things are ------------------------------------------------------------------

    @property
    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_LEFT_PX, 10, -12, -20)

    def place(self, curve: Curve, index: int) -> QPointF:
        """Where a value of a curve is drawn, in pixels."""
        area, (low, high) = self._area, self.span
        first, last = float(curve.x[0]), float(curve.x[-1])
        x = area.left() + area.width() * (float(curve.x[index]) - first) / max(last - first, 1e-9)
        y = area.bottom() - area.height() * (float(curve.y[index]) - low) / (high - low)
        return QPointF(x, y)

    def index_at(self, x: float) -> int:
        """The slice or time point nearest to a place of the plot."""
        assert self.curve is not None
        share = (x - self._area.left()) / max(self._area.width(), 1.0)
        count = len(self.curve.x)
        return min(max(round(share * (count - 1)), 0), count - 1)

    # -- drawing ---------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw scale, kept curves, the curve and where one is."""
        theme = current()
        painter = plot_painter(self)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 1))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        if self.curve is None:
            painter.setPen(QColor(theme.quiet))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.note)
            return
        self._draw_scale(painter, self.curve, QColor(theme.quiet), QColor(theme.border))
        for each in self.kept:
            self._draw_line(painter, each, QPen(QColor(theme.quiet), 1.2))
        self._draw_line(painter, self.curve, QPen(QColor(theme.accent), 1.8))
        colours = (QColor(theme.attention), QColor(theme.strong), QColor(theme.quiet))
        self._draw_here(painter, self.curve, *colours)

    def _draw_scale(self, painter: QPainter, curve: Curve, words: QColor, line: QColor) -> None:
        area, (low, high) = self._area, self.span
        metrics = QFontMetricsF(painter.font())
        painter.setPen(QPen(line, 1))
        painter.drawLine(area.topLeft(), area.topRight())
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.setPen(words)
        for value, y in ((high, area.top()), (low, area.bottom())):
            text = short(value)
            left = area.left() - 6 - metrics.horizontalAdvance(text)
            painter.drawText(QPointF(left, y + 4), text)

    def _draw_ends(self, painter: QPainter, curve: Curve, free: tuple[float, float]) -> None:
        """What stands at both ends, unless the words about the place stand there (`free`)."""
        area, base = self._area, self._area.bottom() + 15
        metrics = QFontMetricsF(painter.font())
        first = short(float(curve.x[0]))
        last = f"{short(float(curve.x[-1]))} {curve.unit}".strip()
        if area.left() + metrics.horizontalAdvance(first) + 6 < free[0]:
            painter.drawText(QPointF(area.left(), base), first)
        right = area.right() - metrics.horizontalAdvance(last)
        if right - 6 > free[1]:
            painter.drawText(QPointF(right, base), last)

    def _draw_line(self, painter: QPainter, curve: Curve, pen: QPen) -> None:
        """Join what has values; a gap stays a gap."""
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        joined: list[QPointF] = []
        for index in range(len(curve.x) + 1):
            if index < len(curve.x) and np.isfinite(curve.y[index]):
                joined.append(self.place(curve, index))
            elif joined:
                painter.drawPolyline(QPolygonF(joined))
                self._draw_dots(painter, joined, len(curve.x))
                joined = []

    def _draw_dots(self, painter: QPainter, places: list[QPointF], count: int) -> None:
        """Of few values each one is shown: what lies between was not measured."""
        painter.setBrush(painter.pen().color())
        for place in places if count <= _FEW else places[:1] if len(places) == 1 else ():
            painter.drawEllipse(place, 1.6, 1.6)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _draw_here(
        self, painter: QPainter, curve: Curve, line: QColor, words: QColor, quiet: QColor
    ) -> None:
        area, here = self._area, curve.here
        is_known = bool(np.isfinite(curve.y[here]))
        share = (float(curve.x[here]) - float(curve.x[0])) / max(
            float(curve.x[-1] - curve.x[0]), 1e-9
        )
        x = area.left() + area.width() * share
        painter.setPen(QPen(line, 1))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        if is_known:
            painter.setBrush(line)
            painter.drawEllipse(self.place(curve, here), 3.2, 3.2)
        wide = QFontMetricsF(painter.font()).horizontalAdvance(self.words)
        at = x + 6 if x + 6 + wide < area.right() else x - 6 - wide
        painter.setPen(words)
        painter.drawText(QPointF(at, area.bottom() + 15), self.words)
        painter.setPen(quiet)
        self._draw_ends(painter, curve, (at, at + wide))

    # -- hands -----------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's hook
        """Go where the mouse is."""
        if self.curve is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self.chosen.emit(self.index_at(event.position().x()))

    mouseMoveEvent = mousePressEvent  # noqa: N815  # Qt's hook

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's hook
        """Go a step, or to an end."""
        step, curve = _STEPS.get(Qt.Key(event.key())), self.curve
        if curve is None:
            super().keyPressEvent(event)
            return
        ends = {Qt.Key.Key_Home: 0, Qt.Key.Key_End: len(curve.x) - 1}
        wanted = ends.get(Qt.Key(event.key()), curve.here + step if step else None)
        if wanted is None:
            super().keyPressEvent(event)
        else:
            self.chosen.emit(min(max(wanted, 0), len(curve.x) - 1))


def _span_of(every: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    values = np.concatenate([*every, np.zeros(0)])
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    return (low - 0.5, high + 0.5) if low == high else (low, high)
