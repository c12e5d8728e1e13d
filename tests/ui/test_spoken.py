"""What a screen reader says of the window: of panes what they show, of every control its name."""

from dataclasses import replace

import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QWidget,
)
from ui.fakes import two_findings, wheel

from medview.ui import panels
from medview.ui.controls import button
from medview.ui.dress import Dress
from medview.ui.spoken import pane_words

CONTROLS = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)


def described(widget):
    """What a screen reader adds to the name of a widget."""
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Description)


def name_of(widget):
    """What a screen reader calls it; of a list of choices Qt says the choice on this system."""
    if isinstance(widget, QComboBox):
        return widget.accessibleName()
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)


def unnamed(part):
    """Controls that are seen and have no name in words, whether or not the Tab key reaches them."""
    for each in part.findChildren(QWidget):
        inner = each.objectName().startswith("qt_") or isinstance(each, QScrollBar)
        if not isinstance(each, CONTROLS) or not each.isVisible() or inner:
            continue
        if sum(letter.isalpha() for letter in name_of(each)) < 2:
            yield type(each).__name__, each.objectName(), name_of(each)


def test_every_pane_says_what_it_shows(head):
    head.add_result("score", "epistemic")
    panes = head.window.grid.visible_panes
    assert len(panes) == 3
    said = {pane.accessibleName(): described(pane) for pane in panes}
    axial, coronal, sagittal = said.values()
    frame = head.frame()
    assert axial.startswith("A, B, F")
    for part in (f"Im {frame.slice + 1} / {frame.slices}", "R on the left", "A on top", "Score"):
        assert part in axial
    assert axial.endswith("research use only")
    assert coronal.startswith("Coronal · ")
    assert "H on top" in coronal
    assert sagittal.startswith("Sagittal · ")


def test_what_a_pane_says_follows_the_slice_and_keeps_secrets(head):
    pane = head.pane()
    before = described(pane)
    wheel(pane, -1)
    after = head.frame()
    assert described(pane) != before
    assert f"Im {after.slice + 1} / {after.slices}" in described(pane)
    head.session.private = True
    head.settle()
    assert "A, B" not in described(pane)


def test_the_keyboard_goes_with_the_active_pane(head):
    head.window.activateWindow()
    head.pane().setFocus()
    head.press("Tab")
    assert head.session.active_pane == "upper"
    assert head.pane("upper").hasFocus()
    assert head.pane("upper").accessibleName() == "Upper pane"
    # Whoever is typing elsewhere is not taken away from it.
    head.window.find_study()
    head.session.active_pane = "lower"
    assert head.window.studies.find_box.hasFocus()


def test_a_pane_without_texts_still_says_the_slice(head):
    head.session.views = {
        key: replace(view, annotations="none") for key, view in head.session.views.items()
    }
    frame = head.frame()
    assert f"Im {frame.slice + 1} / {frame.slices}" in described(head.pane())


def test_an_empty_pane_says_what_to_do(bench):
    assert described(bench.pane()) == "Drop a folder here, or press Ctrl+O"
    assert pane_words(None, Dress(note="Reading …")) == "Reading …"


@pytest.mark.parametrize("layout", ["mpr", "2x2"])
def test_all_controls_of_the_window_have_names_in_words(head, layout):
    head.add_result("score", "epistemic", findings=two_findings(head.session.volume))
    head.app.arranging.use(layout)
    head.window.toggle_preview()
    head.window.toggle_volume()
    pane = head.pane()
    head.app.measuring.set_key(head.app.measuring.key_image(pane.key), on=True)
    head.window.notes.show_note("Something", stays=True)
    found = {}
    for entry in panels.PANELS:
        head.window.show_panel(entry.key)
        head.settle()
        found[entry.key] = list(unnamed(head.window))
    assert found == {entry.key: [] for entry in panels.PANELS}


def test_sliders_say_the_value_that_is_seen_and_ends_of_a_range_differ(head):
    head.add_result("score")
    slider = head.find(QAbstractSlider, "results_opacity")
    slider.setValue(slider.maximum() // 2)
    assert described(slider) == "50 %"
    ends = [head.find(QAbstractSpinBox, f"results_range_{end}") for end in ("low", "high")]
    assert [name_of(each) for each in ends] == [
        "Display range, low end",
        "Display range, high end",
    ]


def test_a_sign_on_a_button_is_called_by_what_it_does(qtbot):
    holder = QWidget()
    qtbot.addWidget(holder)
    for made in (button("×", "away", tip="Take it away"), button("Fit", "fit", tip="As wide")):
        made.setParent(holder)
    holder.show()
    assert [each.accessibleName() for each in holder.findChildren(QAbstractButton)] == [
        "Take it away",
        "Fit",
    ]
    nameless = button("×", "bare")
    nameless.setParent(holder)
    nameless.show()
    assert [found[1] for found in unnamed(holder)] == ["bare"]


def test_arrows_of_maps_say_which_map(head):
    head.add_result("score", "epistemic")
    head.window.show_panel("layers")
    head.settle()
    up = [
        each.accessibleName()
        for each in head.window.findChildren(QAbstractButton)
        if each.objectName().endswith("_up") and each.isVisible()
    ]
    assert len(set(up)) == len(up) >= 2
    assert all(words.startswith("Draw ") for words in up)
