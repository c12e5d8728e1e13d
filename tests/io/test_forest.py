"""Variants below each other: a line each where there is a difference, at its place, in words."""

from xml.etree import ElementTree

import pytest

from medview.io.forest import forest_svg, write_forest


def row(variant, difference, low=None, high=None, **more):
    named = {"subset": "all", "task": "age", "name": "mae"}
    return {"variant": variant, "difference": difference, "low": low, "high": high, **named, **more}


ROWS = [
    row("default", None),
    row("a & b", 0.5, 0.1, 0.9),
    row("c", -0.5),
    row("a & b", 0.2, 0.1, 0.3, name="rmse"),
    row("a & b", 0.4, 0.3, 0.5, subset="all:pairs"),
]


def drawn(kind):
    found = ElementTree.fromstring(forest_svg(ROWS, "default", "6 of 8 runs.")).iter()
    return [each for each in found if each.tag.endswith(kind)]


def test_each_figure_of_the_first_subset_is_a_panel_of_its_variants():
    told = [each.text for each in drawn("text")]
    assert "all: age, mae, less default" in told
    assert "all: age, rmse, less default" in told
    assert [word for word in told if word in ("default", "a & b", "c")] == ["a & b", "c", "a & b"]
    assert "+0.500 [0.100, 0.900]" in told
    assert "\u22120.500" in told
    assert not any("pairs" in word for word in told)
    assert "6 of 8 runs." in told[-1]
    assert "Research use only" in told[-1]


def test_dots_lie_by_their_difference_and_lines_reach_over_their_interval():
    first, second, _ = (float(each.get("cx")) for each in drawn("circle"))
    zero = float(next(p for p in drawn("path") if p.get("stroke-width") == "1.4").get("d")[1:6])
    assert second < zero < first
    assert first - zero == pytest.approx(zero - second, abs=0.3)
    line = next(p.get("d") for p in drawn("path") if p.get("stroke-width") == "2.2")
    begin, end = float(line[1:].split()[0]), float(line.split("H")[1])
    assert (begin + end) / 2 == pytest.approx(first, abs=0.2)
    assert begin > zero


def places(kind, *names):
    return [tuple(float(each.get(name)) for name in names) for each in drawn(kind)]


def test_dots_words_and_axes_of_each_panel_stand_below_each_other():
    texts = [(each.text, float(each.get("x")), float(each.get("y"))) for each in drawn("text")]
    dots = places("circle", "cx", "cy")
    heights = [y for _, y in dots]
    assert heights == sorted(heights)
    assert heights[1] - heights[0] == pytest.approx(20)
    names = [y for words, _, y in texts if words in ("a & b", "c")]
    assert names == pytest.approx([y + 4 for y in heights])
    titles = [y for words, _, y in texts if "less default" in words]
    assert titles[0] < heights[0] < heights[1] < titles[1] < heights[2]
    # Each line across a panel reaches over its rows, and its figure stands right below it.
    for line in (each.get("d") for each in drawn("path") if each.get("stroke-width") == "1"):
        x, rest = line[1:].split(" ")
        begin, end = map(float, rest.split("V"))
        below = [words for words, at, y in texts if (at, y) == (float(x), end + 14)]
        assert len(below) == 1
        inside = [y for y in heights if begin < y < end]
        assert len(inside) == (2 if end < titles[1] else 1)
    drawing = ElementTree.fromstring(forest_svg(ROWS, "default", "6 of 8 runs."))
    assert max(y for _, _, y in texts) < float(drawing.get("height"))


def test_the_axis_has_its_zero_where_the_line_is():
    (zero, *_) = (p.get("d") for p in drawn("path") if p.get("stroke-width") == "1.4")
    told = [float(each.get("x")) for each in drawn("text") if each.text in ("0", "0.0", "0.00")]
    assert float(zero[1:].split()[0]) in told


def test_half_an_interval_is_none_and_equal_figures_have_room():
    drawing = forest_svg([row("a", 0.0, 0.0), row("b", 0.0, None, 0.0)], "default", "")
    assert drawing.count("[") == 0
    assert "nan" not in drawing.lower()
    assert drawing.count("<circle") == 2


def test_without_any_difference_there_is_no_file(tmp_path):
    write_forest(ROWS[:1], "default", "", tmp_path / "x.svg")
    assert not list(tmp_path.iterdir())
    write_forest(ROWS, "default", "", tmp_path / "x.svg")
    assert (tmp_path / "x.svg").read_text("utf-8").startswith("<svg")
