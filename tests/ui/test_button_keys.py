"""Buttons are pressed by the keyboard while an image is open, whose shortcuts are the same keys."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QPushButton, QToolButton
from ui.fakes import CONTROL, type_key


def press(button, which, modifiers=Qt.KeyboardModifier.NoModifier):
    button.setFocus()
    assert QApplication.focusWidget() is button
    type_key(button, which, modifiers)


@pytest.mark.parametrize("which", [Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_space_and_return_press_a_button_and_leave_the_corner_texts(head, which):
    head.window.show_panel("results")
    before = head.session.views["main"].annotations
    press(head.find(QPushButton, "analysis_more"), which)
    assert head.find(QPushButton, "analysis_more").text() == "Fewer options"
    press(head.find(QToolButton, "bar_tool.pan"), which)
    assert head.window.mouse.tool == "pan"
    assert head.session.views["main"].annotations == before


def test_space_ticks_a_box(head):
    head.add_result("score")
    head.window.show_panel("layers")
    shown = head.session.overlay_on
    press(head.find(QCheckBox, "layers_overlay"), Qt.Key.Key_Space)
    assert head.session.overlay_on is not shown


def test_arrows_choose_among_buttons_of_which_one_is_on(head):
    head.add_result("score", "epistemic")
    head.window.show_panel("results")
    point = head.session.views["main"].point_lps
    press(head.find(QPushButton, "results_maps_score"), Qt.Key.Key_Right)
    assert QApplication.focusWidget().objectName() == "results_maps_epistemic"
    press(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert head.session.map_name == "epistemic"
    assert head.session.views["main"].point_lps == point


def test_on_any_other_button_arrows_and_chords_stay_those_of_the_images(head):
    head.window.show_panel("results")
    other = head.find(QPushButton, "analysis_more")
    point = head.session.views["main"].point_lps
    press(other, Qt.Key.Key_Down)
    assert head.session.views["main"].point_lps != point
    head.press("Ctrl++")
    press(other, Qt.Key.Key_Return, CONTROL)
    assert head.session.views["main"].zoom == 1.0
    assert other.text() == "Options"


def test_without_the_keyboard_on_a_button_the_keys_mean_what_they_did(head):
    before = head.session.views["main"].annotations
    head.pane().setFocus()
    type_key(head.pane(), Qt.Key.Key_Space)
    assert head.session.views["main"].annotations != before
