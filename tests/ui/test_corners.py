"""The texts in the four corners of a pane."""

import pytest
from PySide6.QtCore import QRectF
from ui.painted import AREA, lit

from medview.imaging.frame import RESEARCH_ONLY, Corners
from medview.ui import corners
from medview.ui.pane_text import width_of


def test_each_corner_has_its_lines(canvas):
    image, painter = canvas
    corners.draw_corners(painter, AREA, Corners(("A", "B"), (), (), ("C",)))
    assert lit(image, (0, 0, 60, 24))
    assert lit(image, (0, 26, 60, 44))
    assert not lit(image, (440, 0, 500, 44))
    assert not lit(image, (0, 560, 60, 600))
    assert lit(image, (440, 560, 500, 600))


def test_a_line_below_the_letter_may_go_on_past_the_middle_but_not_into_its_neighbour(canvas):
    image, painter = canvas
    long = "Anomaly 0.898 [0.865 - 0.930] and its model, which has a name"
    corners.draw_corners(painter, AREA, Corners(("A", "B", "C"), (long, long, long), (), ()))
    left_of_middle = (100, 0, 232, 22), (100, 22, 232, 40), (100, 42, 232, 60)
    assert [lit(image, box) for box in left_of_middle] == [False, True, True]
    image.fill(0)
    corners.draw_corners(painter, AREA, Corners(("", "", "C"), ("", "", 9 * "far "), (), ()))
    assert lit(image, (0, 42, 30, 60))
    assert not lit(image, (30, 42, 60, 60))


def test_a_date_is_whole_in_a_narrow_pane_that_says_nothing_on_the_right_of_it(canvas):
    image, painter = canvas
    narrow, who = QRectF(0, 0, 200, 200), "F · 61 y · 14 Mar 2026"
    corners.draw_corners(painter, narrow, Corners(("NAME", who), ("Im 45 / 155",), (), ()))
    assert lit(image, (round(width_of(who)) - 12, 26, 200, 44))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("NAME", "F · 61 y · 14 Mar 2026", "T1"), ["NAME", "F · 61 y", "14 Mar 2026", "T1"]),
        (("Coronal · P 17.0",), ["Coronal", "P 17.0"]),
    ],
)
def test_date_and_depth_stay_whole_beside_other_words_in_a_small_pane(
    canvas, monkeypatch, lines, said
):
    written = []
    monkeypatch.setattr(corners, "write", lambda _p, at, text, **_: written.append((at.y(), text)))
    beside = ("Im 45 / 155", "H 123.5 mm · 1.5 mm")
    area = QRectF(0, 0, 160, 200)
    corners.draw_corners(canvas[1], area, Corners(lines, beside, (), ()))
    assert [text for _, text in written[: len(said)]] == said
    assert [y for y, _ in written[: len(said)]] == [7.0 + 18.0 * row for row in range(len(said))]


def test_an_interval_goes_below_its_value_rather_than_being_cut(canvas, monkeypatch):
    written = []
    monkeypatch.setattr(corners, "write", lambda _p, at, text, **_: written.append((at.y(), text)))
    result = "Mortality 0.34 [0.22 - 0.48] · ICU series and film 1.0"
    for width in (360, 900):
        texts = Corners(("NAME", "F · 76 y · 21 Nov 2026"), (result,), (), ())
        corners.draw_corners(canvas[1], QRectF(0, 0, width, 200), texts)
    assert written[2] == (7.0, "Mortality 0.34")
    assert written[3] == (25.0, "[0.22 - 0.48]")
    assert written[4][0] == 43.0
    assert written[4][1].startswith("ICU series")
    assert written[-1] == (7.0, result)


def test_a_value_without_interval_stands_above_its_model_in_a_narrow_pane(canvas, monkeypatch):
    written = []
    monkeypatch.setattr(corners, "write", lambda _p, at, text, **_: written.append((at.y(), text)))
    texts = Corners(("NAME",), ("Severe 0.78 · Chest film severity (MDMT) 1.0",), (), ())
    corners.draw_corners(canvas[1], QRectF(0, 0, 480, 200), texts)
    assert written[1:] == [(7.0, "Severe 0.78"), (25.0, "Chest film severity (MDMT) 1.0")]


def test_no_warning_about_an_image_gives_way_to_dots(canvas, monkeypatch):
    written = []
    monkeypatch.setattr(corners, "write", lambda _p, at, text, **_: written.append((at.y(), text)))
    lines = ("Orientation unknown · no size in mm", "W 127  L 80", "zoom 0.8×")
    for width in (440, 900):
        corners.draw_corners(canvas[1], QRectF(0, 0, width, 600), Corners((), (), lines, ()))
    said = [text for _, text in written]
    assert said == ["Orientation unknown", "no size in mm", *lines[1:], *lines]
    assert [y for y, _ in written[:4]] == [519.0, 537.0, 555.0, 573.0]


def test_series_that_begin_alike_are_told_apart_in_small_panes(canvas, monkeypatch):
    written = []
    monkeypatch.setattr(corners, "write", lambda _p, _at, text, **_: written.append(text))
    area, beside = QRectF(0, 0, 200, 200), ("Im 78 / 155", "not registered")
    for series in ("BraTS-MET-00110-000-t1n", "BraTS-MET-00110-000-t2f"):
        corners.draw_corners(canvas[1], area, Corners(("NAME", series), beside, (), ()))
    assert written[1].endswith("t1n")
    assert written[5].endswith("t2f")


def test_below_a_lifted_letter_a_line_may_use_the_middle_but_not_its_neighbour(canvas):
    image, painter = canvas
    texts = Corners((), (), ("W 1", "zoom"), ("Score", 12 * "only "))
    across = 200, 575, 232, 592
    corners.draw_corners(painter, AREA, texts)
    assert not lit(image, across)
    corners.draw_corners(painter, AREA, texts, lifted=True)
    assert lit(image, across)
    assert not lit(image, (50, 575, 70, 592))


def test_research_use_only_is_never_cut_in_a_narrow_pane(canvas, monkeypatch):
    written = []
    monkeypatch.setattr(corners, "write", lambda _p, at, text, **_: written.append((at.y(), text)))
    lines = ("W 832  L 417", "zoom 0.9×")
    texts = Corners((), (), lines, ("Score", RESEARCH_ONLY))
    for width, below in ((185, 3), (400, 2)):
        assert corners.lines_below_letter(texts, width) == below
        corners.draw_corners(canvas[1], QRectF(0, 0, width, 600), texts, lifted=True)
    said = {text: y for y, text in written[: len(written) // 2 + 1] if text}
    assert said[RESEARCH_ONLY] == 573.0
    assert said["zoom 0.9×"] == 555.0
    # Where there is room they stand beside each other.
    assert {text: y for y, text in written}["zoom 0.9×"] == 573.0
