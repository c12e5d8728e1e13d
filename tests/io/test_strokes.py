import base64
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pikepdf
import pytest

from medview.domain.progress import Silent
from medview.domain.report import FigureRow, Picture, Report, Section, Stroke
from medview.io.pdf import write_report
from medview.io.strokes import strokes_html

LINE = Stroke((((0.25, 0.5), (0.5, 0.5)),), ("20.0 mm", "<b>"), (0.5, 0.5))
PICTURE = Picture(np.zeros((100, 200, 3), np.uint8), "a picture", strokes=(LINE,))


def drawn(stroke):
    html = strokes_html(replace(PICTURE, strokes=(stroke,)))
    found = re.search(r"base64,([^\"]+)", html)
    return html, ElementTree.fromstring(base64.b64decode(found[1]))


def test_a_line_runs_where_its_parts_of_the_picture_say():
    _, drawing = drawn(LINE)
    rim, line = [each for each in drawing.iter() if each.tag.endswith("polyline")]
    assert rim.get("points") == line.get("points") == "50.0,50.0 100.0,50.0"
    assert float(rim.get("stroke-width")) > float(line.get("stroke-width"))


@pytest.mark.parametrize(
    ("at", "style"),
    [
        ((0.5, 0.5), "left: 50.00%; top: 50.00%"),
        ((0.9, 0.5), "right: 10.00%; top: 50.00%"),  # words stay inside the picture
        ((0.5, 0.97), "left: 50.00%; bottom: 3.00%"),
        ((1.4, -0.2), "right: 0.00%; top: 0.00%"),
    ],
)
def test_words_stand_beside_their_place_and_inside_the_picture(at, style):
    html, _ = drawn(replace(LINE, at=at))
    assert f'style="{style}">20.0 mm<br>&lt;b&gt;</span>' in html


def test_without_drawings_nothing_is_added():
    assert strokes_html(replace(PICTURE, strokes=())) == ""


def test_every_figure_of_the_pdf_has_an_alternative_text(tmp_path):
    section = Section("Key images", figures=(FigureRow((PICTURE,), "one"),))
    made = Report("x", ("y",), (), (section,), "1", made_at="2026-11-21T10:00:00+00:00")
    written = replace(made, manifest={"made_at": made.made_at})
    write_report(Silent(), written, tmp_path / "r.pdf")
    with pikepdf.open(tmp_path / "r.pdf") as pdf:
        figures = [
            each
            for each in pdf.objects
            if isinstance(each, pikepdf.Dictionary) and each.get("/S") == "/Figure"
        ]
        texts = {str(each.get("/Alt", "")) for each in figures}
    assert "a picture" in texts
    assert "Drawn on the image: 20.0 mm, <b>." in texts
    assert all(text.strip() for text in texts)
