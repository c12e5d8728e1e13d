import base64
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from medview.domain.report import Bar, Bars, Lane, Lanes
from medview.io.lanes import bars_html, lanes_html

LANE = Lane("HR <x>", ((0.0, 60.0), (24.0, 120.0)), ((12.5, 60.0),), "60 – 120 1/min")


def drawings(html):
    found = re.findall(r"base64,([^\"]+)", html)
    return [ElementTree.fromstring(base64.b64decode(each)) for each in found]


def named(drawing, tag):
    return [each for each in drawing.iter() if each.tag.endswith(tag)]


def test_each_variable_has_its_course_with_carried_values_hollow():
    html = lanes_html(Lanes((LANE, LANE), 48.0, 20.0, "a & b", "c"))
    first, _ = drawings(html)
    points = named(first, "circle")
    assert [each.get("fill") == "#ffffff" for each in points] == [True, False, False]
    low, high = points[1], points[2]
    assert (low.get("cy"), high.get("cy")) == ("22.0", "4.0")  # larger values stand higher
    assert (low.get("cx"), high.get("cx")) == ("4.0", "300.0")
    (course,) = named(first, "polyline")
    assert course.get("points") == "4.0,22.0 158.2,22.0 300.0,4.0"
    assert "HR &lt;x&gt;" in html
    assert "a &amp; b" in html
    assert 'alt="HR &lt;x&gt;: 60 – 120 1/min"' in html


def test_many_carried_values_are_a_line_and_half_a_line_is_narrower():
    long = replace(LANE, carried=tuple((n / 10, 60.0) for n in range(100)))
    (drawing,) = drawings(lanes_html(Lanes((long,), 48.0, None, "", "", "days"), half=True))
    assert len(named(drawing, "circle")) == 2
    assert drawing.get("width") == "300"
    assert "<td>days</td>" in lanes_html(Lanes((long,), 48.0, None, "", "", "days"))


@pytest.mark.parametrize("measured", [(), ((6.0, 7.0), (12.0, 7.0))])
def test_values_that_never_change_run_through_the_middle(measured):
    flat = Lane("v", measured, (), "7")
    (drawing,) = drawings(lanes_html(Lanes((flat,), 24.0, None, "", "")))
    assert [each.get("cy") for each in named(drawing, "circle")] == ["13.0"] * len(measured)


def test_the_hour_of_the_film_is_dashed_at_its_place():
    (drawing,) = drawings(lanes_html(Lanes((LANE,), 48.0, 24.0, "", "")))
    (dashed,) = [each for each in named(drawing, "path") if each.get("stroke-dasharray")]
    assert dashed.get("d").startswith("M300.0 ")
    (plain,) = drawings(lanes_html(Lanes((LANE,), 48.0, None, "", "")))
    assert not [each for each in named(plain, "path") if each.get("stroke-dasharray")]


@pytest.mark.parametrize(
    ("value", "x", "left", "width"),
    [(0.25, (0, 1), 0, 150), (-0.5, (-0.5, 1), 0, 200), (2.0, (0, 1), 0, 600)],
)
def test_a_bar_runs_from_zero_to_its_value(value, x, left, width):
    (drawing,) = drawings(bars_html(Bars((Bar("risk", value, None, None, "x"),), x, "", "")))
    _, bar = named(drawing, "rect")
    assert (float(bar.get("x")), float(bar.get("width"))) == (left, width)
    assert len(named(drawing, "path")) == (1 if x[0] < 0 else 0)  # the line at zero


def test_an_interval_is_drawn_over_the_bar():
    (drawing,) = drawings(bars_html(Bars((Bar("risk", 0.5, 0.25, 0.75, "x"),), (0, 1), "", "")))
    (whisker,) = named(drawing, "path")
    assert whisker.get("d").startswith("M150.0 13H450.0")
