import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from medview.ui import inputs
from medview.ui.inputs import DecimalField, RangeRow, Segments, SliderRow, WholeField


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


@pytest.mark.parametrize("field", [WholeField, DecimalField])
@pytest.mark.parametrize("keys", [(), (Qt.Key.Key_Backspace,), (Qt.Key.Key_Delete,)])
def test_a_number_is_typed_where_words_stand_for_none(qtbot, field, keys):
    made = field()
    qtbot.addWidget(made)
    made.setSpecialValueText("not given")
    made.show()
    # Between the words, where a click puts the cursor.
    made.lineEdit().setCursorPosition(4)
    for key in keys:
        qtbot.keyClick(made, key)
    qtbot.keyClicks(made, "82")
    assert made.value() == 82
    # Within a number keys do what they do elsewhere.
    made.lineEdit().setCursorPosition(0)
    qtbot.keyClick(made, Qt.Key.Key_Delete)
    assert made.value() == 2


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


@pytest.mark.parametrize("kind", [WholeField, DecimalField])
def test_words_in_a_number_field_keep_off_its_edge(qtbot, kind):
    field = kind()
    qtbot.addWidget(field)
    assert field.lineEdit().textMargins().left() >= 6


def test_every_number_field_of_the_program_is_one_of_these():
    """The style sheet cannot set their margins, so none is made past ``inputs``."""
    folder = Path(inputs.__file__).parent
    plain = re.compile(r"\bQ(Double)?SpinBox\(\)")
    made = [path.name for path in folder.rglob("*.py") if plain.search(path.read_text("utf-8"))]
    assert made == []
