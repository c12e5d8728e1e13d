"""Finding a command by typing."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog
from ui.fakes import type_key

from medview.ui.actions import ACTIONS
from medview.ui.palette import SELF


@pytest.fixture
def find(head):
    def typed(text):
        head.press("Ctrl+K")
        made = head.find(QDialog, "palette")
        QTest.keyClicks(made.field, text)
        return made

    yield typed
    for left in head.window.findChildren(QDialog, "palette"):
        left.close()


def texts(palette, column=0):
    rows = range(palette.list.topLevelItemCount())
    return [palette.list.topLevelItem(row).text(column) for row in rows]


def test_without_a_word_every_command_is_there(find):
    assert sorted(texts(find(""))) == sorted(each.text for each in ACTIONS if each.id != SELF)


def test_what_begins_so_comes_first_and_return_uses_it(head, find):
    palette = find("inv")
    assert texts(palette)[0] == "Invert"
    assert texts(palette, 2)[0] == "I"
    type_key(palette.field, Qt.Key.Key_Return)
    assert head.session.views["main"].inverted
    assert head.app.preferences.settings.used == ("image.invert",)


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("upside", "Flip upside down"),
        ("lines ref", "Reference lines"),
        ("Ctrl+G", "Go to slice …"),
        ("bone", "Window preset 4 (CT: bone)"),
        ("brightest", "Maximum (MIP)"),
    ],
)
def test_words_in_any_order_keys_and_tips_find_it(find, typed, wanted):
    assert texts(find(typed))[0] == wanted


def test_what_was_used_last_comes_first(head, find):
    head.app.preferences.change(used=("image.flip_v", "gone.since", "image.invert"))
    assert texts(find(""))[:2] == ["Flip upside down", "Invert"]


def test_arrows_choose_and_the_ends_meet(find):
    palette = find("flip")
    type_key(palette.field, Qt.Key.Key_Down)
    assert palette.list.currentItem().text(0) == texts(palette)[1]
    type_key(palette.field, Qt.Key.Key_Down)
    type_key(palette.field, Qt.Key.Key_Up)
    type_key(palette.field, Qt.Key.Key_Up)
    type_key(palette.field, Qt.Key.Key_Up)
    assert palette.list.currentItem().text(0) == texts(palette)[-1]


def test_one_that_is_not_possible_says_why_and_nothing_happens(head, find):
    palette = find("next map")
    assert texts(palette, 1)[0] == "There is no map: run a model first."
    assert palette.said.text() == "There is no map: run a model first."
    type_key(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()
    assert head.app.preferences.settings.used == ()
    assert "not possible now" in palette.field.accessibleDescription()


def test_nonsense_finds_nothing_and_says_so(find):
    palette = find("qqqq")
    assert texts(palette) == []
    assert palette.said.text() == "No command has these words."
    type_key(palette.field, Qt.Key.Key_Down)
    type_key(palette.field, Qt.Key.Key_Return)


def test_esc_goes_back_and_leaves_the_image_alone(head, find):
    head.app.viewing.zoom("main", 2.0)
    palette = find("")
    type_key(palette.field, Qt.Key.Key_Escape)
    QApplication.processEvents()
    assert head.window.findChild(QDialog, "palette") is None or not palette.isVisible()
    assert head.session.views["main"].zoom == 2.0


def test_a_command_that_is_on_says_so(find):
    palette = find("three planes")
    assert texts(palette, 1)[0] == "on"
