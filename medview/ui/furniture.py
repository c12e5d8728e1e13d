"""What stands around the image of a pane: letters, corner texts, bars and the crosshair.

Plain functions on a painter, in pixels of the pane; positions of the image come from the
pane, contents from its frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import cos, isfinite, pi, sin

import numpy as np
from PySide6.QtCore import QMarginsF, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QPainter,
    QPainterPath,
    QPen,
    QRegion,
)

from medview.domain.geometry import Plane
from medview.domain.report import ColourBar
from medview.imaging.frame import Corners, Frame, Labels
from medview.ui.theme import PANE_ACCENT, PANE_ACTIVE, PANE_QUIET, PANE_STRONG, base_font
from medview.ui.words import short, tr

MARGIN = 10.0
TEXT_PX = 12
LETTER_PX = 14
LINE = 18.0
_HALO, _HALO_OPACITY = 2.6, 0.59
_ROUND_ABOUT = tuple(QPointF(2.1 * cos(pi * n / 6), 2.1 * sin(pi * n / 6)) for n in range(12))
_MOST_BARS, _BAR_STEP_PX = 3, 84
# Round about the bars of a strip.
_BARS_EDGE = QMarginsF(6, 4, 6, 3)
# Room for the outline of a bar.
_BAR_EDGE, _BAR_MARGINS = QPointF(1, 1), QMarginsF(1, 1, 1, 1)
# A threshold nearer to the end of its bar is the end.
_LEAST_TICK = 0.01
_MIDDLE = 16.0
# So many lines of a corner are as high as the letter between them.
_LETTER_LINES = 2
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
_SCALES_MM = (200, 100, 50, 20, 10, 5, 2, 1)


@lru_cache(maxsize=512)
def _written(text: str, px: int, weight: int, colour: str, scale: float) -> QImage:
    """Text with a soft dark halo on nothing, drawn once and kept."""
    font = base_font()
    font.setPixelSize(px)
    font.setWeight(QFont.Weight(weight))
    metrics = QFontMetricsF(font)
    width = metrics.horizontalAdvance(text) + 2 * _HALO + 1
    height = metrics.height() + 2 * _HALO
    size = QSize(max(1, round(width * scale)), max(1, round(height * scale)))
    image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(scale)
    image.fill(Qt.GlobalColor.transparent)
    dark, at = image.copy(), QPointF(_HALO, _HALO + metrics.ascent())
    # Black copies round about: a tenth of the time that stroking the outlines takes.
    with QPainter(dark) as painter:
        painter.setFont(font)
        for away in _ROUND_ABOUT:
            painter.drawText(at + away, text)
    with QPainter(image) as painter:
        painter.setOpacity(_HALO_OPACITY)
        painter.drawImage(0, 0, dark)
        painter.setOpacity(1.0)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        painter.drawText(at, text)
    return image


def write(
    painter: QPainter,
    at: QPointF,
    text: str,
    *,
    colour: str = PANE_STRONG,
    px: int = TEXT_PX,
    bold: bool = False,
    align: str = "left",
) -> QRectF:
    """Write one line whose top is at `at`; `align` says which end of it stands there."""
    if not text:
        return QRectF(at.x(), at.y(), 0, 0)
    scale = painter.device().devicePixelRatioF()
    weight = QFont.Weight.Bold if bold else QFont.Weight.Normal
    image = _written(text, px, weight.value, colour, scale)
    width, height = image.width() / scale, image.height() / scale
    shift = {"left": 0.0, "centre": width / 2, "right": width}[align]
    corner = QPointF(at.x() - shift, at.y())
    painter.drawImage(corner, image)
    return QRectF(corner.x(), corner.y(), width, height)


def width_of(text: str, px: int = TEXT_PX) -> float:
    """How wide `write` makes a line."""
    font = base_font()
    font.setPixelSize(px)
    return QFontMetricsF(font).horizontalAdvance(text) + 2 * _HALO + 1


def draw_letters(painter: QPainter, area: QRectF, labels: Labels, *, lift: float = 0.0) -> None:
    """The orientation letters at the four edges; `lift` raises the lower one."""
    middle = area.center()
    half = (LETTER_PX + 2 * _HALO) / 2 + 2
    places = (
        (labels.left, QPointF(area.left() + MARGIN - 2, middle.y() - half), "left"),
        (labels.right, QPointF(area.right() - MARGIN + 2, middle.y() - half), "right"),
        (labels.top, QPointF(middle.x(), area.top() + MARGIN - 3), "centre"),
        (labels.bottom, QPointF(middle.x(), area.bottom() - 2 * half - 4 - lift), "centre"),
    )
    for text, at, align in places:
        write(painter, at, text, px=LETTER_PX, bold=True, align=align)


def draw_corners(painter: QPainter, area: QRectF, corners: Corners) -> None:
    """The texts of the four corners; the first line of each is the strong one."""
    top, bottom = area.top() + MARGIN - 3, area.bottom() - MARGIN + 1
    left, right = area.left() + MARGIN - 2, area.right() - MARGIN + 2
    sides = (
        (corners.top_left, corners.top_right, left, top, "left"),
        (corners.top_right, corners.top_left, right, top, "right"),
        (corners.bottom_left, (), left, bottom - LINE * len(corners.bottom_left), "left"),
        (corners.bottom_right, (), right, bottom - LINE * len(corners.bottom_right), "right"),
    )
    # The middle belongs to the letters, but for lines that stand below the upper one.
    half = area.width() / 2 - MARGIN - _MIDDLE
    for lines, across, x, y, align in sides:
        for row, text in enumerate(lines):
            room = half
            if y == top and row >= _LETTER_LINES:
                beside = _width(across[row]) if row < len(across) else 0.0
                room = max(half, area.width() - 3 * MARGIN - beside)
            colour = PANE_QUIET if row else PANE_STRONG
            at = QPointF(x, y + row * LINE)
            write(painter, at, _fitted(text, room), colour=colour, align=align)


def draw_tag(painter: QPainter, area: QRectF, text: str) -> None:
    """A word and a bar along the upper edge that set a pane apart from the others."""
    painter.fillRect(QRectF(area.left(), area.top(), area.width(), 3), QColor(_TAGGED))
    at = QPointF(area.left() + MARGIN - 2, area.top() + MARGIN - 3)
    write(painter, at, text, colour=_TAGGED, bold=True)


def _fitted(text: str, room: float) -> str:
    """As much of a text as there is room for."""
    return _metrics().elidedText(text, Qt.TextElideMode.ElideRight, max(room, 0.0))


def _width(text: str) -> float:
    return _metrics().horizontalAdvance(text)


def _metrics() -> QFontMetricsF:
    font = base_font()
    font.setPixelSize(TEXT_PX)
    return QFontMetricsF(font)


def colour_bar_area(area: QRectF) -> QRectF:
    """Where the colour bar stands in a pane."""
    height = min(max(area.height() * 0.42, 90.0), 420.0)
    return QRectF(area.right() - 46, area.center().y() - height / 2, 10, height)


def draw_colour_bars(painter: QPainter, area: QRectF, bars: Sequence[ColourBar]) -> None:
    """A bar for each of the upper maps, the topmost at the edge; several bear their names."""
    for place, bar in enumerate(bars[:_MOST_BARS]):
        own = area.adjusted(0, 0, -place * _BAR_STEP_PX, 0)
        draw_colour_bar(painter, own, bar)
        if len(bars) > 1:
            box = colour_bar_area(own)
            at = QPointF(box.right() + 4, box.bottom() + 6)
            text = _fitted(bar.title, _BAR_STEP_PX - 6)
            write(painter, at, text, px=11, colour=PANE_QUIET, align="right")


def draw_colour_bar(painter: QPainter, area: QRectF, bar: ColourBar) -> None:
    """Colours from low to high with three numbers, the unit and a tick at the threshold."""
    box = colour_bar_area(area)
    scale = painter.device().devicePixelRatioF()
    colours = np.ascontiguousarray(bar.colours).tobytes()
    painter.drawImage(box.topLeft() - _BAR_EDGE, _filled(colours, box.width(), box.height(), scale))
    if bar.unit not in ("", "1"):
        above = QPointF(box.center().x(), box.top() - LINE - 6)
        write(painter, above, bar.unit, px=11, colour=PANE_QUIET, align="centre")
    _draw_bar_numbers(painter, box, bar)


@lru_cache(maxsize=32)
def _filled(colours: bytes, width: float, height: float, scale: float) -> QImage:
    """Colours (n, 3) from low to high as an upright bar with a thin outline, kept as text is."""
    upward = np.ascontiguousarray(np.frombuffer(colours, np.uint8).reshape(-1, 1, 3)[::-1])
    image = QImage(upward.data, 1, len(upward), 3, QImage.Format.Format_RGB888)
    size = QSizeF(width, height).grownBy(_BAR_MARGINS) * scale
    bar = QImage(size.toSize(), QImage.Format.Format_ARGB32_Premultiplied)
    bar.setDevicePixelRatio(scale)
    bar.fill(Qt.GlobalColor.transparent)
    box = QRectF(_BAR_EDGE, QSizeF(width, height))
    outline = QPainterPath()
    outline.addRoundedRect(box, 3, 3)
    painter = QPainter(bar)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipPath(outline)
    painter.drawImage(box, image)
    painter.setClipping(False)
    painter.setPen(QPen(QColor(255, 255, 255, 70), 1))
    painter.drawPath(outline)
    painter.end()
    return bar


def _draw_bar_numbers(painter: QPainter, box: QRectF, bar: ColourBar) -> None:
    span = bar.high - bar.low

    def height_of(value: float) -> float:
        return box.bottom() - box.height() * (value - bar.low) / span

    marks = [bar.low, (bar.low + bar.high) / 2, bar.high] if span > 0 else [bar.low]
    tick = bar.threshold
    if tick is not None and span > 0 and bar.low + _LEAST_TICK * span < tick < bar.high:
        marks = [m for m in marks if abs(height_of(m) - height_of(tick)) > 14]
        y = height_of(tick)
        painter.setPen(QPen(QColor(PANE_STRONG), 2))
        painter.drawLine(QPointF(box.left() - 3, y), QPointF(box.right() + 3, y))
        _bar_number(painter, box, y, tick, bold=True)
    for value in marks:
        y = height_of(value) if span > 0 else box.bottom()
        _bar_number(painter, box, y, value)


def _bar_number(
    painter: QPainter, box: QRectF, y: float, value: float, *, bold: bool = False
) -> None:
    # In full white: grey figures are lost on bright tissue.
    write(painter, QPointF(box.left() - 5, y - 10), short(value), px=11, bold=bold, align="right")


def strip_area(area: QRectF, slices: int) -> QRectF:
    """Where the score strip stands in a pane; whole pixels a slice where there is room."""
    room = min(area.width() * 0.58, 420.0)
    width = room // slices * slices if slices <= room else room
    return QRectF(round(area.center().x() - width / 2), area.bottom() - 76, width, 30)


def strip_slice(area: QRectF, slices: int, x: float, y: float) -> int | None:
    """The slice under a place of the pane, None beside the strip."""
    if not slices:
        return None
    box = strip_area(area, slices)
    if not box.adjusted(-4, -4, 4, 4).contains(QPointF(x, y)):
        return None
    share = (x - box.left()) / box.width()
    return int(min(max(share * slices, 0), slices - 1))


def draw_strip(painter: QPainter, area: QRectF, figures: Sequence[float], current: int) -> None:
    """One bar a slice, the slice shown in blue; slices without a figure (NaN) are a dot."""
    known = [value for value in figures if isfinite(value)]
    if not known:
        return
    box = strip_area(area, len(figures))
    step = box.width() / len(figures)
    scale = painter.device().devicePixelRatioF()
    bars = _bars(tuple(figures), max(known), box.width(), box.height(), scale)
    painter.drawImage(box.topLeft() - QPointF(_BARS_EDGE.left(), _BARS_EDGE.top()), bars)
    x = box.left() + (current + 0.5) * step - 0.75
    painter.fillRect(QRectF(x, box.top() - 3, 1.5, box.height() + 3), QColor(PANE_ACCENT))


@lru_cache(maxsize=8)
def _bars(
    figures: tuple[float, ...], highest: float, width: float, height: float, scale: float
) -> QImage:
    """The bars of a strip on their dark ground, drawn once and kept."""
    size = (QSizeF(width, height).grownBy(_BARS_EDGE) * scale).toSize()
    image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(scale)
    image.fill(QColor(0, 0, 0, 110))
    step = width / len(figures)
    bar, foot = max(step - 1.0, step * 0.6), _BARS_EDGE.top() + height
    with QPainter(image) as painter:
        for index, value in enumerate(figures):
            share = max(value, 0.0) / max(highest, 1e-12) if isfinite(value) else 0.0
            tall = max(1.0, height * share)
            colour = QColor(PANE_ACTIVE if tall > 1.5 else _DOT)
            left = _BARS_EDGE.left() + index * step
            painter.fillRect(QRectF(left, foot - tall, bar, tall), colour)
    return image


def scale_length(px_per_mm: float, longest_px: float) -> tuple[int, float] | None:
    """Longest round length that fits, as mm and pixels; None when not even 1 mm does."""
    for length in _SCALES_MM:
        if length * px_per_mm <= longest_px:
            return length, length * px_per_mm
    return None


def draw_scale(painter: QPainter, area: QRectF, px_per_mm: float, note: str = "") -> None:
    """A bracket of a round length above the lower letter, with its length beside it.

    `note` follows the length, such as "at detector".
    """
    found = scale_length(px_per_mm, min(110.0, area.width() * 0.18))
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
    write(painter, QPointF(left + wide + 3, y - 13), text, px=11, colour=PANE_QUIET)


def draw_crosshair(painter: QPainter, area: QRectF, at: QPointF, *, gap: float = 12.0) -> None:
    """Two thin lines with a gap where they meet, so they hide nothing there."""
    # Filled, not drawn as lines: those cost ten times as much where they shine through.
    colour = QColor(90, 169, 230, 125)
    x, y = round(at.x()), round(at.y())
    segments: Sequence[tuple[float, float, float, float]] = (
        (area.left(), y, x - gap, y + 1),
        (x + gap, y, area.right(), y + 1),
        (x, area.top(), x + 1, y - gap),
        (x, y + gap, x + 1, area.bottom()),
    )
    for left, top, right, bottom in segments:
        if right > left and bottom > top:
            painter.fillRect(QRectF(left, top, right - left, bottom - top), colour)


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
        write(painter, at, _fitted(text, space) if space > 4 * MARGIN else "", align=align)


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
