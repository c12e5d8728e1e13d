import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from ui.wrappers import layout_items

from medview.ui import controls
from medview.ui.controls import (
    Card,
    DecimalField,
    ElidedButton,
    ElidedLabel,
    Fold,
    RangeRow,
    Row,
    Segments,
    SliderRow,
    WholeField,
    clear,
    label,
)


@pytest.fixture
def slider(qtbot):
    made = SliderRow("Opacity", "opacity")
    qtbot.addWidget(made)
    made.set_range(0, 1, suffix=" %", digits=0, factor=100)
    return made


def test_a_slider_set_by_the_program_tells_nobody(slider):
    told = []
    slider.changed.connect(told.append)
    slider.set_value(0.7)
    assert told == []
    assert slider.value() == pytest.approx(0.7)


def test_a_slider_moved_by_hand_tells_its_value(slider):
    told = []
    slider.changed.connect(told.append)
    slider.slider.setValue(250)
    assert told == [0.25]


def test_a_value_beyond_the_ends_stands_at_the_end(slider):
    slider.set_value(3.0)
    assert slider.value() == 1.0


def test_a_range_stays_in_order(qtbot):
    made, told = RangeRow("Range", "range"), []
    qtbot.addWidget(made)
    made.changed.connect(lambda *v: told.append(v))
    made.set_value(0.0, 18.0)
    assert told == []
    made._fields[0].setValue(20.0)
    assert told == []
    made._fields[0].setValue(2.0)
    assert told == [(2.0, 18.0)]


@pytest.mark.parametrize(("high", "decimals"), [(18.0, 1), (5.2, 2), (0.05, 4), (0.004, 6)])
def test_small_ranges_get_more_decimals(qtbot, high, decimals):
    made = RangeRow("Range", "range")
    qtbot.addWidget(made)
    made.set_value(0.0, high)
    assert made._fields[1].decimals() == decimals
    assert made.value()[1] == pytest.approx(high)


def test_of_segments_one_is_on(qtbot):
    made, told = Segments("maps", "Map"), []
    qtbot.addWidget(made)
    made.changed.connect(told.append)
    made.set_choices([("a", "A", ""), ("b", "B", "")])
    made.set_value("b")
    assert made.value() == "b"
    assert told == []
    made._buttons["a"].click()
    assert (made.value(), told) == ("a", ["a"])
    made.set_value("nothing")
    assert made.value() == ""


def test_a_long_text_ends_in_dots_and_has_its_tip(qtbot):
    made = ElidedLabel("a very long name of a series indeed")
    qtbot.addWidget(made)
    made.show()
    made.resize(60, 20)
    assert made.text().endswith("…")
    assert made.toolTip() == "a very long name of a series indeed"
    made.resize(600, 20)
    assert made.text() == "a very long name of a series indeed"
    assert made.toolTip() == ""


def test_a_text_that_looks_like_a_page_is_shown_as_it_is(qtbot):
    text = '<img src="file:///etc/x.png">T1 <b>bold</b> of a very long series'
    made = ElidedLabel(text)
    qtbot.addWidget(made)
    made.show()
    made.resize(60, 20)
    assert made.textFormat() is Qt.TextFormat.PlainText
    page = QTextDocument()
    page.setHtml(made.toolTip())
    assert page.toPlainText() == text
    assert label(text).textFormat() is Qt.TextFormat.PlainText


def test_a_shorter_text_stands_where_the_whole_one_does_not_fit(qtbot):
    texts = ("M-AVAE brain age 1.0 · CPU", "M-AVAE brain age 1.0", "brain-age 1.0")
    made = ElidedLabel(texts[0], shorter=texts[1:])
    qtbot.addWidget(made)
    made.show()
    for text in texts:
        made.resize(made.fontMetrics().horizontalAdvance(text) + 1, 20)
        assert made.text() == text
        assert made.toolTip() == ("" if text == texts[0] else texts[0])
    made.resize(30, 20)
    assert made.text().endswith("…")
    assert texts[2].startswith(made.text()[:-1])


def test_clearing_a_layout_takes_its_widgets_out(qtbot):
    holder = QWidget()
    qtbot.addWidget(holder)
    rows = QVBoxLayout(holder)
    rows.addWidget(Row(QLabel("x"), 1, QLabel("z")))
    rows.addWidget(QLabel("y"))
    beside_them = QLabel("in no layout", holder)
    clear(rows)
    assert rows.count() == 0
    assert holder.findChildren(QLabel) == [beside_them]


def test_parts_stand_beside_each_other_and_the_chosen_ones_share_the_room(qtbot):
    first, second, last = (label(text) for text in "abc")
    row = Row(first, second, 0, last, gap=4, grow=(1,))
    qtbot.addWidget(row)
    row.resize(300, 20)
    row.show()
    assert first.x() == 0
    assert second.x() == first.width() + 4
    assert last.geometry().right() == 299
    assert second.width() > 10 * first.width()


def test_rows_and_their_end_leave_no_python_object_of_an_item(qtbot):
    card, fold = Card("card", "Card"), Fold("more", "Details")
    qtbot.addWidget(card)
    fold.add(Row(label("x"), 1, label("y"), grow=(0,)))
    card.add(fold, Row(label("z")), label("w"))
    assert layout_items() == []
    clear(card.rows)
    assert layout_items() == []


def test_a_fold_shows_its_rows_when_asked_for(qtbot):
    made, inside = Fold("more", "Details"), label("how")
    made.add(inside)
    qtbot.addWidget(made)
    made.show()
    assert not inside.isVisible()
    assert made.link.text() == "Details ▸"
    made.link.click()
    assert made.is_open
    assert inside.isVisible()
    made.link.click()
    assert not inside.isVisible()


@pytest.mark.parametrize("kind", [WholeField, DecimalField])
def test_words_in_a_number_field_keep_off_its_edge(qtbot, kind):
    field = kind()
    qtbot.addWidget(field)
    assert field.lineEdit().textMargins().left() >= 6


def test_every_number_field_of_the_program_is_one_of_these():
    """The style sheet cannot set their margins, so none is made past ``controls``."""
    folder = Path(controls.__file__).parent
    plain = re.compile(r"\bQ(Double)?SpinBox\(\)")
    made = [path.name for path in folder.rglob("*.py") if plain.search(path.read_text("utf-8"))]
    assert made == []


def test_a_button_takes_no_more_room_than_there_is_and_its_tip_tells_what_is_cut(qtbot):
    made = ElidedButton("What the model saw, anomaly 1.0", "long", "Choose <this> map")
    qtbot.addWidget(made)
    made.resize(90, 24)
    made.show()
    assert made.text().endswith("…")
    assert made.accessibleName() == "What the model saw, anomaly 1.0"
    assert made.toolTip().startswith("<qt>What the model saw, anomaly 1.0<br>Choose &lt;this&gt;")
    made.resize(400, 24)
    assert made.text() == "What the model saw, anomaly 1.0"
    assert "What the model saw" not in made.toolTip()
