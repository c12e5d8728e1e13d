"""What a model told beside what came true, errors or outcomes, as its card keeps them."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from medview.domain.report import Plot
from medview.ui.controls import name
from medview.ui.plotting import TEXT_PX, small_text
from medview.ui.theme import current
from medview.ui.words import tr

_HIGH = 190


class UncertaintyChart(QWidget):
    """A line with its band over equal axes; the dashed diagonal is what was told."""

    def __init__(self, plot: Plot) -> None:
        super().__init__()
        name(self, "uncertainty_chart", plot.alt)
        self.plot = plot
        self.setFixedHeight(_HIGH)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(plot.alt)

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's hook
        """As wide as the card."""
        return QSize(280, _HIGH)

    def place(self, predicted: float, error: float) -> QPointF:
        """Where a point of the axes lies, in pixels."""
        (left, right), (low, high), area = self.plot.x, self.plot.y, self._area
        return QPointF(
            area.left() + area.width() * (predicted - left) / ((right - left) or 1.0),
            area.bottom() - area.height() * (error - low) / ((high - low) or 1.0),
        )

    @property
    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(34, 24, -8, -32)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw band, diagonal, line and dots, and the bounds of the axes."""
        theme, plot = current(), self.plot
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        accent, quiet = QColor(theme.accent), QColor(theme.quiet)
        band = QColor(accent)
        band.setAlpha(50)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(band)
        outline = [self.place(x, high) for x, _, high in plot.band]
        outline += [self.place(x, low) for x, low, _ in reversed(plot.band)]
        painter.drawPolygon(QPolygonF(outline))
        painter.setPen(QPen(quiet, 1, Qt.PenStyle.DashLine))
        painter.drawPolyline(QPolygonF([self.place(*point) for point in plot.guide]))
        painter.setPen(QPen(accent, 2))
        painter.setBrush(accent)
        painter.drawPolyline(QPolygonF([self.place(*point) for point in plot.line]))
        for point in plot.dots:
            painter.drawEllipse(self.place(*point), 2.5, 2.5)
        self._draw_axes(painter, quiet)
        painter.end()

    def _draw_axes(self, painter: QPainter, colour: QColor) -> None:
        area, plot = self._area, self.plot
        painter.setPen(QPen(colour, 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.bottomLeft(), area.topLeft())
        small_text(painter)
        right, middle = Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignHCenter
        painter.drawText(QPointF(0, TEXT_PX), tr(plot.labels[1]))
        for value in plot.y:
            y = self.place(plot.x[0], value).y() - (5 if value == plot.y[0] else 0)
            painter.drawText(QRectF(0, y - 7, area.left() - 4, 14), right, f"{value:.2f}")
        for value in plot.x:
            x = self.place(value, plot.y[0]).x()
            place = QRectF(min(x - 20, self.width() - 40.0), area.bottom() + 2, 40, 14)
            painter.drawText(place, middle, f"{value:.2f}")
        below = QRectF(0, area.bottom() + 16, self.width(), 14)
        painter.drawText(below, middle, tr(plot.labels[0]))
