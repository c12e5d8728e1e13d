"""Widgets with their names and looks: labels, buttons, and an emptied layout."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLayout, QPushButton, QWidget


def name(widget: QWidget, key: str, accessible: str) -> None:
    """Give a widget the name tests use and the one a screen reader says."""
    widget.setObjectName(key)
    widget.setAccessibleName(accessible)


def styled(widget: QWidget, look: str) -> None:
    """Let the style sheet know what a widget is; the look may change later."""
    if widget.property("look") == look:
        return
    widget.setProperty("look", look)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def label(text: str = "", look: str = "", *, wraps: bool = False) -> QLabel:
    """A text with a look of the style sheet: strong, quiet, result, heading, tag, ..."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wraps)
    if look:
        made.setProperty("look", look)
    return made


def button(text: str, key: str, *, look: str = "", tip: str = "") -> QPushButton:
    """A push button with its names and tip; where the text is a sign, the tip says what it does."""
    made = QPushButton(text)
    is_sign = not any(letter.isalnum() for letter in text)
    name(made, key, tip if is_sign and tip else text)
    made.setProperty("sign", is_sign)
    made.setToolTip(tip or text)
    if "\n" in text:
        made.setProperty("lines", text.count("\n") + 1)
    if look:
        made.setProperty("look", look)
    return made


def clear(layout: QLayout) -> None:
    """Take all widgets out of a layout that lies in a widget, and let them go; stretches stay."""
    owner = layout.parentWidget()
    direct = Qt.FindChildOption.FindDirectChildrenOnly
    for widget in owner.findChildren(QWidget, options=direct) if owner is not None else []:
        if layout.indexOf(widget) >= 0:
            layout.removeWidget(widget)
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
