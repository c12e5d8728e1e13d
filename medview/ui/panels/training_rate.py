"""The learning rate of a fine-tuning: as in the recipe, written, or searched and taken over."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF, QValidator
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from medview.services.tuned import Tuned
from medview.ui.app import App
from medview.ui.containers import Row
from medview.ui.controls import button, label, name
from medview.ui.inputs import DecimalField
from medview.ui.plotting import plot_painter
from medview.ui.theme import current
from medview.ui.words import number, tr

_FIELD_PX, _PLOT_PX = 119, 96
_DECIMALS = 9
_SIDE_PX, _TOP_PX, _BOTTOM_PX = 8, 12, 18


class RateField(DecimalField):
    """A number that spans powers of ten: 3e-4 is written as that, 0 in words."""

    def textFromValue(self, value: float) -> str:  # noqa: N802  # Qt's hook
        """Two figures that matter."""
        return f"{value:.2g}"

    def valueFromText(self, text: str) -> float:  # noqa: N802  # Qt's hook
        """What is written, 0 for words."""
        return _number_in(text) or 0.0

    def validate(self, text: str, place: int) -> tuple[QValidator.State, str, int]:
        """Anything while it is written; in the end a number counts."""
        if _number_in(text) is None:
            return QValidator.State.Intermediate, text, place
        return QValidator.State.Acceptable, text, place

    def fixup(self, text: str) -> str:
        """No number: as in the recipe."""
        return "0"

    def stepBy(self, steps: int) -> None:  # noqa: N802  # Qt's hook
        """Up and down by a quarter of a power of ten."""
        self.setValue((self.value() or 1e-4) * 10 ** (steps / 4))


def _number_in(text: str) -> float | None:
    """A number with a point or, as many write it, a comma; None for words, nan and inf."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


class RatePlot(QWidget):
    """Loss over the rate, the suggested rate as a line."""

    def __init__(self) -> None:
        super().__init__()
        name(self, "training_rate_plot", tr("Loss at rising learning rates"))
        self.points: tuple[tuple[float, float], ...] = ()
        self.suggested: float | None = None
        self.setFixedHeight(_PLOT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_points(self, points: Sequence[Sequence[float]], suggested: float | None) -> None:
        """Draw smoothed losses from now on."""
        self.points = tuple((rate, smoothed) for rate, _, smoothed in points)
        self.suggested = suggested
        self.update()

    def place(self, rate: float, loss: float) -> QPointF:
        """Where a point stands, in pixels; rates by their logarithm, low losses low."""
        rates = [math.log(each) for each, _ in self.points]
        losses = [each for _, each in self.points]
        across = (math.log(rate) - rates[0]) / max(rates[-1] - rates[0], 1e-9)
        up = (loss - min(losses)) / max(max(losses) - min(losses), 1e-9)
        area = QRectF(self.rect()).adjusted(_SIDE_PX, _TOP_PX, -_SIDE_PX, -_BOTTOM_PX)
        return QPointF(area.left() + area.width() * across, area.bottom() - area.height() * up)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """The curve, the ends of the axis, the suggestion."""
        if len(self.points) < 2:
            return
        theme = current()
        painter = plot_painter(self)
        painter.setPen(QPen(QColor(theme.accent), 1.6))
        painter.drawPolyline(QPolygonF([self.place(*point) for point in self.points]))
        if self.suggested is not None:
            self._mark(painter, self.suggested)
        painter.setPen(QColor(theme.quiet))
        painter.drawText(QPointF(_SIDE_PX, self.height() - 4.0), f"{self.points[0][0]:.0e}")
        last = f"{self.points[-1][0]:.0e}"
        wide = painter.fontMetrics().horizontalAdvance(last)
        painter.drawText(QPointF(self.width() - _SIDE_PX - wide, self.height() - 4.0), last)
        painter.end()

    def _mark(self, painter: QPainter, rate: float) -> None:
        theme, x = current(), self.place(rate, self.points[0][1]).x()
        painter.setPen(QPen(QColor(theme.good), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, _TOP_PX), QPointF(x, self.height() - _BOTTOM_PX))
        text = f"{rate:.1g}"
        wide = painter.fontMetrics().horizontalAdvance(text)
        painter.setPen(QColor(theme.good))
        painter.drawText(QPointF(min(x + 4, self.width() - wide - 4.0), _TOP_PX + 8.0), text)


class RateRow(QWidget):
    """The field, a button that searches, and what was found with a button that takes it over."""

    def __init__(self, app: App) -> None:
        super().__init__()
        self._app = app
        self.field = RateField()
        name(self.field, "training_rate", tr("Learning rate"))
        self.field.setDecimals(_DECIMALS)
        self.field.setRange(0, 10)
        self.field.setSpecialValueText(tr("as in the recipe"))
        self.field.setToolTip(tr("How far a step goes; 0: as in the recipe"))
        self.field.setKeyboardTracking(False)
        self.field.setFixedWidth(_FIELD_PX)
        self.field.valueChanged.connect(lambda rate: app.tuning.wish(rate=rate))
        self._find = button(
            tr("Search"), "training_rate_find",
            tip=tr("Tries rising rates for some steps; nothing of it is kept"),
        )  # fmt: skip
        self._find.clicked.connect(self._on_find)
        self.plot = RatePlot()
        self._words = label("", "quiet", wraps=True)
        name(self._words, "training_rate_words", tr("What the search found"))
        self._take = button(tr("Take over"), "training_rate_take")
        self._take.clicked.connect(self._on_take)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(6)
        rows.addWidget(Row(label(tr("Learning rate")), 1, self.field, self._find, gap=6))
        rows.addWidget(self.plot)
        rows.addWidget(self._words)
        self._offer = Row(1, self._take)
        rows.addWidget(self._offer)

    def show_state(self, now: Tuned) -> None:
        """What was wished, and what a search gave."""
        self.setVisible(not now.is_fit)
        self.field.blockSignals(True)
        self.field.setValue(now.wish.rate)
        self.field.blockSignals(False)
        self.field.setEnabled(now.phase != "running")
        self._find.setText(tr("Cancel") if now.is_finding else tr("Search"))
        self._find.setEnabled(now.is_finding or self._app.tuning.rates.can_find)
        points, suggested = now.rates.get("points", ()), now.rates.get("suggested")
        self.plot.show_points(points, suggested)
        self.plot.setVisible(len(points) > 1)
        why = str(now.rates.get("why", ""))
        self._words.setText(tr("Trying rates ...") if now.is_finding else _sentence(why))
        self._words.setVisible(bool(self._words.text()))
        self._offer.setVisible(suggested is not None and now.wish.rate != _short(suggested))
        self._take.setText(tr("Use {rate}", rate=number(suggested, 2)))

    def _on_find(self) -> None:
        tuning = self._app.tuning
        if tuning.now.is_finding:
            tuning.rates.stop()
        else:
            tuning.rates.find()

    def _on_take(self) -> None:
        suggested = self._app.tuning.now.rates.get("suggested")
        if suggested is not None:
            self._app.tuning.wish(rate=_short(suggested))


def _short(rate: float) -> float:
    """Two figures are as much as a sweep knows."""
    return float(f"{rate:.2g}")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
