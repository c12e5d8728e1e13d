"""The curves of a training as they grow."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from medview.services.histories import Points, main_curves
from medview.services.tuned import Tuned
from medview.ui.controls import name
from medview.ui.plotting import small_text
from medview.ui.theme import current
from medview.ui.words import tr


class CurvePlot(QWidget):
    """Lines over epochs, one a part; the lowest validation is marked, in the end what was kept."""

    def __init__(self) -> None:
        super().__init__()
        name(self, "training_curves", tr("Loss of training and validation"))
        self.curves: dict[str, tuple[tuple[int, float], ...]] = {}
        self._last, self._kept = 1, 0
        self.setFixedHeight(130)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_curves(
        self, curves: Mapping[str, tuple[tuple[int, float], ...]], epochs: int, kept: int = 0
    ) -> None:
        """Draw these from now on; `kept` is the epoch whose weights were taken, 0 before that."""
        self.curves, self._kept = dict(curves), kept
        ends = [points[-1][0] for points in self.curves.values() if points]
        self._last = max([epochs, 2, *ends])
        self.update()

    def place(self, epoch: int, value: float) -> QPointF:
        """Where a point stands, in pixels."""
        low, high = self._span
        area = QRectF(self.rect()).adjusted(8, 10, -8, -18)
        return QPointF(
            area.left() + area.width() * (epoch - 1) / (self._last - 1),
            area.bottom() - area.height() * (value - low) / (high - low),
        )

    @property
    def _foot(self) -> float:
        """Where words above the axis stand, in pixels."""
        return self.height() - 24.0

    @property
    def _span(self) -> tuple[float, float]:
        values = [value for points in self.curves.values() for _, value in points]
        low, high = min(values, default=0.0), max(values, default=1.0)
        return (low, high) if high > low else (low - 0.5, high + 0.5)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw the lines, the best epoch and the ends of the axis."""
        theme = current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, part in ((theme.accent, "train"), (theme.attention, "val")):
            points = self.curves.get(part, ())
            if points:
                painter.setPen(QPen(QColor(colour), 1.6))
                painter.drawPolyline(QPolygonF([self.place(*point) for point in points]))
        best, said = self.marked()
        painter.setPen(QPen(QColor(theme.quiet), 1, Qt.PenStyle.DashLine))
        small_text(painter)
        if best is not None:
            x = self.place(*best).x()
            painter.drawLine(QPointF(x, 10), QPointF(x, self.height() - 18))
            self._write_best(painter, self.place(*best), said)
        self._write_legend(painter)
        painter.setPen(QColor(theme.quiet))
        if not any(self.curves.values()):
            words = tr("The curves begin after the first epoch.")
            painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, words)
        base = self.height() - 4.0
        painter.drawText(QPointF(8, base), "1")
        painter.drawText(
            QRectF(0, self.height() - 17, self.width() - 8, 16),
            Qt.AlignmentFlag.AlignRight,
            str(self._last),
        )
        painter.end()

    def marked(self) -> tuple[tuple[int, float] | None, str]:
        """The point that is marked, and what it is.

        The curve is of one loss of several: which weights are kept is the training's choice.
        """
        points = self.curves.get("val", ())
        kept = next((point for point in points if point[0] == self._kept), None)
        if kept is not None:
            return kept, tr("kept, epoch {n}", n=kept[0])
        lowest = min(points, key=lambda point: point[1], default=None)
        return lowest, tr("lowest, epoch {n}", n=lowest[0]) if lowest is not None else ""

    def _write_best(self, painter: QPainter, at: QPointF, text: str) -> None:
        """The epoch of the best validation, on the side of its line that has room.

        It stands at the upper end of the line, or at the lower one where the curve is above.
        """
        x = at.x()
        wide = painter.fontMetrics().horizontalAdvance(text) + 5
        painter.setPen(QColor(current().good))
        left = x + 5 if x + wide + 5 < self.width() else x - wide
        painter.drawText(QPointF(left, 12 if at.y() > self.height() / 2 else self._foot), text)

    def _write_legend(self, painter: QPainter) -> None:
        """Which line is which, under the curves."""
        theme, base = current(), self.height() - 4.0
        words = (
            (theme.accent, "train", tr("training")),
            (theme.attention, "val", tr("validation")),
        )
        x = 40.0
        for colour, part, text in words:
            if self.curves.get(part):
                painter.setPen(QPen(QColor(colour), 2))
                painter.drawLine(QPointF(x, base - 4), QPointF(x + 12, base - 4))
                painter.setPen(QColor(theme.quiet))
                painter.drawText(QPointF(x + 17, base), text)
                x += 17 + painter.fontMetrics().horizontalAdvance(text) + 14


def loss_curves(now: Tuned) -> dict[str, Points]:
    """The curve of each part that stands for how well it goes."""
    return main_curves(now.curves)
