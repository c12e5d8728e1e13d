import base64
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from medview.domain.report import Plot
from medview.io.plots import HALF_HEIGHT, HALF_WIDTH, HEIGHT, WIDTH, plot_html, ticks

PLOT = Plot(x=(40.0, 80.0), y=(0.0, 1.0), labels=("<age>", "risk"), caption="a & b", alt="c")


def drawing(plot: Plot) -> ElementTree.Element:
    found = re.search(r"base64,([^\"]+)", plot_html(plot))
    return ElementTree.fromstring(base64.b64decode(found[1]))


def circles(plot: Plot) -> list[tuple[float, float]]:
    found = [each for each in drawing(plot).iter() if each.tag.endswith("circle")]
    return [(float(each.get("cx")), float(each.get("cy"))) for each in found]


def test_points_lie_where_the_axes_say():
    made = circles(replace(PLOT, dots=((40.0, 0.0), (80.0, 1.0)), patient=(60.0, 0.5, 0.2, 0.8)))
    assert made == [(0.0, HEIGHT), (WIDTH, 0.0), (WIDTH / 2, HEIGHT / 2)]


def test_in_half_of_a_line_the_drawing_is_smaller():
    plot = replace(PLOT, dots=((80.0, 0.0),))
    assert circles(plot) == [(WIDTH, HEIGHT)]
    half = re.search(r"base64,([^\"]+)", plot_html(plot, half=True))[1]
    made = ElementTree.fromstring(base64.b64decode(half))
    assert (made.get("width"), made.get("height")) == (f"{HALF_WIDTH:g}", f"{HALF_HEIGHT:g}")


def test_what_lies_outside_is_drawn_on_the_edge():
    assert circles(replace(PLOT, dots=((90.0, -1.0),))) == [(WIDTH, HEIGHT)]


def test_a_band_goes_there_and_back():
    plot = replace(PLOT, band=((40.0, 0.0, 1.0), (80.0, 0.0, 0.5)))
    (shape,) = [each for each in drawing(plot).iter() if each.tag.endswith("polygon")]
    assert shape.get("points") == "0.0,0.0 720.0,80.0 720.0,160.0 0.0,160.0"


def test_texts_are_escaped_and_ticks_are_text():
    made = plot_html(PLOT)
    assert "&lt;age&gt;" in made
    assert "a &amp; b" in made
    assert '<i class="x" style="left: 50.00%">60</i>' in made


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ((0.0, 1.0), (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        ((37.0, 81.0), (40.0, 50.0, 60.0, 70.0, 80.0)),
        ((0.0, 48.0), (0.0, 10.0, 20.0, 30.0, 40.0)),
        ((5.0, 5.0), ()),
        ((0.0, float("nan")), ()),
    ],
)
def test_ticks_are_round_numbers(bounds, expected):
    assert ticks(bounds) == pytest.approx(expected)
