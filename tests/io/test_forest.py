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


def test_without_any_difference_there_is_no_file(tmp_path):
    write_forest(ROWS[:1], "default", "", tmp_path / "x.svg")
    assert not list(tmp_path.iterdir())
    write_forest(ROWS, "default", "", tmp_path / "x.svg")
    assert (tmp_path / "x.svg").read_text("utf-8").startswith("<svg")
