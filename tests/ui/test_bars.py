"""Colour bars and the score strip, read from drawn pixels."""

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from ui.painted import AREA, lit

from medview.domain.report import ColourBar
from medview.ui import bars


def test_the_colour_bar_runs_from_low_at_the_foot_to_high_at_the_top(canvas):
    image, painter = canvas
    colours = np.array([[255, 0, 0], [0, 255, 0]], np.uint8)
    bars.draw_colour_bar(painter, AREA, ColourBar(colours, 0.0, 18.0, 6.0, "1", "score"))
    box = bars.colour_bar_area(AREA)
    x = int(box.center().x())
    top, foot = image.pixelColor(x, int(box.top()) + 8), image.pixelColor(x, int(box.bottom()) - 8)
    assert top.green() > 200
    assert foot.red() > 200


def test_the_threshold_tick_stands_at_its_value(canvas):
    image, painter = canvas
    colours = np.zeros((2, 3), np.uint8)
    bars.draw_colour_bar(painter, AREA, ColourBar(colours, 0.0, 10.0, 2.5, "1", "score"))
    box = bars.colour_bar_area(AREA)
    y = int(box.bottom() - box.height() * 0.25)
    assert lit(image, (int(box.left()), y - 2, int(box.right()), y + 2))


def test_a_bar_without_a_span_is_drawn_without_an_error(canvas):
    _, painter = canvas
    bars.draw_colour_bar(painter, AREA, ColourBar(np.zeros((2, 3), np.uint8), 1, 1, None, "HU", ""))


def test_the_strip_has_a_bar_a_slice_and_the_shown_one_is_blue(canvas):
    image, painter = canvas
    figures = (0.0, 4.0, float("nan"), 1.0)
    bars.draw_strip(painter, AREA, figures, 3)
    box = bars.strip_area(AREA, 4)
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
    box = bars.strip_area(AREA, 100)
    for index in (0, 37, 99):
        x = box.left() + (index + 0.5) * box.width() / 100
        assert bars.strip_slice(AREA, 100, x, box.center().y()) == index
    assert bars.strip_slice(AREA, 100, box.left() - 20, box.center().y()) is None
    assert bars.strip_slice(AREA, 0, box.left(), box.center().y()) is None


def patch(red: int, name: str) -> ColourBar:
    """The legend of a mask."""
    return ColourBar(np.array([[red, 0, 0]], np.uint8), 0.0, 1.0, None, "1", name)


def test_masks_have_a_patch_of_their_colour_each_and_no_bar(canvas):
    image, painter = canvas
    bars.draw_colour_bars(painter, AREA, [patch(250, "liver"), patch(150, "spleen")])
    box = bars.colour_bar_area(AREA)
    reds = [image.pixelColor(int(box.right()) - 5, int(box.top()) + 9 + 18 * n).red()
            for n in range(3)]  # fmt: skip
    assert reds[:2] == [250, 150]
    rest = (int(box.left()), int(box.top()) + 60, int(box.right()), int(box.bottom()))
    assert not lit(image, rest)


def test_of_many_masks_the_last_line_says_how_many_more(canvas, monkeypatch):
    said = []
    monkeypatch.setattr(bars, "write", lambda _, __, text, **___: said.append(text))
    _, painter = canvas
    bars.draw_colour_bars(painter, AREA, [patch(9, f"mask {n}") for n in range(30)])
    assert said == [*(f"mask {n}" for n in range(23)), "7 more"]


@pytest.mark.parametrize("height", [335, 480, 900])
def test_masks_keep_off_the_corners_of_a_low_pane(canvas, monkeypatch, height):
    places = []
    monkeypatch.setattr(bars, "write", lambda _, at, *__, **___: places.append(at.y()))
    bars.draw_colour_bars(canvas[1], QRectF(0, 0, 400, height), [patch(9, "x") for _ in range(30)])
    assert places[0] >= 4 * 18
    assert places[-1] + 18 <= height - 76
