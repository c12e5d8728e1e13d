"""The way of the keyboard through widgets that are made again and again: as they are seen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def tab_stops(part: QWidget) -> list[QWidget]:
    """A widget and all in it where the Tab key stops, in the order in which they were added.

    The list that comes up over a field is a window of its own.
    """
    every = (part, *part.findChildren(QWidget))
    stops = (each for each in every if each.focusPolicy() & Qt.FocusPolicy.TabFocus)
    return [each for each in stops if each.window() is part.window()]


def in_order(anchor: QWidget, parts: Sequence[QWidget]) -> None:
    """Have Tab come from `anchor` through the parts as they stand here.

    Qt goes through widgets in the order in which they were made: a card that is made anew would
    come after all else in the window.
    """
    stops = [anchor, *(stop for part in parts for stop in tab_stops(part))]
    for one, other in pairwise(stops):
        if one.window() is other.window():
            QWidget.setTabOrder(one, other)
