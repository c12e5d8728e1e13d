from collections import Counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu, QPlainTextEdit
from ui.fakes import type_key

from medview.domain.resources import resource
from medview.ui.actions import ACTIONS, BAR_LEFT, BAR_RIGHT, CONTEXT, action
from medview.ui.tools import TOOLS


def test_ids_are_unique():
    assert [key for key, count in Counter(each.id for each in ACTIONS).items() if count > 1] == []


def test_no_key_means_two_things():
    keys = Counter(QKeySequence(key).toString() for each in ACTIONS for key in each.keys)
    assert [key for key, count in keys.items() if count > 1] == []


def test_every_key_is_one_that_qt_knows():
    assert [key for each in ACTIONS for key in each.keys if QKeySequence(key).isEmpty()] == []


@pytest.mark.parametrize("each", ACTIONS, ids=lambda each: each.id)
def test_every_action_has_a_text_a_tip_a_menu_and_its_icon(each):
    assert each.text
    assert each.tip
    assert each.menu
    assert not each.icon or resource("icons", f"{each.icon}.svg").is_file()


def test_tool_bar_and_context_menu_name_actions_that_exist():
    for key in (*BAR_LEFT, *BAR_RIGHT, *CONTEXT):
        if key and "/" not in key:
            assert action(key).id == key


def test_the_keys_of_radiologists_are_there():
    meant = {key: each.id for each in ACTIONS for key in each.keys}
    wanted = {
        "Up": "go.previous_image",
        "Down": "go.next_image",
        "Shift+Up": "go.back_10",
        "Shift+Down": "go.on_10",
        "Home": "go.first_image",
        "End": "go.last_image",
        "PgUp": "go.previous_series",
        "PgDown": "go.next_series",
        "Tab": "view.next_pane",
        "0": "window.preset_0",
        "5": "window.preset_5",
        "`": "window.file",
        "W": "tool.window",
        "Z": "tool.zoom",
        "T": "tool.pan",
        "S": "tool.scroll",
        "K": "image.key",
        "C": "cine.play",
        "Ctrl+Alt+B": "slab.cycle",
        "I": "image.invert",
        "Space": "view.annotations",
        "H": "image.flip_h",
        "V": "image.flip_v",
        "Alt+R": "image.rotate_right",
        "Alt+L": "image.rotate_left",
        "X": "view.crosshair",
        "O": "analysis.overlay",
        "[": "analysis.less_opaque",
        "]": "analysis.more_opaque",
        "U": "analysis.next_map",
        "N": "go.next_finding",
        "Shift+N": "go.previous_finding",
        "Esc": "image.reset",
        "=": "image.fit",
        "Ctrl+O": "file.open_folder",
        "Ctrl+P": "file.export_report",
        "Ctrl+G": "go.slice",
        "F1": "help.shortcuts",
        "F11": "view.full_screen",
    }
    assert {key: meant.get(key) for key in wanted} == wanted


_ASKS = {
    "file.open_folder",
    "file.open_file",
    "file.export_report",
    "go.slice",
    "file.quit",
    "hanging.file",
}


_SAFE = tuple(each for each in ACTIONS if each.id not in _ASKS)


@pytest.mark.parametrize("menu", sorted({each.menu.split("/")[0] for each in _SAFE}))
def test_every_action_survives_an_empty_session(bench, menu):
    for each in (one for one in _SAFE if one.menu.split("/")[0] == menu):
        try:
            each.enabled(bench.app)
            if each.checked is not None:
                each.checked(bench.app)
            each.run(bench.app)
            bench.settle()
        except Exception as error:
            error.add_note(f"in the action {each.id}")
            raise
        assert bench.session.volume is None, each.id


def test_without_an_image_what_needs_one_is_grey(bench):
    table = bench.window.table
    assert not table["image.invert"].isEnabled()
    assert not table["analysis.overlay"].isEnabled()
    assert not table["analysis.run"].isEnabled()
    assert table["file.open_folder"].isEnabled()
    bench.show()
    assert table["image.invert"].isEnabled()
    assert table["analysis.run"].isEnabled()
    assert not table["analysis.overlay"].isEnabled()
    bench.add_result("score")
    assert table["analysis.overlay"].isEnabled()
    assert table["analysis.overlay"].isChecked()


def test_menus_hold_every_action(bench):
    shown = set()

    def walk(menu):
        for each in menu.actions():
            shown.add(each.objectName())
            if each.menu() is not None:
                walk(each.menu())

    walk(bench.window.menuBar())
    assert {each.id for each in ACTIONS} <= shown
    assert bench.window.findChild(QMenu, "menu_recent") is not None


def test_tips_name_the_key(bench):
    assert "(I)" in bench.window.table["image.invert"].toolTip()
    assert "(Ctrl+O)" in bench.window.table["file.open_folder"].toolTip()


def test_every_tool_can_be_chosen_and_shows_it(bench):
    for tool in TOOLS:
        bench.window.table[f"tool.{tool.id}"].trigger()
        on = [t.id for t in TOOLS if bench.window.table[f"tool.{t.id}"].isChecked()]
        assert on == [tool.id]


def test_typed_keys_reach_the_image(head):
    pane = head.pane()
    pane.setFocus()
    before = head.frame().slice
    type_key(pane, Qt.Key.Key_Down)
    assert head.frame().slice == before + 1
    type_key(pane, Qt.Key.Key_I)
    assert head.session.views["main"].inverted
    type_key(pane, Qt.Key.Key_End)
    assert head.frame().slice == head.frame().slices - 1
    type_key(pane, Qt.Key.Key_Tab)
    assert head.session.active_pane == "upper"


def test_arrows_in_the_list_move_in_the_list(head):
    head.show(uid="1.9")
    tree = head.window.studies.tree
    tree.setFocus()
    before = head.frame().slice
    type_key(tree, Qt.Key.Key_Up)
    assert head.frame().slice == before


def test_letters_typed_into_the_report_stay_there(head):
    head.window.show_panel("report")
    field = head.find(QPlainTextEdit, "report_findings")
    field.setFocus()
    for letter in (Qt.Key.Key_I, Qt.Key.Key_O, Qt.Key.Key_X):
        type_key(field, letter)
    assert field.toPlainText() == "iox"
    assert not head.session.views["main"].inverted
    assert head.app.reading.words.findings == "iox"
