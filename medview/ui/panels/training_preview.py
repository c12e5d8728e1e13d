"""One case as it is and as the recipe changes it, with the patient's sides on each picture."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from medview.domain.varied import Variant
from medview.services.tuned import Tuned
from medview.ui.app import App
from medview.ui.containers import Card, Row
from medview.ui.controls import button, clear, label, name
from medview.ui.words import tr

_SIDE_PX, _COLUMNS = 92, 3
_READY = ("checking", "ready", "stopped")


class PreviewCard(Card):
    """The recipe's own changes on a real case, drawn when they are asked for."""

    def __init__(self, app: App) -> None:
        super().__init__("training_preview", tr("Augmentation"))
        self._app = app
        self._words = label("", "quiet", wraps=True)
        name(self._words, "training_preview_words", tr("What the recipe changes"))
        self._go = button(
            tr("Preview"),
            "training_preview_go",
            tip=tr("Six changed versions of a case, as the network sees them"),
        )
        self._go.clicked.connect(self._on_go)
        self._grid = QGridLayout()
        self._grid.setSpacing(6)
        self._grid.setColumnStretch(_COLUMNS, 1)
        self.add(Row(label(tr("Augmentation"), "strong"), 1, self._go), self._words, self._grid)
        app.tuning.varying.changed.connect(self._show)
        self._show()

    def show_state(self, now: Tuned) -> None:
        """Offered once there are cases; while a training runs nothing is changed any more."""
        self.setVisible(now.phase in _READY and not now.is_fit)

    def _on_go(self) -> None:
        data = self._app.tuning.now.data
        if data is not None:
            now = self._app.tuning.now
            self._app.tuning.varying.show_next(now.model, data, now.wish.seed)

    def _show(self) -> None:
        varying = self._app.tuning.varying
        shown = varying.shown
        words = varying.why_not or (shown.words if shown is not None else "")
        self._words.setText(tr("Reading the case ...") if varying.is_busy else words)
        self._words.setVisible(bool(self._words.text()))
        self._go.setEnabled(not varying.is_busy)
        drawn = shown is not None and shown.original is not None
        self._go.setText(tr("Another case") if drawn else tr("Preview"))
        clear(self._grid)
        if shown is None or shown.original is None:
            return
        self._grid.addWidget(VariantPicture(shown.original, tr("as it is")), 0, 0)
        about = label(tr("{case}, as it is, and six times as a training sees it", case=shown.case),
                      "quiet", wraps=True)  # fmt: skip
        self._grid.addWidget(about, 0, 1, 1, _COLUMNS - 1)
        for n, variant in enumerate(shown.variants):
            row, column = divmod(n, _COLUMNS)
            self._grid.addWidget(VariantPicture(variant, str(n + 1)), row + 1, column)


class VariantPicture(QWidget):
    """A grey picture in a black square with L and R on its edges and a word below them."""

    def __init__(self, variant: Variant, word: str) -> None:
        super().__init__()
        name(self, f"variant_{word}", tr("Variant {word}", word=word))
        self.variant, self._word = variant, word
        sides = tr("{a} on the left, {b} on the right", a=variant.left, b=variant.right)
        self.setToolTip(sides)
        self.setAccessibleDescription(sides)
        self.setFixedSize(_SIDE_PX, _SIDE_PX)
        grey = np.ascontiguousarray(variant.picture)
        height, width = grey.shape
        kind = QImage.Format.Format_Grayscale8
        self._image = QImage(grey.data, width, height, width, kind).copy()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw the picture as large as fits, then the letters."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        box = QRectF(QPointF(0, 0), size)
        box.moveCenter(QRectF(self.rect()).center())
        painter.drawImage(box, self._image)
        font = painter.font()
        font.setPixelSize(11)
        font.setBold(True)
        painter.setFont(font)
        middle = self.height() / 2 + 4
        wide = painter.fontMetrics().horizontalAdvance(self.variant.right)
        for x, text in ((3.0, self.variant.left), (self.width() - wide - 3.0, self.variant.right)):
            _write(painter, QPointF(x, middle), text)
        font.setBold(False)
        font.setPixelSize(10)
        painter.setFont(font)
        _write(painter, QPointF(3, self.height() - 4.0), self._word)
        painter.end()


def _write(painter: QPainter, at: QPointF, text: str) -> None:
    """Light letters with a dark edge, so that they are read on any picture."""
    painter.setPen(QColor(0, 0, 0, 200))
    painter.drawText(at + QPointF(1, 1), text)
    painter.setPen(QColor("#d5d9df"))
    painter.drawText(at, text)
