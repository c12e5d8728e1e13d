"""The curves of a training as they grow."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from medview.services.histories import Points, main_curves
from medview.services.report_figures import FIGURE_NAMES
from medview.services.tuned import Tuned
from medview.ui.controls import name
from medview.ui.plotting import small_text
from medview.ui.theme import current
from medview.ui.words import tr

# A curve of one epoch is a dot.
_DOT_PX = 2.5
# Where words at the upper end stand, and how near curves are to words.
_TOP_PX, _NEAR_PX = 12.0, 24.0


class CurvePlot(QWidget):
    """Lines over epochs, one a part; the lowest validation is marked, in the end what was kept.

    Where the two parts are of different quantities each has a scale of its own: an error in years
    would press a loss flat.
    """

    def __init__(self) -> None:
        super().__init__()
        name(self, "training_curves", tr("Loss of training and validation"))
        self.curves: dict[str, tuple[tuple[int, float], ...]] = {}
        self._last, self._kept = 1, 0
        self._measures: dict[str, str] = {}
        self.setFixedHeight(130)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_curves(
        self,
        curves: Mapping[str, tuple[tuple[int, float], ...]],
        epochs: int,
        kept: int = 0,
        measures: Mapping[str, str] | None = None,
    ) -> None:
        """Draw these from now on; `kept` is the epoch whose weights were taken, 0 before that.

        `measures` says which quantity each part is of; without it they are of one.
        """
        self.curves, self._kept = dict(curves), kept
        self._measures = dict(measures or {})
        parts = {"train": tr("training"), "val": tr("validation")}
        told = (
            tr("{part}: {what}", part=text, what=self._of(each)) for each, text in parts.items()
        )
        self.setToolTip("" if self._is_of_one else ", ".join(told))
        ends = [points[-1][0] for points in self.curves.values() if points]
        self._last = max([epochs, 2, *ends])
        self.update()

    def place(self, epoch: int, value: float, part: str = "val") -> QPointF:
        """Where a point of a part stands, in pixels."""
        low, high = self._span(part)
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
    def _is_of_one(self) -> bool:
        """Both parts are of one quantity."""
        return len(set(self._measures.values())) < 2

    def _span(self, part: str) -> tuple[float, float]:
        parts = self.curves if self._is_of_one else (part,)
        values = [value for each in parts for _, value in self.curves.get(each, ())]
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
                line = [self.place(*point, part) for point in points]
                painter.drawPolyline(QPolygonF(line))
                if len(line) == 1:
                    painter.setBrush(QColor(colour))
                    painter.drawEllipse(line[0], _DOT_PX, _DOT_PX)
                    painter.setBrush(Qt.BrushStyle.NoBrush)
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

        It stands at the end of the line that is farther from the curves there; one that still
        goes through it is broken off for the words.
        """
        x = at.x()
        wide = painter.fontMetrics().horizontalAdvance(text) + 5
        left = x + 5 if x + wide + 5 < self.width() else x - wide
        here = [
            place.y()
            for part, points in self.curves.items()
            for place in (self.place(*point, part) for point in points)
            if left - _NEAR_PX <= place.x() <= left + wide + _NEAR_PX
        ]
        is_above = min(here, default=self._foot) - _TOP_PX > self._foot - max(here, default=_TOP_PX)
        foot = QPointF(left, _TOP_PX if is_above else self._foot)
        room = painter.fontMetrics().tightBoundingRect(text).toRectF().translated(foot)
        painter.fillRect(room.adjusted(-2, -2, 2, 2), QColor(current().card))
        painter.setPen(QColor(current().good))
        painter.drawText(foot, text)

    def _write_legend(self, painter: QPainter) -> None:
        """Which line is which, under the curves."""
        theme, base = current(), self.height() - 4.0
        words = (
            (theme.accent, "train", tr("training")),
            (theme.attention, "val", self._words(tr("validation"))),
        )
        x = 40.0
        for colour, part, text in words:
            if self.curves.get(part):
                painter.setPen(QPen(QColor(colour), 2))
                painter.drawLine(QPointF(x, base - 4), QPointF(x + 12, base - 4))
                painter.setPen(QColor(theme.quiet))
                painter.drawText(QPointF(x + 17, base), text)
                x += 17 + painter.fontMetrics().horizontalAdvance(text) + 14

    def _of(self, part: str) -> str:
        """The quantity of a line, in words."""
        measure = self._measures.get(part, "")
        return FIGURE_NAMES.get(measure, measure.replace("_", " "))

    def _words(self, text: str) -> str:
        """What a line is, and that it is not to be held against the other one; the tip says why."""
        return text if self._is_of_one else tr("{part}, own scale", part=text)


def loss_curves(now: Tuned) -> dict[str, Points]:
    """The curve of each part that stands for how well it goes."""
    return main_curves(now.curves)
