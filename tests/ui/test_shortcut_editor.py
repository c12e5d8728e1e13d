import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QComboBox, QDialog, QLabel, QLineEdit, QPushButton
from ui.fakes import drag, make_bench

from medview.services.settings import Settings
from medview.ui.actions import ACTIONS, action
from medview.ui.shortcuts import chosen_keys, entries, keys_in_force, taken_by


@pytest.fixture
def editor(head):
    head.press("Ctrl+F1")
    return head.find(QDialog, "shortcut_editor")


def give(bench, editor, command, key):
    editor.choose(command)
    editor.key.setKeySequence(QKeySequence(key))
    bench.find(QPushButton, "shortcut_assign").click()


def keys(bench, command):
    return [each.toString() for each in bench.window.table[command].shortcuts()]


def test_every_command_is_in_the_list(head, editor):
    tree = editor.tree
    menus = [tree.topLevelItem(n) for n in range(tree.topLevelItemCount())]
    texts = [menu.child(n).text(0) for menu in menus for n in range(menu.childCount())]
    assert sorted(texts) == sorted(each.text for each in ACTIONS)


def test_a_new_key_is_in_force_at_once_and_the_old_one_no_more(head, editor):
    give(head, editor, "image.invert", "Ctrl+J")
    editor.close()
    with pytest.raises(AssertionError, match="no action has the key I"):
        head.press("I")
    head.press("Ctrl+J")
    assert head.session.views["main"].inverted
    assert "(Ctrl+J)" in head.window.table["image.invert"].toolTip()


def test_a_key_that_is_taken_is_refused_by_name(head, editor):
    give(head, editor, "image.invert", "W")
    assert "“Window”" in editor.said.text()
    assert keys(head, "image.invert") == ["I"]
    assert head.app.preferences.settings.shortcuts == ()


def test_a_key_that_was_taken_away_is_free_for_another(head, editor):
    editor.choose("tool.window")
    head.find(QPushButton, "shortcut_clear").click()
    assert keys(head, "tool.window") == []
    give(head, editor, "image.invert", "W")
    assert keys(head, "image.invert") == ["W"]
    editor.choose("tool.window")
    head.find(QPushButton, "shortcut_back").click()
    assert "“Invert”" in editor.said.text()
    assert keys(head, "tool.window") == []


def test_changes_are_there_at_the_next_start_and_can_be_undone(head, editor, qtbot, tmp_path):
    give(head, editor, "image.invert", "Ctrl+J")
    box = head.find(QComboBox, "mouse_left")
    box.activated.emit(box.findData("scroll"))
    other = make_bench(tmp_path)
    qtbot.addWidget(other.window)
    assert keys(other, "image.invert") == ["Ctrl+J"]
    assert other.window.mouse.tool == "scroll"
    head.find(QPushButton, "shortcut_reset").click()
    assert keys(head, "image.invert") == ["I"]
    assert head.app.preferences.settings == Settings(recent=head.app.preferences.settings.recent)


def test_the_left_button_scrolls_when_it_is_told_to(head, editor):
    box = head.find(QComboBox, "mouse_left")
    box.activated.emit(box.findData("scroll"))
    editor.close()
    before = head.frame().slice
    drag(head.pane(), (200, 200), (0, 40))
    assert head.frame().slice > before


def test_f1_says_the_keys_that_are_in_force(head, editor):
    give(head, editor, "image.invert", "Ctrl+J")
    head.press("F1")
    dialog = head.find(QDialog, "shortcuts")
    said = [each.text() for each in dialog.findChildren(QLabel)]
    assert said[said.index("Invert") - 1] == "Ctrl+J"
    dialog.close()


def test_the_list_can_be_searched_by_command_and_key(head, editor):
    head.find(QLineEdit, "shortcut_search").setText("flip")
    tree = editor.tree
    shown = [
        menu.child(n).text(0)
        for menu in map(tree.topLevelItem, range(tree.topLevelItemCount()))
        for n in range(menu.childCount())
        if not menu.child(n).isHidden()
    ]
    assert shown == ["Flip sideways", "Flip upside down"]


def test_entries_come_back_whatever_key_it_is():
    chosen = {"image.fit": ("=", "Ctrl+Return"), "image.invert": ()}
    assert chosen_keys(Settings(shortcuts=entries(chosen))) == chosen
    assert chosen_keys(Settings(shortcuts=("nonsense",))) == {}


def test_two_ways_of_writing_a_key_are_one_key():
    fit = action("image.fit")
    in_force = keys_in_force(Settings(), ACTIONS)
    assert taken_by("Ctrl+Return", action("image.invert"), ACTIONS, in_force) is fit
    assert taken_by("ctrl+return", fit, ACTIONS, in_force) is None
    assert in_force[fit.id] == fit.keys
