"""The window in a language that does not exist: every text a third longer, and none cut."""

import re

import pytest
from PySide6.QtCore import QTranslator
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QLabel, QTabBar, QWidget
from ui.fakes import make_bench

from medview.ui import panels

_OPEN, _CLOSE = "⟦", "⟧"


class Longer(QTranslator):
    """Every text of the window in brackets, a third longer; {places} stay as they are."""

    def translate(self, context, source, disambiguation=None, n=-1):
        if context != "medview" or not source:
            return ""
        words = re.sub(r"\{[^}]*\}", "", source)
        return f"{_OPEN}{source}{'~' * max(1, round(len(words) * 0.33))}{_CLOSE}"

    def isEmpty(self):  # noqa: N802  # Qt's hook
        return False


@pytest.fixture
def abroad(qtbot, tmp_path):
    """The window with a head on screen, abroad, at the standard size."""
    translator = Longer()
    QApplication.instance().installTranslator(translator)
    made = make_bench(tmp_path)
    qtbot.addWidget(made.window)
    made.window.resize(1600, 1000)
    made.window.show()
    made.show()
    yield made
    QApplication.instance().removeTranslator(translator)


def is_cut(widget: QWidget) -> bool:
    """Whether a text has less room than it asks for."""
    if isinstance(widget, QLabel) and widget.wordWrap():
        return widget.height() + 1 < widget.heightForWidth(widget.width())
    return widget.width() + 1 < widget.sizeHint().width()


def test_what_has_too_little_room_is_found(qtbot):
    wide, tall = QLabel("a text of some length"), QLabel("a text of some length " * 9)
    tall.setWordWrap(True)
    for each in (wide, tall):
        qtbot.addWidget(each)
        each.resize(300, 400)
        assert not is_cut(each)
        each.resize(40, 20)
        assert is_cut(each)


def texts(bench):
    for kind in (QLabel, QAbstractButton):
        for each in bench.window.findChildren(kind):
            if each.isVisible() and each.text() and each.objectName() != "probe":
                yield each


PANELS = tuple(entry.key for entry in panels.PANELS)


@pytest.mark.parametrize("panel", PANELS)
def test_no_text_is_cut_where_every_text_is_a_third_longer(abroad, panel):
    abroad.window.show_panel(panel)
    abroad.settle()
    cut = [(type(e).__name__, e.objectName(), e.text()) for e in texts(abroad) if is_cut(e)]
    assert cut == []


def test_all_that_is_said_goes_through_the_translation(abroad):
    abroad.window.show_panel("layers")
    abroad.settle()
    table = abroad.window.table
    assert [key for key in table.actions if _OPEN not in table[key].text()] == []
    assert [key for key in table.actions if _OPEN not in table[key].toolTip()] == []
    bars = abroad.window.findChildren(QTabBar)
    assert all(_OPEN in bar.tabText(n) for bar in bars for n in range(bar.count()))
    buttons = [e for e in abroad.window.findChildren(QAbstractButton) if e.isVisible()]
    plain = [e.text() for e in buttons if len(e.text()) > 3 and _OPEN not in e.text()]
    assert [text for text in plain if not re.fullmatch(r"[\W\d]*", text)] == []
    boxes = abroad.window.findChildren(QCheckBox)
    assert all(_OPEN in box.text() for box in boxes if len(box.text()) > 3)
