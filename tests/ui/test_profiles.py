"""Keys and mouse like those of other programs, and the reader's own on top of them."""

from collections import Counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QComboBox, QDialog, QLabel
from ui.fakes import CONTROL, LEFT, MIDDLE, RIGHT, SHIFT, drag, type_key, wheel

from medview.services.settings import Settings
from medview.ui.actions import ACTIONS
from medview.ui.profiles import PROFILES
from medview.ui.shortcuts import keys_in_force, keys_lost, keys_that_came, same

_IDS = {each.id for each in ACTIONS}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda each: each.key)
def test_no_key_of_a_profile_means_two_things(profile):
    in_force = keys_in_force(Settings(profile=profile.key), ACTIONS)
    counted = Counter(same(key) for keys in in_force.values() for key in keys)
    assert [key for key, count in counted.items() if count > 1] == []
    assert [key for key in counted if QKeySequence(key).isEmpty()] == []


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda each: each.key)
def test_a_profile_names_commands_that_exist_and_says_only_what_differs(profile):
    assert set(profile.keys) <= _IDS
    own = {each.id: each.keys for each in ACTIONS}
    came = {each.id: keys_that_came(each, profile) for each in ACTIONS}
    assert [key for key in profile.keys if came[key] == own[key]] == []


# Read from the manuals of both; the middle column is what the key does there.
_THERE = {
    "weasis": {
        "Up": "go.previous_image", "Shift+Down": "go.on_10", "Left": "go.left",
        "PgUp": "go.first_series", "PgDown": "go.last_series", "Ctrl+Right": "go.next_study",
        "Ctrl+Up": "go.previous_patient", "Tab": "view.next_pane", "Alt+Left": "image.move_left",
        "Ctrl++": "image.zoom_in", "Ctrl+Return": "image.fit", "T": "tool.pan", "W": "tool.window",
        "S": "tool.scroll", "Z": "tool.zoom", "H": "tool.crosshair", "C": "cine.play",
        "D": "tool.length", "A": "tool.angle", "Y": "tool.polygon", "B": "tool.text",
        "Q": "view.menu", "Ctrl+Space": "tool.next", "Alt+R": "image.rotate_right",
        "Alt+L": "image.rotate_left", "Alt+F": "image.flip_h", "0": "window.preset_0",
        "1": "window.file", "3": "window.preset_5", "6": "window.preset_4",
        "7": "window.preset_2", "K": "image.key", "Space": "view.annotations",
        "I": "view.annotations", "Esc": "image.reset",
    },
    "ohif": {
        "Z": "tool.zoom", "+": "image.zoom_in", "-": "image.zoom_out", "=": "image.fit",
        "R": "image.rotate_right", "L": "image.rotate_left", "H": "image.flip_h",
        "V": "image.flip_v", "C": "cine.play", "I": "image.invert", "Right": "view.next_pane",
        "Left": "view.previous_pane", "PgUp": "go.previous_series", "PgDown": "go.next_series",
        "Down": "go.next_image", "Home": "go.first_image", "Space": "image.reset",
        "Esc": "edit.give_up", "1": "window.preset_1", "5": "window.preset_5",
        "Backspace": "edit.delete", "Ctrl+Z": "edit.undo", "Ctrl+Y": "edit.redo",
    },
}  # fmt: skip


@pytest.mark.parametrize("profile", _THERE)
def test_a_profile_has_the_keys_of_its_program(profile):
    in_force = keys_in_force(Settings(profile=profile), ACTIONS)
    meant = {same(key): each for each, keys in in_force.items() for key in keys}
    assert {key: meant.get(same(key)) for key in _THERE[profile]} == _THERE[profile]


def test_what_the_reader_has_changed_stands_on_top():
    settings = Settings(profile="ohif", shortcuts=("tool.length=R", "image.invert="))
    in_force = keys_in_force(settings, ACTIONS)
    assert in_force["tool.length"] == ("R",)
    assert in_force["image.invert"] == ()
    assert in_force["image.rotate_right"] == ("Alt+R",)
    assert [(each.id, key) for each, key in keys_lost(settings, ACTIONS)] == [
        ("image.rotate_right", "R")
    ]


