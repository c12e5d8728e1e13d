"""Words over an image: what is left of them where there is little room."""

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter
from ui.test_theme import contrast

from medview.ui import pane_text
from medview.ui.theme import PANE_QUIET, PANE_STRONG


def test_an_interval_is_kept_whole_where_the_name_of_the_model_has_no_room(qapp):
    whole = "Anomaly 0.906 [0.849 - 0.963] · Bayesian VAE anomaly 1.0"
    short = "Anomaly 0.906 [0.849 - 0.963] …"
    room = pane_text.width_of(short)
    assert pane_text.fitted(whole, pane_text.width_of(whole)) == whole
    assert pane_text.fitted(whole, room + 1) == short
    assert pane_text.fitted(whole, room - 8) == "Anomaly 0.906 …"
    cut = pane_text.fitted(whole, pane_text.width_of("Anomaly 0"))
    assert cut.startswith("Anom")
    assert cut.endswith("…")


def test_of_a_number_no_part_is_left(qapp):
    whole = "Im 70 / 106"
    for room in range(round(pane_text.width_of("Im 70 …")), round(pane_text.width_of(whole)) + 9):
        assert pane_text.fitted(whole, room) in (whole, "Im 70 …")


@pytest.mark.parametrize("width", [60.0, 150.0, 1000.0])
def test_a_note_is_folded_at_words_and_loses_none(qapp, width):
    note = "No image is open. Models can run on the table alone.\nDrop a folder here"
    lines = pane_text.folded(note, width)
    assert " ".join(lines).split() == note.split()
    assert all(pane_text.width_of(line) <= width or " " not in line for line in lines)
    assert len(lines) >= 2


def test_a_wide_pane_keeps_a_line_whole(qapp):
    assert pane_text.folded("Drop a folder here", 1000.0) == ("Drop a folder here",)


@pytest.mark.parametrize("colour", [PANE_QUIET, PANE_STRONG])
@pytest.mark.parametrize("tissue", ["#ffffff", "#c0c0c0"])
def test_words_are_read_on_the_brightest_tissue(qapp, colour, tissue):
    image = QImage(90, 40, QImage.Format.Format_RGB32)
    image.fill(QColor(tissue))
    with QPainter(image) as painter:
        pane_text.write(painter, QPointF(10, 8), "IIIIIIII", colour=colour)
    letters = (image.pixelColor(x, 18) for x in range(12, 30))
    greys = sorted((each.lightness(), each.name()) for each in letters)
    # Between the letters lies the halo; the brightest are the letters, whose edges are softened.
    assert contrast(colour, greys[0][1]) >= 4.5
    assert greys[0][0] < 70
