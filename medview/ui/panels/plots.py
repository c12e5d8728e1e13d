"""Small charts of the result cards, drawn in the colours of the theme."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from medview.ui.controls import name
from medview.ui.plotting import TEXT_PX, small_text
from medview.ui.theme import current
from medview.ui.words import number, tr


class CohortPlot(QWidget):
    """Given age along, predicted age up: a reference cohort, and this patient in it.

    `cohort` holds (age, predicted) in years of people that the model was not trained on.
    """

    def __init__(
        self,
        cohort: Sequence[tuple[float, float]],
        patient: tuple[float, float],
        bounds: tuple[float, float] | None,
    ) -> None:
        super().__init__()
        name(self, "cohort_plot", tr("The patient among {n} others", n=len(cohort)))
        self.cohort, self.patient, self.bounds = tuple(cohort), patient, bounds
        self.setFixedHeight(132)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            tr("Grey: {n} people of the reference cohort. Blue: this patient.", n=len(cohort))
        )

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's hook
        """As wide as the card."""
        return QSize(280, 132)

    @property
    def span(self) -> tuple[float, float]:
        """Youngest and oldest year that is drawn, the same along and up."""
        years = [y for point in (*self.cohort, self.patient) for y in point]
        years += list(self.bounds or ())
        return min(years) - 2, max(years) + 2

    def place(self, age: float, predicted: float) -> QPointF:
        """Where a person stands, in pixels."""
        low, high = self.span
        area = self._area
        return QPointF(
            area.left() + area.width() * (age - low) / (high - low),
            area.bottom() - area.height() * (predicted - low) / (high - low),
        )

    @property
    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(28, 14, -8, -18)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw dots, the line of equal ages, and the patient with the interval."""
        theme = current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        low, high = self.span
        painter.setPen(QPen(QColor(theme.quiet), 1, Qt.PenStyle.DashLine))
        painter.drawLine(self.place(low, low), self.place(high, high))
        dot = QColor(theme.quiet)
        dot.setAlpha(120)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(dot)
        for age, predicted in self.cohort:
            painter.drawEllipse(self.place(age, predicted), 1.8, 1.8)
        self._draw_patient(painter, QColor(theme.accent), QColor(theme.strong))
        self._draw_words(painter, QColor(theme.quiet))
        painter.end()

    def _draw_patient(self, painter: QPainter, colour: QColor, rim: QColor) -> None:
        age, _ = self.patient
        if self.bounds is not None:
            painter.setPen(QPen(colour, 2))
            painter.drawLine(self.place(age, self.bounds[0]), self.place(age, self.bounds[1]))
        painter.setPen(QPen(rim, 1))
        painter.setBrush(colour)
        painter.drawEllipse(self.place(*self.patient), 5, 5)

    def _draw_words(self, painter: QPainter, colour: QColor) -> None:
        low, high = self.span
        font = small_text(painter)
        painter.setPen(colour)
        area, metrics = self._area, QFontMetricsF(font)
        painter.drawText(QPointF(0, TEXT_PX), tr("predicted, y"))
        base = self.height() - 4.0
        painter.drawText(QPointF(area.left(), base), f"{low + 2:.0f}")
        right = tr("{n} y of age", n=f"{high - 2:.0f}")
        painter.drawText(QPointF(area.right() - metrics.horizontalAdvance(right), base), right)
        for year in (low + 2, high - 2):
            painter.drawText(QPointF(0, self.place(low, year).y() + 4), f"{year:.0f}")


class ShareBar(QWidget):
    """A bar from 0 to 1 with a thin line for its interval: nothing to take hold of."""

    def __init__(self, value: float, low: float | None = None, high: float | None = None) -> None:
        super().__init__()
        self.value, self.low, self.high = value, low, high
        self.setFixedHeight(14)
        self.setMinimumWidth(60)
        self.setToolTip(f"{number(value)}")

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw the ground, the share and the interval."""
        theme, wide = current(), float(self.width())
        painter = QPainter(self)
        painter.fillRect(QRectF(0, 5, wide, 4), QColor(theme.border))
        share = min(max(self.value, 0.0), 1.0)
        painter.fillRect(QRectF(0, 5, wide * share, 4), QColor(theme.accent))
        if self.low is not None and self.high is not None:
            painter.fillRect(
                QRectF(wide * self.low, 6.5, wide * (self.high - self.low), 1),
                QColor(theme.strong),
            )
        painter.end()
