import re
from dataclasses import replace

import numpy as np
import pytest

from medview import RESEARCH_USE
from medview.domain.report import ColourBar, FigureRow, Picture, Report, Section, StripChart, Table
from medview.io.page import html_of

BLACK = np.zeros((4, 6, 3), np.uint8)
BAR = ColourBar(np.tile(np.arange(256, dtype=np.uint8)[:, None], 3), 0.0, 18.0, 6.0, "1", "score")


def page(*sections: Section, **fields: object) -> str:
    made = Report("Title", ("Who",), (("Scanner", "3 T"),), sections, "7c1e-0110")
    return html_of(replace(made, **fields))


def test_every_text_is_escaped():
    evil = "<b>&\"'"
    chart = StripChart((1.0,), ((0, evil),), 0, 1, (evil, evil), evil, evil)
    figure = FigureRow((Picture(BLACK, evil, (evil,) * 4, (evil,) * 4),), evil, (None,), evil)
    section = Section(evil, evil, evil, Table(((evil, evil),), (evil, evil)), (figure,), (chart,))
    made = page(section, title=evil, identity=(evil,), facts=((evil, evil),), status=evil)
    assert "<b>&" not in made
    assert made.count("&lt;b&gt;&amp;&quot;&#x27;") >= 20


@pytest.mark.parametrize(
    "interval",
    [
        *("[0.04, 0.09]", "[-0.01, +0.03]", "[2 %, 12 %]", "[\u22120.1, 0.2]"),
        *("1.61 – 2.10", "1\u202f200 – 1\u202f300", "-0.009 to +0.012", "3 % to 4 %"),
    ],
)
def test_an_interval_is_not_broken_over_two_lines(interval):
    text = f"The difference is small ({interval}), a & b, in 23 of 24 heads."
    made = page(Section("Limits", text, table=Table(((text, f"{text} · {text}"),))))
    whole = interval.replace(" ", "\u00a0").replace("–", "–\u2060")
    assert made.count(f"({whole}), a &amp; b, in 23 of 24 heads.") == 4


def test_a_figure_is_not_parted_from_its_unit_nor_a_count_from_its_n():
    made = page(Section("Trust", "5.88 (5.1 – 6.6 mm), n 1680; at 1.5 mm, 14 % of 2 soft rows."))
    assert (
        "(5.1\u00a0–\u2060\u00a06.6\u00a0mm), n\u00a01680; at 1.5\u00a0mm, 14\u00a0% of 2 soft"
        in made
    )


def test_rows_of_one_name_go_on_overleaf_but_none_of_them_alone():
    rows = tuple(("Limits", f"limit {n}") for n in range(5))
    made = page(Section("", table=Table((("Use", "x"), *rows, ("Run", "y")))))
    before, entry, after = made.split('<table class="list')[1:]
    assert "<tr><td><bdi>Use</bdi></td>" in before
    head, body = entry.split("</thead><tbody>")
    assert head.startswith(' entry"><thead>')
    assert "Limits" in head
    kinds = re.findall(r'<tr(?: class="([^"]*)")?><td>', body)
    assert kinds == ["", "more near", "more", "more", "more near"]
    assert "<tr><td><bdi>Run</bdi></td>" in after


def test_the_document_is_called_report_and_carries_the_caution():
    made = page(title="Of Jane Doe")
    assert "<title>Report</title>" in made
    assert f'data-caution="{RESEARCH_USE}"' in made


def test_a_draft_is_marked_and_a_final_report_is_not():
    assert page().count(">DRAFT</span>") == 2  # first page and the head of the others
    assert "badge" not in page(status="FINAL")


@pytest.mark.parametrize(
    ("sides", "columns"),
    [
        (("left", "right"), 1),
        (("left", "left", "right"), 1),
        (("left", "right", "left"), 2),
        (("right",), 1),
    ],
)
def test_sections_with_a_side_stand_in_columns(sides, columns):
    parts = [Section(name, "x", side=side) for name, side in zip("abc", sides, strict=False)]
    made = page(Section("before"), *parts, Section("after"))
    assert made.count('<table class="halves">') == columns
    assert made.index("before") < made.index(">a<") < made.index("after")
    left, right = made.split('<table class="halves"><tr><td>')[1].split("</td><td>")[:2]
    for name, side in zip("abc", sides[: 2 if columns == 2 else 3], strict=False):
        assert (f"<h2>{name}</h2>" in left) == (side == "left")
        assert (f"<h2>{name}</h2>" in right.split("</table>")[0]) == (side == "right")


@pytest.mark.parametrize(("rows", "kind"), [(8, "halves"), (9, "halves long")])
def test_only_what_stands_beside_a_long_table_may_go_on_overleaf(rows, kind):
    long = Section("a", side="left", table=Table((("x", "y"),) * rows, ("No.", "Where")))
    made = page(long, Section("b", "words", side="right"))
    assert f'<table class="{kind}">' in made


def test_half_rows_of_pictures_stand_side_by_side_and_no_caption_is_empty():
    row = FigureRow((Picture(BLACK, ""),), "words")
    half = replace(row, half=True)
    made = page(Section("", figures=(row, half, half, replace(half, caption=""))))
    assert made.count('<table class="paired">') == 2
    assert made.count("<figcaption>") == 3


