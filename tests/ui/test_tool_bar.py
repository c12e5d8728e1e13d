"""The bar of buttons in the style of the program."""

import pytest
from PySide6.QtWidgets import QApplication, QToolButton

from medview.ui import theme
from medview.ui.tool_bar import ToolBar


@pytest.fixture
def dressed(bench):
    app = QApplication.instance()
    before = app.styleSheet()
    theme.apply(app, theme.DARK)
    app.processEvents()
    yield bench.window.findChild(ToolBar)
    app.setStyleSheet(before)


def test_no_button_is_lower_than_its_words_and_icon_need(dressed):
    shown = [each for each in dressed.findChildren(QToolButton) if each.isVisible()]
    assert len(shown) > 8
    for each in shown:
        assert each.height() >= each.sizeHint().height(), each.objectName()


def test_buttons_stand_in_the_middle_of_the_bar(dressed):
    for each in dressed.findChildren(QToolButton):
        if each.isVisible():
            assert abs(each.geometry().center().y() - dressed.rect().center().y()) <= 1
