"""What small plots have in common: smooth lines, and text of one size."""

from __future__ import annotations

from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QWidget

TEXT_PX = 11


def plot_painter(widget: QWidget) -> QPainter:
    """A painter of smooth lines and small text on a widget; for its paint event."""
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    small_text(painter)
    return painter


def small_text(painter: QPainter) -> QFont:
    """Have a painter write as small as plots do; the font it writes with."""
    font = painter.font()
    font.setPixelSize(TEXT_PX)
    painter.setFont(font)
    return font
