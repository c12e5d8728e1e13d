"""Boxes with a word in their corner, over the image of a pane."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from medview.imaging.marks import DrawnMark
from medview.ui.pane_text import write
from medview.ui.theme import PANE_ACTIVE

_INSIDE = 5.0
_SOFT = 150


def draw_marks(
    painter: QPainter, marks: Sequence[DrawnMark], place: Callable[[float, float], QPointF]
) -> None:
    """Draw each box thin; `place` takes pixels of the frame to those of the pane."""
    colour = QColor(PANE_ACTIVE)
    colour.setAlpha(_SOFT)
    for mark in marks:
        corners = [place(x, y) for x, y in mark.corners]
        painter.setPen(QPen(colour, 1))
        painter.drawPolygon(QPolygonF(corners))
        left, top = min(at.x() for at in corners), min(at.y() for at in corners)
        at = QPointF(left + _INSIDE, top + _INSIDE - 3)
        write(painter, at, mark.text, colour=PANE_ACTIVE, bold=True)
