"""What stands around the image of a pane: letters, scale, the crosshair and other lines.

Plain functions on a painter, in pixels of the pane; positions of the image come from the
pane, contents from its frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPen,
    QPolygonF,
    QRegion,
)

from medview.domain.geometry import Plane
from medview.imaging.frame import Corners, Frame, Labels
from medview.ui.pane_text import HALO, LINE, MARGIN, fitted, width_of, write
from medview.ui.theme import PANE_ACCENT, PANE_ACTIVE, PANE_QUIET, PANE_STRONG
from medview.ui.words import tr

LETTER_PX = 14
#: The lines of a crosshair whose planes are not turned.
UPRIGHT = ((1.0, 0.0), (0.0, 1.0))
_CROSSHAIR = QColor(90, 169, 230, 125)
_LEAST_SCALE_PX = 24.0
_HANDLE = 12.0
_DOT = "#5a6470"
# Colours of the planes where one runs through another.
_PLANES = {
    Plane.AXIAL: "#ef8a94",
    Plane.CORONAL: "#7fd0a1",
    Plane.SAGITTAL: "#c3a6f2",
    Plane.ACQUIRED: PANE_ACCENT,
}
_TAGGED = "#c3a6f2"
# As in the 3-D view.
_BOX = "#8cc7f2"
_NO_CORNERS = Corners((), (), (), ())
_SCALES_MM = (200, 100, 50, 20, 10, 5, 2, 1)


def draw_letters(painter: QPainter, area: QRectF, labels: Labels, *, lift: float = 0.0) -> None:
    """The orientation letters at the four edges; `lift` raises the lower one."""
    middle = area.center()
    half = (LETTER_PX + 2 * HALO) / 2 + 2
    places = (
        (labels.left, QPointF(area.left() + MARGIN - 2, middle.y() - half), "left"),
        (labels.right, QPointF(area.right() - MARGIN + 2, middle.y() - half), "right"),
        (labels.top, QPointF(middle.x(), area.top() + MARGIN - 3), "centre"),
        (labels.bottom, QPointF(middle.x(), area.bottom() - 2 * half - 4 - lift), "centre"),
    )
    for text, at, align in places:
        write(painter, at, text, px=LETTER_PX, bold=True, align=align)


def draw_tag(painter: QPainter, area: QRectF, text: str) -> None:
    """A word and a bar along the upper edge that set a pane apart from the others."""
    painter.fillRect(QRectF(area.left(), area.top(), area.width(), 3), QColor(_TAGGED))
    at = QPointF(area.left() + MARGIN - 2, area.top() + MARGIN - 3)
    write(painter, at, text, colour=_TAGGED, bold=True)


def scale_length(px_per_mm: float, longest_px: float) -> tuple[int, float] | None:
    """Longest round length that fits, as mm and pixels; None when not even 1 mm does."""
    for length in _SCALES_MM:
        if length * px_per_mm <= longest_px:
            return length, length * px_per_mm
    return None


def draw_scale(
    painter: QPainter,
    area: QRectF,
    px_per_mm: float,
    note: str = "",
    corners: Corners = _NO_CORNERS,
) -> None:
    """A bracket of a round length above the lower letter, with its length on the right of it.

    `note` follows the length, such as "at detector". Where the right corner of `corners` needs
    that room, the words stand on the left.
    """
    edge = area.width() / 2 - MARGIN
    taken = [_beside_scale(lines) for lines in (corners.bottom_left, corners.bottom_right)]
    # Where a corner's line comes near the middle the bracket is shorter.
    free = max(2 * (edge - max(taken) - 4), _LEAST_SCALE_PX)
    found = scale_length(px_per_mm, min(110.0, area.width() * 0.18, free))
    if found is None:
        return
    length, wide = found
    left, y = area.center().x() - wide / 2, area.bottom() - 34
    pen = QPen(QColor(0, 0, 0, 150), 3)
    for colour in (pen, QPen(QColor(PANE_STRONG), 1)):
        painter.setPen(colour)
        painter.drawPolyline(
            [
                QPointF(left, y - 4),
                QPointF(left, y),
                QPointF(left + wide, y),
                QPointF(left + wide, y - 4),
            ]
        )
    text = tr("{n} cm", n=length // 10) if length >= 10 else tr("{n} mm", n=length)
    text = f"{text} {note}".strip()
    at, align = QPointF(left + wide + 3, y - 13), "left"
    needs = width_of(text, 11)
    free_left, free_right = (edge - wide / 2 - 3 - each for each in taken)
    if free_right < needs <= free_left:
        at, align = QPointF(left - 3, y - 13), "right"
    write(painter, at, text, px=11, colour=PANE_QUIET, align=align)


def _beside_scale(lines: Sequence[str]) -> float:
    """How wide the lower corner's line is that stands as high as the scale, in pixels."""
    return width_of(lines[-2]) if len(lines) > 1 else 0.0


