"""Regions of a window that the keyboard goes round."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def focus_next(window: QWidget, *regions: tuple[QWidget, QWidget]) -> None:
    """Give the keyboard of a window to the next region that is seen, after the one that has it.

    Each is the region and the widget in it that takes the keyboard.
    """
    shown = [each for each in regions if each[0].isVisible()]
    focus = window.focusWidget()
    here = [focus is not None and each[0].isAncestorOf(focus) for each in shown]
    place = here.index(True) + 1 if True in here else 0
    if shown:
        shown[place % len(shown)][1].setFocus(Qt.FocusReason.ShortcutFocusReason)
