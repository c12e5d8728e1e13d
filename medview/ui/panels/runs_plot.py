"""The curves of several trainings over each other, on one scale."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from medview.services.histories import Points, main_curves
from medview.services.runs import Run
from medview.ui.controls import name
from medview.ui.plotting import plot_painter
from medview.ui.theme import current
from medview.ui.words import number, tr

# Told apart also without red and green (Okabe and Ito 2008), on dark and on light.
COLOURS = ("#56a0d3", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#7a68c4", "#8c8c3c", "#7f8790")
_LEFT_PX, _RIGHT_PX, _TOP_PX, _BOTTOM_PX = 52, 12, 12, 22
_TICKS = 4


def colour_of(place: int) -> str:
    """The colour of the run that is drawn in that place."""
    return COLOURS[place % len(COLOURS)]


class RunsPlot(QWidget):
    """One line a run: validation, else training; a dot marks its best epoch."""

    def __init__(self) -> None:
        super().__init__()
        name(self, "runs_plot", tr("Curves of the chosen trainings"))
        self.lines: tuple[tuple[str, Points], ...] = ()
        self._span, self._last = (0.0, 1.0), 2
        self.setMinimumHeight(220)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_runs(self, chosen: Sequence[tuple[int, Run]]) -> None:
        """Draw these, each in the colour of its place; those without a curve are left out."""
        lines = []
        for place, run in chosen:
            curves = main_curves(run.curves)
            points = curves.get("val") or curves.get("train") or ()
            if points:
                lines.append((colour_of(place), points))
        self.lines = tuple(lines)
        values = [value for _, points in self.lines for _, value in points]
        low, high = min(values, default=0.0), max(values, default=1.0)
        self._span = (low, high) if high > low else (low - 0.5, high + 0.5)
        self._last = max([2, *(points[-1][0] for _, points in self.lines)])
        self.update()

    def place(self, epoch: int, value: float) -> QPointF:
        """Where a point stands, in pixels."""
        low, high = self._span
        area = QRectF(self.rect()).adjusted(_LEFT_PX, _TOP_PX, -_RIGHT_PX, -_BOTTOM_PX)
        return QPointF(
            area.left() + area.width() * (epoch - 1) / (self._last - 1),
            area.bottom() - area.height() * (value - low) / (high - low),
        )

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """Scale and ends of the axis, then the lines and their best epochs."""
        theme = current()
        painter = plot_painter(self)
        if self.lines:
            self._write_scale(painter)
        else:
            painter.setPen(QColor(theme.quiet))
            painter.drawText(
                self.rect(), Qt.AlignmentFlag.AlignCenter, tr("Tick trainings to draw their curves")
            )
        for colour, points in self.lines:
            painter.setPen(QPen(QColor(colour), 1.8))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(QPolygonF([self.place(*point) for point in points]))
            painter.setBrush(QColor(colour))
            painter.drawEllipse(self.place(*min(points, key=lambda point: point[1])), 3.5, 3.5)
        painter.end()

    def _write_scale(self, painter: QPainter) -> None:
        theme, (low, high) = current(), self._span
        for tick in range(_TICKS + 1):
            value = low + (high - low) * tick / _TICKS
            y = self.place(1, value).y()
            painter.setPen(QPen(QColor(theme.border), 1))
            painter.drawLine(QPointF(_LEFT_PX, y), QPointF(self.width() - _RIGHT_PX, y))
            painter.setPen(QColor(theme.quiet))
            box = QRectF(0, y - 8, _LEFT_PX - 6, 16)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight, number(value))
        base = self.height() - 6.0
        painter.drawText(QPointF(_LEFT_PX, base), tr("epoch 1"))
        ends = QRectF(0, self.height() - 19, self.width() - _RIGHT_PX, 16)
        painter.drawText(ends, Qt.AlignmentFlag.AlignRight, str(self._last))