def draw_crosshair(
    painter: QPainter,
    area: QRectF,
    at: QPointF,
    *,
    gap: float = 12.0,
    lines: Sequence[tuple[float, float]] = UPRIGHT,
) -> None:
    """Two thin lines with a gap where they meet, so they hide nothing there.

    `lines` are their directions, parts to the right and down.
    """
    if tuple(lines) != UPRIGHT:
        _draw_slanting(painter, area, at, gap, lines)
        return
    # Filled, not drawn as lines: those cost ten times as much where they shine through.
    x, y = round(at.x()), round(at.y())
    segments: Sequence[tuple[float, float, float, float]] = (
        (area.left(), y, x - gap, y + 1),
        (x + gap, y, area.right(), y + 1),
        (x, area.top(), x + 1, y - gap),
        (x, y + gap, x + 1, area.bottom()),
    )
    for left, top, right, bottom in segments:
        if right > left and bottom > top:
            painter.fillRect(QRectF(left, top, right - left, bottom - top), _CROSSHAIR)


def _draw_slanting(
    painter: QPainter,
    area: QRectF,
    at: QPointF,
    gap: float,
    lines: Sequence[tuple[float, float]],
) -> None:
    """The lines of turned planes, from the gap to beyond the edge of the pane."""
    painter.save()
    painter.setClipRect(area)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(_CROSSHAIR, 1))
    far = area.width() + area.height()
    for right, down in lines:
        for way in (-1.0, 1.0):
            step = QPointF(way * right, way * down)
            painter.drawLine(at + step * gap, at + step * far)
    painter.restore()


def draw_reference(
    painter: QPainter,
    area: QRectF,
    frame: Frame,
    place: Callable[[float, float], QPointF],
    *,
    gap: float = 12.0,
) -> None:
    """Where the slices of the other panes run, dashed; the crosshair's gap stays free."""
    if not frame.reference:
        return
    painter.save()
    if frame.crosshair:
        at = place(*frame.cursor)
        free = QRectF(at.x() - gap, at.y() - gap, 2 * gap, 2 * gap)
        painter.setClipRegion(QRegion(area.toRect()) - QRegion(free.toRect()))
    for line in frame.reference:
        colour = QColor(_PLANES[line.plane])
        colour.setAlpha(110 if line.is_edge else 210)
        pen = QPen(colour, 1)
        pen.setDashPattern([2, 5] if line.is_edge else [7, 5])
        painter.setPen(pen)
        painter.drawLine(*(place(x, y) for x, y in line.ends))
    painter.restore()


def draw_crop(painter: QPainter, frame: Frame, place: Callable[[float, float], QPointF]) -> None:
    """The crop box of the 3-D view round about, dotted; nothing where it lies beside the slice."""
    if not frame.crop:
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    corners = QPolygonF([place(x, y) for x, y in frame.crop])
    dots = QPen(QColor(_BOX), 1.4)
    dots.setDashPattern([3, 3])
    for pen in (QPen(QColor(0, 0, 0, 110), 2.6), dots):
        painter.setPen(pen)
        painter.drawPolygon(corners)
    painter.restore()


def draw_divider(painter: QPainter, area: QRectF, x: float | None, sides: tuple[str, str]) -> None:
    """A line with a handle where old and new meet, and what each side is; None: the left alone."""
    y = area.top() + MARGIN + 3 * LINE
    if x is None:
        write(painter, QPointF(area.center().x(), y), sides[0], align="centre")
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    middle = QPointF(x, area.center().y())
    painter.setPen(QPen(QColor(0, 0, 0, 130), 4))
    for pen in (painter.pen(), QPen(QColor(PANE_STRONG), 2)):
        painter.setPen(pen)
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
    painter.setPen(QPen(QColor(0, 0, 0, 130), 1))
    painter.setBrush(QColor(PANE_STRONG))
    painter.drawEllipse(middle, _HANDLE, _HANDLE)
    painter.setPen(QPen(QColor(_DOT), 1.6))
    for way in (-1, 1):
        tip = middle + QPointF(way * 7, 0)
        for end in (-3, 3):
            painter.drawLine(tip, tip + QPointF(-way * 3, end))
    painter.restore()
    room = (x - area.left() - 2 * MARGIN, area.right() - x - 2 * MARGIN)
    for text, space, way, align in zip(sides, room, (-1, 1), ("right", "left"), strict=True):
        at = QPointF(x + way * MARGIN, y)
        write(painter, at, fitted(text, space) if space > 4 * MARGIN else "", align=align)


def draw_missing(painter: QPainter, image: QRectF) -> None:
    """Hatch a slice that was not in the file, so it is not taken for black tissue."""
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(232, 163, 61, 70))
    brush = painter.brush()
    brush.setStyle(Qt.BrushStyle.BDiagPattern)
    painter.fillRect(image, brush)
    painter.restore()
    at = QPointF(image.center().x(), image.center().y() - LINE)
    write(painter, at, tr("slice missing in the file"), colour=PANE_ACTIVE, align="centre")
