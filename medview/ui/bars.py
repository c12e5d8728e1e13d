"""Colour bars of maps and the score strip: drawn once, kept, and laid over the image."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isfinite

import numpy as np
from PySide6.QtCore import QMarginsF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from medview.domain.report import ColourBar
from medview.ui.pane_text import LINE, fitted, write
from medview.ui.theme import PANE_ACCENT, PANE_ACTIVE, PANE_QUIET, PANE_STRONG
from medview.ui.words import short, tr

_MOST_BARS, _BAR_STEP_PX = 3, 84
# Round about the bars of a strip.
_BARS_EDGE = QMarginsF(6, 4, 6, 3)
# Room for the outline of a bar.
_BAR_EDGE, _BAR_MARGINS = QPointF(1, 1), QMarginsF(1, 1, 1, 1)
# Lines of masks: how high, how wide at most, and how many below bars of other maps.
_PATCH_STEP_PX, _PATCH_TEXT_PX = 18, 220
_FEW_PATCHES = 3
# Above and below them, for the corner texts and the score strip.
_PATCH_EDGE_PX = 80
# A threshold nearer to the end of its bar is the end.
_LEAST_TICK = 0.01
_DOT = "#5a6470"


def colour_bar_area(area: QRectF) -> QRectF:
    """Where the colour bar stands in a pane."""
    height = min(max(area.height() * 0.42, 90.0), 420.0)
    return QRectF(area.right() - 46, area.center().y() - height / 2, 10, height)


def draw_colour_bars(painter: QPainter, area: QRectF, bars: Sequence[ColourBar]) -> None:
    """A bar for each of the upper maps, the topmost at the edge; several bear their names.

    Masks have a patch of their colour with their name instead.
    """
    patches = [bar for bar in bars if bar.is_swatch]
    bars = [bar for bar in bars if not bar.is_swatch]
    _draw_patches(painter, area, patches, below=bool(bars))
    for place, bar in enumerate(bars[:_MOST_BARS]):
        own = area.adjusted(0, 0, -place * _BAR_STEP_PX, 0)
        draw_colour_bar(painter, own, bar)
        if len(bars) > 1:
            box = colour_bar_area(own)
            at = QPointF(box.right() + 4, box.bottom() + 6)
            text = fitted(bar.title, _BAR_STEP_PX - 6)
            write(painter, at, text, px=11, colour=PANE_QUIET, align="right")


def _draw_patches(
    painter: QPainter, area: QRectF, masks: Sequence[ColourBar], *, below: bool
) -> None:
    """Colour and name of each mask in lines at the right edge, `below` the bars of other maps."""
    box = colour_bar_area(area)
    # The score strip and the corner texts keep their places: many lines begin higher.
    most, top = _FEW_PATCHES, box.bottom() + 28
    if not below:
        room = area.height() - 2 * _PATCH_EDGE_PX
        most = max(_FEW_PATCHES, int(room // _PATCH_STEP_PX))
        needs = min(len(masks), most) * _PATCH_STEP_PX
        last = area.bottom() - _PATCH_EDGE_PX - needs
        top = max(min(box.top(), last), area.top() + _PATCH_EDGE_PX)
    lines = [(fitted(mask.title, _PATCH_TEXT_PX), mask.colours[0]) for mask in masks[:most]]
    if len(masks) > most:
        lines[-1] = (tr("{n} more", n=len(masks) - most + 1), None)
    for number, (text, colour) in enumerate(lines):
        y = top + number * _PATCH_STEP_PX
        if colour is not None:
            patch = QRectF(box.right() - 10, y + 4, 10, 10)
            painter.fillRect(patch, QColor(*(int(part) for part in colour)))
        write(painter, QPointF(box.right() - 16, y), text, px=11, align="right")


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
