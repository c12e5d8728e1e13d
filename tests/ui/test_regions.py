"""The keyboard goes round the regions of a window that are seen."""

import pytest
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from medview.ui.regions import focus_next


@pytest.fixture
def window(qtbot):
    window = QWidget()
    row = QHBoxLayout(window)
    window.fields = []
    for _ in range(3):
        region = QWidget()
        window.fields.append(QLineEdit(region))
        row.addWidget(region)
    qtbot.addWidget(window)
    window.show()
    return window


def focused(window, times):
    seen = []
    for _ in range(times):
        focus_next(window, *((field.parentWidget(), field) for field in window.fields))
        seen.append(window.fields.index(window.focusWidget()))
    return seen


def test_from_the_last_region_it_goes_to_the_first(window):
    window.fields[0].setFocus()
    assert focused(window, 4) == [1, 2, 0, 1]


def test_a_region_that_is_hidden_is_left_out(window):
    window.fields[0].setFocus()
    window.fields[1].parentWidget().hide()
    assert focused(window, 3) == [2, 0, 2]


def test_without_the_keyboard_in_any_it_begins_with_the_first(window):
    window.setFocus()
    window.fields[0].clearFocus()
    assert focused(window, 1) == [0]


def test_where_none_is_seen_nothing_happens(window):
    for field in window.fields:
        field.parentWidget().hide()
    focus_next(window, *((field.parentWidget(), field) for field in window.fields))
