"""The convergence strip: is the number of passes enough? Score and spread over passes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from medview.domain.prediction import Prediction
from medview.ui.controls import name
from medview.ui.plotting import TEXT_PX, small_text
from medview.ui.theme import current
from medview.ui.words import number, tr

_HEIGHT = 92
_GAP = 14

Curve = Sequence[tuple[int, float]]


class ConvergenceStrip(QWidget):
    """Left the score after so many passes, of the brain and of the slice; right its spread."""

    def __init__(self, result: Prediction) -> None:
        super().__init__()
        name(self, "convergence", convergence_words(result))
        self._result = result
        self.slice: int | None = None
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            tr("Blue: the whole brain. Grey: the slice that is shown. Right: epistemic variance.")
        )

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's hook
        """As wide as the card."""
        return QSize(280, _HEIGHT)

    def show_slice(self, index: int | None) -> None:
        """Draw the curve of this slice beside that of the brain."""
        if index != self.slice:
            self.slice = index
            self.update()

    @property
    def whole(self) -> Curve:
        """Passes and score of the brain."""
        return [(each.samples, each.score) for each in self._result.passes]

    @property
    def of_slice(self) -> Curve:
        """Passes and score of the slice that is shown; empty where it has none."""
        passes = self._result.slice_passes
        return [(each.samples, each.score) for each in passes if each.slice == self.slice]

    @property
    def spread(self) -> Curve:
        """Passes and mean epistemic variance of the brain."""
        return [(each.samples, each.epistemic) for each in self._result.passes]

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw both charts."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        half = (self.width() - _GAP) / 2
        left = QRectF(0, 0, half, self.height())
        right = QRectF(half + _GAP, 0, half, self.height())
        theme = current()
        grey, blue = QColor(theme.quiet), QColor(theme.accent)
        self._chart(painter, left, tr("score"), [(self.of_slice, grey), (self.whole, blue)])
        self._chart(painter, right, tr("epistemic"), [(self.spread, blue)])
        painter.end()

    def _chart(
        self, painter: QPainter, area: QRectF, title: str, curves: list[tuple[Curve, QColor]]
    ) -> None:
        """Title, curves with a dot for each point, lowest and highest value at the left."""
        known = [value for curve, _ in curves for _, value in curve]
        last = max(self._result.passes[-1].samples, 3)
        low, high = _bounds(known, from_zero=len(curves) == 1)
        inner = area.adjusted(44, 26, -4, -18)
        for curve, colour in curves:
            points = [
                QPointF(
                    inner.left() + inner.width() * (n - 2) / (last - 2),
                    inner.bottom() - inner.height() * (value - low) / (high - low),
                )
                for n, value in curve
            ]
            painter.setPen(QPen(colour, 1.5))
            painter.drawPolyline(QPolygonF(points))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            for point in points:
                painter.drawEllipse(point, 2, 2)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        self._words(painter, area, inner, title, (low, high, last))

    def _words(
        self,
        painter: QPainter,
        area: QRectF,
        inner: QRectF,
        title: str,
        bounds: tuple[float, float, int],
    ) -> None:
        low, high, last = bounds
        font = small_text(painter)
        painter.setPen(QColor(current().quiet))
        metrics = QFontMetricsF(font)
        painter.drawText(QPointF(area.left(), area.top() + TEXT_PX), title)
        for value, y in ((high, inner.top() + 4), (low, inner.bottom() + 4)):
            text = number(value, 2)
            room = inner.left() - 5 - metrics.horizontalAdvance(text)
            painter.drawText(QPointF(max(area.left(), room), y), text)
        painter.drawText(QPointF(inner.left(), area.bottom() - 3), "2")
        end = tr("{n} passes", n=last)
        at = inner.right() - metrics.horizontalAdvance(end)
        painter.drawText(QPointF(at, area.bottom() - 3), end)


def convergence_words(result: Prediction) -> str:
    """What the last step changed, in one sentence; empty without two points."""
    if len(result.passes) < 2:
        return ""
    before, last = result.passes[-2:]
    moved = number(abs(last.score - before.score), 2)
    share = abs(last.epistemic - before.epistemic) / before.epistemic if before.epistemic else 0.0
    return tr(
        "From {a} to {b} passes the score moved by {moved}, its spread by {share} %.",
        a=before.samples,
        b=last.samples,
        moved=moved,
        share=f"{100 * share:.0f}",
    )


def _bounds(values: list[float], *, from_zero: bool) -> tuple[float, float]:
    """What a chart spans: what is in it, a variance from 0 on; never nothing."""
    low, high = min(values), max(values)
    if from_zero:
        low = 0.0
    return (low, high) if high - low > 1e-12 else (low - 0.5, high + 0.5)
