"""What a drawing says stays inside the pane."""

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from medview.imaging.view import DrawnShape
from medview.ui.shapes import draw_shapes


@pytest.mark.parametrize(("x", "side"), [(40.0, "right"), (270.0, "left")])
def test_the_figure_stands_where_there_is_room(qapp, x, side):
    image = QImage(300, 100, QImage.Format.Format_RGB32)
    image.fill(QColor("#000000"))
    line = ((x - 20, 50.0), (x, 50.0))
    painter = QPainter(image)
    area = QRectF(0, 0, 300, 100)
    draw_shapes(painter, area, (DrawnShape(1, "length", line, line, ("123.4 mm",)),), QPointF)
    painter.end()
    lit = [c for c in range(300) if any(image.pixelColor(c, r).value() > 120 for r in range(100))]
    assert (max(lit) > x + 40) == (side == "right")
    assert (min(lit) < x - 60) == (side == "left")
    assert max(lit) < 299


def test_figures_stay_whole_where_there_is_room_on_neither_side(qapp):
    image = QImage(220, 100, QImage.Format.Format_RGB32)
    image.fill(QColor("#000000"))
    box = ((60.0, 80.0), (190.0, 96.0))
    words = ("mean 577.3, SD 291.7", "212.0 to 912.0")
    painter = QPainter(image)
    shape = DrawnShape(1, "ellipse", (), box, words)
    draw_shapes(painter, QRectF(0, 0, 220, 100), (shape,), QPointF)
    painter.end()

    def lit(columns, rows):
        return any(image.pixelColor(c, r).value() > 120 for c in columns for r in rows)

    assert not lit(range(2), range(100))
    assert lit(range(3, 12), range(60, 100))
    assert not lit(range(40), range(98, 100))
