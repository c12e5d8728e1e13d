from dataclasses import replace

import numpy as np
import pytest

from medview.domain.report import (
    ColourBar,
    FigureRow,
    Picture,
    Report,
    Section,
    StripChart,
    Table,
    content_sha256,
)

BAR = ColourBar(np.zeros((2, 3), np.uint8), 0.0, 1.0, 0.5, "1", "score")
PICTURE = Picture(np.zeros((2, 2, 3), np.uint8), "alt", ("R", "L", "", ""))
FIGURE = FigureRow((PICTURE,), "caption", (BAR,), "note")
CHART = StripChart((1.0, 2.0), ((0, "A"),), 0.0, 2.0, ("a", "b"), "caption", "alt")
SECTION = Section("Title", "text", "result", Table((("a", "b"),), ("c", "d")), (FIGURE,), (CHART,))
REPORT = Report("Report", ("who",), (("a", "b"),), (SECTION,), "id", made_at="now")


def with_section(**fields: object) -> Report:
    return replace(REPORT, sections=(replace(SECTION, **fields),))


def test_id_time_and_manifest_are_not_content():
    other = replace(REPORT, report_id="other", made_at="later", manifest={"a": 1})
    assert content_sha256(other) == content_sha256(REPORT)


@pytest.mark.parametrize(
    "other",
    [
        replace(REPORT, title="x"),
        replace(REPORT, identity=("x",)),
        replace(REPORT, facts=(("a", "x"),)),
        replace(REPORT, status="FINAL"),
        with_section(title="x"),
        with_section(text="x"),
        with_section(result="x"),
        with_section(table=Table((("a", "x"),), ("c", "d"))),
        with_section(table=Table((("a", "b"),), ("c", "x"))),
        with_section(figures=(replace(FIGURE, caption="x"),)),
        with_section(figures=(replace(FIGURE, note="x"),)),
        with_section(figures=(replace(FIGURE, colour_bars=(replace(BAR, high=2.0),)),)),
        with_section(
            figures=(replace(FIGURE, pictures=(replace(PICTURE, rgb=PICTURE.rgb + np.uint8(1)),)),)
        ),
        with_section(
            figures=(replace(FIGURE, pictures=(replace(PICTURE, letters=("L", "R", "", "")),)),)
        ),
        with_section(charts=(replace(CHART, values=(1.0, 2.1)),)),
        with_section(charts=(replace(CHART, marks=((1, "A"),)),)),
    ],
)
def test_whatever_is_said_or_shown_is_content(other):
    assert content_sha256(other) != content_sha256(REPORT)
