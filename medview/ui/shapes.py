"""The reader's drawings over the image of a pane: lines, handles and what they say."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from medview.imaging.view import DrawnShape
from medview.ui.pane_text import LINE, width_of, write
from medview.ui.theme import PANE_ACTIVE

_DRAWN = "#ffe066"
_HANDLE_PX = 3.0
_HEAD_PX = 10.0
_BESIDE_PX = 8.0


def draw_shapes(
    painter: QPainter,
    area: QRectF,
    shapes: Sequence[DrawnShape],
    place: Callable[[float, float], QPointF],
) -> None:
    """Draw each over a dark rim; `place` takes pixels of the frame to those of the pane."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for shape in shapes:
        points = [place(x, y) for x, y in shape.line]
        handles = [place(x, y) for x, y in shape.handles]
        colour = PANE_ACTIVE if shape.is_chosen else _DRAWN
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(QColor(0, 0, 0, 160), 3), QPen(QColor(colour), 1.4)):
            painter.setPen(pen)
            _draw_line(painter, shape, points)
            if shape.kind not in ("text",):
                for at in handles:
                    painter.drawEllipse(at, _HANDLE_PX, _HANDLE_PX)
        _write_lines(painter, area, shape, points or handles, colour)


def _draw_line(painter: QPainter, shape: DrawnShape, points: list[QPointF]) -> None:
    if shape.kind == "cobb" and len(points) >= 2:
        for start in range(0, len(points) - 1, 2):
            painter.drawLine(points[start], points[start + 1])
        return
    if len(points) > 1:
        painter.drawPolyline(QPolygonF(points))
    if shape.kind == "arrow" and len(points) > 1:
        painter.drawPolyline(QPolygonF(_head(points[0], points[1])))


def _head(tip: QPointF, tail: QPointF) -> list[QPointF]:
    """The two barbs of an arrow that points at its first point."""
    turn = math.atan2(tail.y() - tip.y(), tail.x() - tip.x())
    barbs = [
        QPointF(
            tip.x() + _HEAD_PX * math.cos(turn + off), tip.y() + _HEAD_PX * math.sin(turn + off)
        )
        for off in (0.45, -0.45)
    ]
    return [barbs[0], tip, barbs[1]]


def _write_lines(
    painter: QPainter, area: QRectF, shape: DrawnShape, points: list[QPointF], colour: str
) -> None:
    """What it says: right of its rightmost point, or left of the leftmost where no room is."""
    if not points or not shape.lines:
        return
    wide = max(width_of(text) for text in shape.lines)
    high = LINE * len(shape.lines)
    right = max(points, key=lambda at: at.x())
    fits = right.x() + _BESIDE_PX + wide <= area.right()
    beside = right if fits else min(points, key=lambda at: at.x())
    x = beside.x() + _BESIDE_PX if fits else beside.x() - _BESIDE_PX - wide
    # Over the drawing rather than past the edge: a figure that is cut may be read as another.
    at = QPointF(max(area.left(), x), max(area.top(), min(beside.y() - 8, area.bottom() - high)))
    for row, text in enumerate(shape.lines):
        where = at + QPointF(0 if fits else wide, row * LINE)
        write(painter, where, text, colour=colour, align="left" if fits else "right")
