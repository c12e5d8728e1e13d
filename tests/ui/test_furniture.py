import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from medview.domain.report import ColourBar
from medview.imaging.frame import Corners, Labels
from medview.ui import furniture

AREA = QRectF(0, 0, 500, 600)


@pytest.fixture
def canvas(qapp):
    image = QImage(500, 600, QImage.Format.Format_RGB32)
    image.fill(QColor("#000000"))
    painter = QPainter(image)
    yield image, painter
    painter.end()


def lit(image, box):
    """Whether anything is drawn in a box."""
    x1, y1, x2, y2 = box
    return any(image.pixelColor(x, y).value() > 90 for x in range(x1, x2) for y in range(y1, y2))


def test_each_letter_stands_at_its_edge(canvas):
    image, painter = canvas
    furniture.draw_letters(painter, AREA, Labels("R", "", "A", ""))
    assert lit(image, (0, 280, 40, 320))
    assert lit(image, (230, 0, 270, 40))
    assert not lit(image, (460, 280, 500, 320))
    assert not lit(image, (230, 560, 270, 600))


def test_each_corner_has_its_lines(canvas):
    image, painter = canvas
    furniture.draw_corners(painter, AREA, Corners(("A", "B"), (), (), ("C",)))
    assert lit(image, (0, 0, 60, 24))
    assert lit(image, (0, 26, 60, 44))
    assert not lit(image, (440, 0, 500, 44))
    assert not lit(image, (0, 560, 60, 600))
    assert lit(image, (440, 560, 500, 600))


def test_a_line_below_the_letter_may_go_on_past_the_middle_but_not_into_its_neighbour(canvas):
    image, painter = canvas
    long = "Anomaly 0.898 [0.865 - 0.930] and its model, which has a name"
    furniture.draw_corners(painter, AREA, Corners(("A", "B", "C"), (long, long, long), (), ()))
    left_of_middle = (100, 0, 232, 22), (100, 22, 232, 40), (100, 42, 232, 60)
    assert [lit(image, box) for box in left_of_middle] == [False, False, True]
    image.fill(0)
    furniture.draw_corners(painter, AREA, Corners(("", "", "C"), ("", "", 9 * "far "), (), ()))
    assert lit(image, (0, 42, 30, 60))
    assert not lit(image, (30, 42, 60, 60))


def test_the_colour_bar_runs_from_low_at_the_foot_to_high_at_the_top(canvas):
    image, painter = canvas
    colours = np.array([[255, 0, 0], [0, 255, 0]], np.uint8)
    furniture.draw_colour_bar(painter, AREA, ColourBar(colours, 0.0, 18.0, 6.0, "1", "score"))
    box = furniture.colour_bar_area(AREA)
    x = int(box.center().x())
    top, foot = image.pixelColor(x, int(box.top()) + 8), image.pixelColor(x, int(box.bottom()) - 8)
    assert top.green() > 200
    assert foot.red() > 200


def test_the_threshold_tick_stands_at_its_value(canvas):
    image, painter = canvas
    colours = np.zeros((2, 3), np.uint8)
    furniture.draw_colour_bar(painter, AREA, ColourBar(colours, 0.0, 10.0, 2.5, "1", "score"))
    box = furniture.colour_bar_area(AREA)
    y = int(box.bottom() - box.height() * 0.25)
    assert lit(image, (int(box.left()), y - 2, int(box.right()), y + 2))


def test_a_bar_without_a_span_is_drawn_without_an_error(canvas):
    _, painter = canvas
    furniture.draw_colour_bar(
        painter, AREA, ColourBar(np.zeros((2, 3), np.uint8), 1, 1, None, "HU", "")
    )


def test_the_strip_has_a_bar_a_slice_and_the_shown_one_is_blue(canvas):
    image, painter = canvas
    figures = (0.0, 4.0, float("nan"), 1.0)
    furniture.draw_strip(painter, AREA, figures, 3)
    box = furniture.strip_area(AREA, 4)
    step = box.width() / 4
    high = image.pixelColor(int(box.left() + 1.2 * step), int(box.top()) + 2)
    assert high.red() > 200
    assert not lit(
        image,
        (
            int(box.left() + 2.2 * step),
            int(box.top()),
            int(box.left() + 2.8 * step),
            int(box.bottom()) - 2,
        ),
    )
    here = image.pixelColor(int(box.left() + 3.5 * step), int(box.top()))
    assert here.blue() > here.red()


def test_a_place_on_the_strip_is_a_slice_and_beside_it_none():
    box = furniture.strip_area(AREA, 100)
    for index in (0, 37, 99):
        x = box.left() + (index + 0.5) * box.width() / 100
        assert furniture.strip_slice(AREA, 100, x, box.center().y()) == index
    assert furniture.strip_slice(AREA, 100, box.left() - 20, box.center().y()) is None
    assert furniture.strip_slice(AREA, 0, box.left(), box.center().y()) is None


@pytest.mark.parametrize(
    ("px_per_mm", "length_mm"), [(1.0, 100), (2.4, 20), (30.0, 2), (0.2, 200), (110.0, 1)]
)
def test_the_scale_is_the_longest_round_length_that_fits(px_per_mm, length_mm):
    assert furniture.scale_length(px_per_mm, 110.0) == (length_mm, length_mm * px_per_mm)


def test_no_scale_where_a_millimetre_is_wider_than_the_room():
    assert furniture.scale_length(200.0, 110.0) is None


def test_the_crosshair_leaves_a_gap_where_it_meets(canvas):
    from PySide6.QtCore import QPointF

    image, painter = canvas
    furniture.draw_crosshair(painter, AREA, QPointF(250, 300))
    assert image.pixelColor(250, 200).blue() > 60
    assert image.pixelColor(100, 300).blue() > 60
    assert image.pixelColor(250, 295).blue() == 0
