"""The list of rules that fit a study."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from ui.fakes import key
from ui.test_hanging_actions import CHEST, LIST

from medview.ui.hanging_dialog import HangingDialog, layout_words


@pytest.fixture
def desk(bench):
    bench.session.catalogue = LIST
    bench.app.library.show(CHEST)
    bench.read()
    return bench


def listed(desk):
    """The dialog and its rows."""
    desk.window.table["hanging.choose"].trigger()
    made = desk.find(HangingDialog, "hangings")
    made.activateWindow()
    desk.settle()
    tree = made.list
    items = [tree.topLevelItem(n) for n in range(tree.topLevelItemCount())]
    return made, [tuple(item.text(n) for n in range(3)) for item in items]


def test_rules_that_fit_are_listed_with_layout_and_origin(desk):
    made, rows = listed(desk)
    assert rows[0] == ("CT beside the earlier one", "1 × 2", "medview")
    assert ("Three planes", "three planes", "medview") in rows
    assert made.chosen.name == "CT beside the earlier one"
    assert not desk.find(QPushButton, "hangings_delete").isEnabled()


def test_the_keyboard_alone_hangs_the_study_by_another_rule(desk):
    made, rows = listed(desk)
    place = [row[0] for row in rows].index("One series")
    for _ in range(place):
        key(made.list, Qt.Key.Key_Down)
    assert made.chosen.name == "One series"
    key(made.list, Qt.Key.Key_Return)
    desk.read()
    assert desk.session.layout == "1x1"
    assert "One series" in desk.window.notes.texts()[0]
    assert not any(each.isVisible() for each in desk.window.findChildren(HangingDialog))


def test_only_a_rule_of_ones_own_can_be_deleted(desk):
    desk.app.hanging.keep(desk.app.hanging.arrangement("Mine"))
    made, rows = listed(desk)
    assert rows[0] == ("Mine", "1 × 2", "your own")
    made.list.setCurrentItem(made.list.topLevelItem(0))
    delete = desk.find(QPushButton, "hangings_delete")
    assert delete.isEnabled()
    delete.click()
    assert desk.app.hanging.own.names == ()
    assert made.list.topLevelItemCount() == len(rows) - 1
    assert not delete.isEnabled()
    made.close()


def test_closing_leaves_the_study_as_it_hangs(desk):
    listed(desk)
    before = desk.session.views
    desk.find(QPushButton, "hangings_close").click()
    assert desk.session.views is before
    assert layout_words("mpr") == "three planes"
    assert not any(each.isVisible() for each in desk.window.findChildren(HangingDialog))
