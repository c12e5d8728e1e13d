"""How words are written over an image: with a dark halo, and as much as there is room for."""

from __future__ import annotations

from functools import lru_cache
from math import cos, pi, sin

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from medview.ui.theme import PANE_STRONG, base_font

MARGIN = 10.0
TEXT_PX = 12
LINE = 18.0
#: What stands beside other words in a line.
BESIDE = " · "
#: How far the halo reaches beyond the letters, and how dark it is: grey letters on white tissue
#: stand out by 4.5 to 1.
HALO, _HALO_OPACITY = 2.6, 0.78
_ROUND_ABOUT = tuple(QPointF(2.1 * cos(pi * n / 6), 2.1 * sin(pi * n / 6)) for n in range(12))
_INTERVAL, _OF = " [", " / "


@lru_cache(maxsize=512)
def _written(text: str, px: int, weight: int, colour: str, scale: float) -> QImage:
    """Text with a soft dark halo on nothing, drawn once and kept."""
    font = base_font()
    font.setPixelSize(px)
    font.setWeight(QFont.Weight(weight))
    metrics = QFontMetricsF(font)
    width = metrics.horizontalAdvance(text) + 2 * HALO + 1
    height = metrics.height() + 2 * HALO
    size = QSize(max(1, round(width * scale)), max(1, round(height * scale)))
    image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(scale)
    image.fill(Qt.GlobalColor.transparent)
    dark, at = image.copy(), QPointF(HALO, HALO + metrics.ascent())
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


@lru_cache(maxsize=512)
def width_of(text: str, px: int = TEXT_PX) -> float:
    """How wide `write` makes a line."""
    font = base_font()
    font.setPixelSize(px)
    return QFontMetricsF(font).horizontalAdvance(text) + 2 * HALO + 1


def folded(text: str, width: float, px: int = TEXT_PX) -> tuple[str, ...]:
    """Lines of `text` that `write` makes no wider than `width`; a longer word stays whole."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and width_of(longer, px) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return tuple(lines)


@lru_cache(maxsize=512)
def fitted(text: str, room: float, *, ends_matter: bool = False) -> str:
    """As much of a text as there is room for; the middle goes first where both ends matter.

    What stands behind the last dot ("score [interval] · model") goes before anything is cut, then
    the interval, and of "Im 7 / 106" how many there are: a part of a number would be another one.
    """
    font = base_font()
    font.setPixelSize(TEXT_PX)
    measures, parts = QFontMetricsF(font), text.split(BESIDE)
    for kept in range(len(parts), 0, -1):
        shorter = BESIDE.join(parts[:kept]) + (" …" if kept < len(parts) else "")
        if measures.horizontalAdvance(shorter) <= room:
            return shorter
    for mark in (_INTERVAL, _OF):
        first, found, _ = text.partition(mark)
        if found and measures.horizontalAdvance(f"{first} …") <= room:
            return f"{first} …"
    cut = Qt.TextElideMode.ElideMiddle if ends_matter else Qt.TextElideMode.ElideRight
    return measures.elidedText(text, cut, max(room, 0.0))
