"""A magnifying glass: what lies under the mouse, larger, in a circle over the pane."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QTransform

from medview.ui.pane_text import LINE, write
from medview.ui.picture import Picture
from medview.ui.theme import PANE_BACK, PANE_QUIET, PANE_STRONG
from medview.ui.words import tr

TIMES = 2.5
RADIUS_PX = 110.0


def draw_loupe(
    painter: QPainter, area: QRectF, at: QPointF, picture: Picture, to_pane: QTransform
) -> None:
    """Draw the image `TIMES` as large about `at`, which stays where it is.

    `to_pane` goes from corners of image pixels to pixels of the pane. The glass is smaller in
    a pane that has no room for it.
    """
    radius = min(RADIUS_PX, min(area.width(), area.height()) / 2 - 2)
    circle = QPainterPath()
    circle.addEllipse(at, radius, radius)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(circle, QColor(PANE_BACK))
    painter.setClipPath(circle)
    picture.paint(painter, magnified(to_pane, at))
    painter.setClipping(False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, wide in ((QColor(0, 0, 0, 150), 4.0), (QColor(PANE_STRONG), 1.4)):
        painter.setPen(QPen(colour, wide))
        painter.drawEllipse(at, radius, radius)
    painter.restore()
    below = QPointF(at.x(), at.y() + radius - 1.6 * LINE)
    times = tr("{n}× larger", n=f"{TIMES:g}")
    write(painter, below, times, px=11, colour=PANE_QUIET, align="centre")


def magnified(to_pane: QTransform, at: QPointF) -> QTransform:
    """The same transform, enlarged about a place of the pane."""
    about = QTransform.fromTranslate(at.x(), at.y()).scale(TIMES, TIMES)
    return to_pane * about.translate(-at.x(), -at.y())
