"""Texts that take no more room than there is, with the whole text as their tip."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QWidget

from medview.ui.controls import name
from medview.ui.words import plain_tip

# Frame and padding of a button of the look "row", as in the style sheet.
_BUTTON_PADDING_PX = 9


class ElidedLabel(QLabel):
    """A line with less room than it may need, then with the whole text as its tip.

    The first of the `shorter` texts that fits stands in its place; where there is none, the line
    ends in "…".
    """

    def __init__(self, text: str = "", look: str = "", shorter: Sequence[str] = ()) -> None:
        super().__init__()
        self._text, self._shorter = "", shorter
        self.setTextFormat(Qt.TextFormat.PlainText)
        if look:
            self.setProperty("look", look)
        self.setMinimumWidth(20)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.set_text(text)

    def set_text(self, text: str) -> None:
        """Show a text, as much of it as fits."""
        if text == self._text:
            return
        self._text = text
        self.setAccessibleName(text)
        self._fit()

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's hook
        """As wide as the whole text."""
        return QSize(
            self.fontMetrics().horizontalAdvance(self._text) + 2, super().sizeHint().height()
        )

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's hook
        """Fit the text again."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        size, right = self.fontMetrics(), Qt.TextElideMode.ElideRight
        texts = (self._text, *self._shorter)
        fits = (text for text in texts if size.elidedText(text, right, self.width()) == text)
        fitted = next(fits, None) or size.elidedText(texts[-1], right, self.width())
        tip = plain_tip(self._text) if fitted != self._text else ""
        self.setText(fitted)
        if tip != self.toolTip():
            self.setToolTip(tip)


class ElidedButton(QPushButton):
    """A button whose text ends in "…" where there is no room; the tip begins with it then.

    With `keeps_end` the middle goes: the end is what tells it from others.
    """

    def __init__(self, text: str, key: str, tip: str, *, keeps_end: bool = False) -> None:
        super().__init__(text)
        self._text, self._tip = text, tip
        modes = Qt.TextElideMode
        self._mode = modes.ElideMiddle if keeps_end else modes.ElideRight
        name(self, key, text)
        self.setToolTip(plain_tip(tip))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's hook
        """Fit the text again."""
        super().resizeEvent(event)
        room = self.width() - 2 * _BUTTON_PADDING_PX
        fitted = self.fontMetrics().elidedText(self._text, self._mode, room)
        self.setText(fitted)
        cut = fitted != self._text
        self.setToolTip(plain_tip(f"{self._text}\n{self._tip}" if cut else self._tip))


class Held(QWidget):
    """As large as its place, with one widget in it: that one's text lays out nothing anew.

    A label tells every layout above it of each text, for it could need more room.
    """

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self._inside = inside
        inside.setParent(self)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's hook
        """As high as what it holds."""
        return self._inside.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's hook
        """Give all the room away."""
        super().resizeEvent(event)
        self._inside.resize(self.size())