def test_what_stands_beside_a_result_is_quieter():
    made = page(Section("Result", "text", "Age 67 years (61 – 73); gap +5."))
    beside = '<span class="beside">(61\u00a0–\u2060\u00a073)</span>'
    assert f"Age 67 years {beside}; gap" in made
    at_the_end = page(Section("", "", "Age 67 (61 – 73)."))
    assert beside.replace(")</span>", ").</span>") in at_the_end


def test_rows_of_one_name_are_one_entry():
    made = page(Section("", table=Table((("Limits", "one"), ("Limits", "two"), ("Run", "x")))))
    assert made.count("Limits") == 1
    assert made.count('<tr class="more near">') == 1
    assert "two" in made


@pytest.mark.parametrize(
    ("value", "text"),
    [(18.0, "18"), (0.0, "0"), (0.008, "0.008"), (1.95, "1.9"), (-2.5, "\u22122.5")],
)
def test_numbers_beside_a_colour_bar_are_short(value, text):
    bar = replace(BAR, high=value, threshold=None)
    made = page(Section("", figures=(FigureRow((Picture(BLACK, ""),), "", (bar,)),)))
    assert f"<b>{text}</b></div>" in made


def test_the_threshold_is_a_tick_at_its_place_and_a_word():
    made = page(Section("", figures=(FigureRow((Picture(BLACK, ""),), "", (BAR,)),)))
    assert '<i style="left: 33.33%">' in made
    assert "score, shown from 6" in made
    made = page(
        Section("", figures=(FigureRow((Picture(BLACK, ""),), "", (replace(BAR, unit="ml"),)),))
    )
    assert "score (ml), shown from 6" in made


def test_a_threshold_outside_the_range_is_not_drawn():
    bar = replace(BAR, threshold=20.0)
    made = page(Section("", figures=(FigureRow((Picture(BLACK, ""),), "", (bar,)),)))
    assert "shown from" not in made


def test_the_scale_bar_takes_its_part_of_the_picture():
    row = FigureRow(
        (Picture(BLACK, "", scale=(50.0, 0.25)), Picture(BLACK, "", scale=(5, 0.1))), ""
    )
    made = page(Section("", figures=(row,)))
    assert 'style="width: 25.00%">5 cm<' in made
    assert 'style="width: 10.00%">5 mm<' in made


def test_bars_of_a_strip_are_as_high_as_their_values_and_gaps_stay_empty():
    import base64

    chart = StripChart((0.0, 1.0, float("nan"), 2.0), ((3, "A"),), 0.0, 2.0, ("a", "b"), "c", "d")
    made = page(Section("", charts=(chart,)))
    source = re.search(r"data:image/svg\+xml;base64,([^\"]+)", made)
    assert source is not None
    drawing = base64.b64decode(source[1]).decode()
    heights = [float(h) for h in re.findall(r'height="([\d.]+)"', drawing)]
    assert heights == [0.0, 50.0, 100.0]
    assert drawing.count("#2f6ea5") == 1  # only the one that is pictured
    assert 'left: 87.50%">A<' in made


@pytest.mark.parametrize(("at", "row"), [(50, "ends"), (4, "ends below"), (96, "ends below")])
def test_a_letter_near_an_end_of_a_strip_does_not_lie_on_the_words_there(at, row):
    chart = StripChart((1.0,) * 100, ((at, "A"),), 0.0, 2.0, ("feet", "head"), "c", "d")
    assert f'<div class="{row}"><span>feet</span>' in page(Section("", charts=(chart,)))


def test_lists_with_dots_are_broken_at_the_dots_only():
    made = page(Section("", table=Table((("Run", f"K 5 · seed 7 · {'long ' * 20}"),))))
    dot = "\u00a0· "  # which ends a line and begins none
    assert f'<span class="whole">K 5</span>{dot}<span class="whole">seed 7</span>{dot}long' in made


def test_a_long_identity_gets_more_room():
    assert '<body class="short"' in page()
    assert '<body class="long"' in page(identity=("x" * 91,))
    assert '<body class="long"' in page(identity=("\u5c71" * 46,))  # twice as wide
    assert '<body class="huge long"' in page(identity=("x" * 300,))
    assert 'class="who wide"' in page(identity=("x" * 91,))


def test_text_that_runs_from_the_right_is_set_so():
    made = page(Section("a", "\u05e9\u05dc\u05d5\u05dd.\nplain\n1. \u0648\u062c\u062f\u062a"))
    assert made.count('<p class="rtl">') == 2
    assert "<p><bdi>plain" in made


def test_short_cells_are_kept_whole_and_names_of_dicom_are_small():
    uid = "1.2.840.113619.2.176.2025.1499492"
    made = page(
        Section("", table=Table((("1", "left posterior, mid-height", uid),), ("a", "b", "c")))
    )
    assert '<td class="whole"><bdi>1</bdi></td><td><bdi>left posterior' in made
    assert f'<td class="uid"><bdi>{uid}' in made


def test_the_legend_of_a_mask_is_its_colour_and_its_name():
    bar = replace(BAR, colours=np.array([[255, 128, 0]], np.uint8), title="<liver>")
    made = page(Section("", figures=(FigureRow((Picture(BLACK, ""),), "", (bar,)),)))
    assert "background: #ff8000" in made
    assert "&lt;liver&gt;" in made
    assert "shown from" not in made
