import pytest
from ui.painted import AREA, lit

from medview.imaging.frame import Corners, Labels
from medview.ui import furniture
from medview.ui.pane_text import width_of


def test_each_letter_stands_at_its_edge(canvas):
    image, painter = canvas
    furniture.draw_letters(painter, AREA, Labels("R", "", "A", ""))
    assert lit(image, (0, 280, 40, 320))
    assert lit(image, (230, 0, 270, 40))
    assert not lit(image, (460, 280, 500, 320))
    assert not lit(image, (230, 560, 270, 600))


@pytest.mark.parametrize(
    ("px_per_mm", "length_mm"), [(1.0, 100), (2.4, 20), (30.0, 2), (0.2, 200), (110.0, 1)]
)
def test_the_scale_is_the_longest_round_length_that_fits(px_per_mm, length_mm):
    assert furniture.scale_length(px_per_mm, 110.0) == (length_mm, length_mm * px_per_mm)


@pytest.mark.parametrize(
    ("left", "right", "is_left"),
    [("W 902", "", False), ("W 902", 6 * "score ", True), (7 * "level ", 6 * "score ", False)],
)
def test_the_length_keeps_off_the_name_of_the_map_where_it_can(canvas, left, right, is_left):
    image, painter = canvas
    corners = Corners((), (), (left, "zoom"), (right, "research use only"))
    furniture.draw_scale(painter, AREA, 1.0, "", corners)
    assert lit(image, (150, 550, 222, 575)) == is_left
    assert lit(image, (264, 550, 350, 575)) != is_left


def test_the_scale_is_shorter_where_a_long_line_comes_near_the_middle(canvas):
    image, painter = canvas
    end = (285, 558, 296, 570)  # of ten centimetres
    furniture.draw_scale(painter, AREA, 0.9, "", Corners((), (), (), ("short", "only")))
    assert lit(image, end)
    image.fill(0)
    long = next("x" * n for n in range(99) if width_of("x" * n) > 205)
    furniture.draw_scale(painter, AREA, 0.9, "", Corners((), (), (), (long, "only")))
    assert not lit(image, end)
    assert lit(image, (235, 558, 265, 570))


def test_no_scale_where_a_millimetre_is_wider_than_the_room():
    assert furniture.scale_length(200.0, 110.0) is None


def test_the_crosshair_leaves_a_gap_where_it_meets(canvas):
    from PySide6.QtCore import QPointF

    image, painter = canvas
    furniture.draw_crosshair(painter, AREA, QPointF(250, 300))
    assert image.pixelColor(250, 200).blue() > 60
    assert image.pixelColor(100, 300).blue() > 60
    assert image.pixelColor(250, 295).blue() == 0