@pytest.fixture
def like(head, qtbot):
    """Choose a profile in the editor, as a reader does."""

    def choose(key):
        head.press("Ctrl+F1")
        editor = head.find(QDialog, "shortcut_editor")
        box = head.find(QComboBox, "key_profile")
        box.setCurrentIndex(box.findData(key))
        box.activated.emit(box.currentIndex())
        said = editor.said.text()
        editor.close()
        head.window.activateWindow()
        qtbot.waitUntil(head.window.isActiveWindow)
        return said

    return choose


def test_a_profile_is_in_force_at_once_and_is_kept(head, like):
    assert like("ohif") == "These keys are in force now."
    pane = head.pane()
    pane.setFocus()
    type_key(pane, Qt.Key.Key_R)
    assert head.session.views["main"].rotate == 90
    type_key(pane, Qt.Key.Key_Plus)
    assert head.session.views["main"].zoom == pytest.approx(1.25)
    type_key(pane, Qt.Key.Key_Space)
    assert (head.session.views["main"].rotate, head.session.views["main"].zoom) == (0, 1.0)
    type_key(pane, Qt.Key.Key_Right)
    assert head.session.active_pane == "upper"
    assert head.app.preferences.settings.profile == "ohif"
    assert "(R or Alt+R)" in head.window.table["image.rotate_right"].toolTip()


def test_choosing_a_profile_tells_which_of_its_keys_are_the_readers_own(head, like):
    head.app.preferences.change(shortcuts=("tool.length=R",))
    assert "R (Rotate right)" in like("ohif")


def test_esc_like_ohif_gives_up_a_drawing_and_leaves_the_view(head, like):
    like("ohif")
    head.app.viewing.zoom("main", 2.0)
    head.window.use_tool("angle")
    drag(head.pane(), (200, 200), (40, 0))
    assert head.session.draft is not None
    head.press("Esc")
    assert head.session.draft is None
    assert head.session.views["main"].zoom == 2.0


def test_like_weasis_the_right_button_does_not_zoom_and_ctrl_is_faster(head, like):
    like("weasis")
    before = head.session.views["main"].zoom
    drag(head.pane(), (200, 300), (0, -60), RIGHT)
    assert head.session.views["main"].zoom == before
    drag(head.pane(), (200, 300), (0, -60), MIDDLE)
    assert head.session.views["main"].pan_mm[1] < 0
    start = head.app.viewing.window("main")
    drag(head.pane(), (200, 300), (20, 0))
    slow = head.app.viewing.window("main").width / start.width
    drag(head.pane(), (200, 300), (20, 0), LEFT, CONTROL)
    fast = head.app.viewing.window("main").width / (slow * start.width)
    assert fast == pytest.approx(slow**5)


def test_like_weasis_ctrl_and_wheel_scroll_further(head, like):
    like("weasis")
    here = head.frame().slice
    wheel(head.pane(), -1, CONTROL)
    assert head.frame().slice == here + 5
    wheel(head.pane(), 1, CONTROL | SHIFT)
    assert head.frame().slice == here - 5


def test_a_button_that_the_reader_chose_stands_on_top_of_the_profile(head, like):
    like("weasis")
    head.press("Ctrl+F1")
    box = head.find(QComboBox, "mouse_right")
    box.setCurrentIndex(box.findData("scroll"))
    box.activated.emit(box.currentIndex())
    here = head.frame().slice
    drag(head.pane(), (200, 200), (0, 40), RIGHT)
    assert head.frame().slice > here
    assert head.session.views["main"].zoom == 1.0
    head.find(QDialog, "shortcut_editor").close()


def test_f1_says_keys_and_mouse_of_the_profile(head, like):
    like("weasis")
    head.press("F1")
    said = [each.text() for each in head.find(QDialog, "shortcuts").findChildren(QLabel)]
    assert "Profile: Weasis-like" in said
    assert "Ctrl + wheel" in said
    assert said[said.index("Ctrl + wheel") + 1] == "Scroll five images"
    assert "Right drag" not in said
    head.find(QDialog, "shortcuts").close()
