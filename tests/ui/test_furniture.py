import pytest
from PySide6.QtCore import QRectF
from ui.painted import AREA, lit

from medview.imaging.frame import Corners, Labels
from medview.ui import furniture


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
    assert [lit(image, box) for box in left_of_middle] == [False, True, True]
    image.fill(0)
    furniture.draw_corners(painter, AREA, Corners(("", "", "C"), ("", "", 9 * "far "), (), ()))
    assert lit(image, (0, 42, 30, 60))
    assert not lit(image, (30, 42, 60, 60))


def test_an_interval_is_kept_whole_where_the_name_of_the_model_has_no_room(qapp):
    whole = "Anomaly 0.906 [0.849 - 0.963] · Bayesian VAE anomaly 1.0"
    short = "Anomaly 0.906 [0.849 - 0.963] …"
    room = furniture.width_of(short)
    assert furniture.fitted(whole, furniture.width_of(whole)) == whole
    assert furniture.fitted(whole, room + 1) == short
    cut = furniture.fitted(whole, room - 8)
    assert cut.startswith("Anomaly 0.906 [0.8")
    assert cut.endswith("…")


def test_of_a_number_no_part_is_left(qapp):
    whole = "Im 70 / 106"
    for room in range(round(furniture.width_of("Im 70 …")), round(furniture.width_of(whole)) + 9):
        assert furniture.fitted(whole, room) in (whole, "Im 70 …")


def test_a_date_is_whole_in_a_narrow_pane_that_says_nothing_on_the_right_of_it(canvas):
    image, painter = canvas
    narrow, who = QRectF(0, 0, 200, 200), "F · 61 y · 14 Mar 2026"
    furniture.draw_corners(painter, narrow, Corners(("NAME", who), ("Im 45 / 155",), (), ()))
    assert lit(image, (round(furniture.width_of(who)) - 12, 26, 200, 44))


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
    monkeypatch.setattr(
        furniture, "write", lambda _p, at, text, **_: written.append((at.y(), text))
    )
    beside = ("Im 45 / 155", "H 123.5 mm · 1.5 mm")
    area = QRectF(0, 0, 160, 200)
    furniture.draw_corners(canvas[1], area, Corners(lines, beside, (), ()))
    assert [text for _, text in written[: len(said)]] == said
    assert [y for y, _ in written[: len(said)]] == [7.0 + 18.0 * row for row in range(len(said))]


def test_an_interval_goes_below_its_value_rather_than_being_cut(canvas, monkeypatch):
    written = []
    monkeypatch.setattr(
        furniture, "write", lambda _p, at, text, **_: written.append((at.y(), text))
    )
    result = "Mortality 0.34 [0.22 - 0.48] · ICU series and film 1.0"
    for width in (360, 900):
        corners = Corners(("NAME", "F · 76 y · 21 Nov 2026"), (result,), (), ())
        furniture.draw_corners(canvas[1], QRectF(0, 0, width, 200), corners)
    assert written[2] == (7.0, "Mortality 0.34")
    assert written[3] == (25.0, "[0.22 - 0.48] …")
    assert written[-1] == (7.0, result)


def test_no_warning_about_an_image_gives_way_to_dots(canvas, monkeypatch):
    written = []
    monkeypatch.setattr(
        furniture, "write", lambda _p, at, text, **_: written.append((at.y(), text))
    )
    lines = ("Orientation unknown · no size in mm", "W 127  L 80", "zoom 0.8×")
    for width in (440, 900):
        furniture.draw_corners(canvas[1], QRectF(0, 0, width, 600), Corners((), (), lines, ()))
    said = [text for _, text in written]
    assert said == ["Orientation unknown", "no size in mm", *lines[1:], *lines]
    assert [y for y, _ in written[:4]] == [519.0, 537.0, 555.0, 573.0]


def test_series_that_begin_alike_are_told_apart_in_small_panes(canvas, monkeypatch):
    written = []
    monkeypatch.setattr(furniture, "write", lambda _p, _at, text, **_: written.append(text))
    area, beside = QRectF(0, 0, 200, 200), ("Im 78 / 155", "not registered")
    for series in ("BraTS-MET-00110-000-t1n", "BraTS-MET-00110-000-t2f"):
        furniture.draw_corners(canvas[1], area, Corners(("NAME", series), beside, (), ()))
    assert written[1].endswith("t1n")
    assert written[5].endswith("t2f")


def test_below_a_lifted_letter_a_line_may_use_the_middle_but_not_its_neighbour(canvas):
    image, painter = canvas
    corners = Corners((), (), ("W 1", "zoom"), ("Score", 12 * "only "))
    across = 200, 575, 232, 592
    furniture.draw_corners(painter, AREA, corners)
    assert not lit(image, across)
    furniture.draw_corners(painter, AREA, corners, lifted=True)
    assert lit(image, across)
    assert not lit(image, (50, 575, 70, 592))


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
    long = next("x" * n for n in range(99) if furniture.width_of("x" * n) > 205)
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


@pytest.mark.parametrize("width", [60.0, 150.0, 1000.0])
def test_a_note_is_folded_at_words_and_loses_none(qapp, width):
    note = "No image is open. Models can run on the table alone.\nDrop a folder here"
    lines = furniture.folded(note, width)
    assert " ".join(lines).split() == note.split()
    assert all(furniture.width_of(line) <= width or " " not in line for line in lines)
    assert len(lines) >= 2


def test_a_wide_pane_keeps_a_line_whole(qapp):
    assert furniture.folded("Drop a folder here", 1000.0) == ("Drop a folder here",)
