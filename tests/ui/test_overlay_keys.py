"""Keys for overlays, windows and panes on the real window."""

from itertools import pairwise

import numpy as np
import pytest
from phantoms import geometry_of, phantom_on
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from ui.fakes import drag, key, two_findings, type_key, wheel

from medview.ui import action_table
from medview.ui.panels.findings import FindingsList

FIVE = ("score", "residual", "epistemic", "aleatoric", "total")


def seen(bench):
    """All that an overlay must leave alone."""
    views = bench.session.views
    return {k: (v.window, v.zoom, v.pan_mm, v.point_lps) for k, v in views.items()}


def test_adding_an_overlay_changes_neither_window_nor_zoom_nor_slice(head):
    drag(head.pane(), (200, 300), (60, -30))
    drag(head.pane(), (200, 300), (0, -40), Qt.MouseButton.RightButton)
    wheel(head.pane(), -3)
    before, grey = seen(head), head.frame().image.copy()
    head.add_result(*FIVE)
    assert seen(head) == before
    assert np.array_equal(head.frame().image, grey)
    assert head.frame().tints
    for _ in range(7):
        head.press("U")
    head.press("]")
    head.press("O")
    assert seen(head) == before
    assert np.array_equal(head.frame().image, grey)


def test_o_hides_the_maps_and_brings_them_back_as_they_were(head):
    head.add_result(*FIVE)
    tint = head.frame().tints[-1].copy()
    head.press("O")
    assert not head.session.overlay_on
    assert head.frame().tints == ()
    assert head.frame().colour_bar is None
    head.press("O")
    assert np.array_equal(head.frame().tints[-1], tint)


def test_holding_o_is_a_peek(head, monkeypatch):
    monkeypatch.setattr(action_table, "_HELD_MS", -1)
    head.add_result("score")
    pane = head.pane()
    pane.setFocus()
    QTest.keyPress(pane, Qt.Key.Key_O)
    assert not head.session.overlay_on
    QTest.keyRelease(pane, Qt.Key.Key_O)
    assert head.session.overlay_on


def test_a_short_press_of_o_is_a_switch(head, monkeypatch):
    monkeypatch.setattr(action_table, "_HELD_MS", 60_000)
    head.add_result("score")
    pane = head.pane()
    pane.setFocus()
    type_key(pane, Qt.Key.Key_O)
    assert not head.session.overlay_on


def test_a_held_key_that_repeats_does_not_end_the_peek(head):
    head.add_result("score")
    head.window.table["analysis.overlay"].trigger()
    key(head.pane(), Qt.Key.Key_O, kind=QEvent.Type.KeyRelease)
    assert not head.session.overlay_on


def test_brackets_change_opacity_by_tenths(head):
    head.add_result("score")
    before = head.session.style("score").opacity
    head.press("[")
    assert head.session.style("score").opacity == pytest.approx(before - 0.1)
    head.press("]")
    head.press("]")
    assert head.session.style("score").opacity == pytest.approx(before + 0.1)


def test_u_goes_round_the_five_maps_and_the_bar_says_which(head):
    head.add_result(*FIVE)
    titles = []
    for _ in range(5):
        titles.append(head.frame().colour_bar.title)
        head.press("U")
    assert len(set(titles)) == 5
    assert head.session.map_name == "score"


def test_n_goes_to_the_next_finding_and_list_and_slice_agree(head):
    found = two_findings(head.session.volume)
    head.add_result("score", findings=found)
    listed = head.window.findChild(FindingsList).tree
    for key_, which in (("N", 0), ("N", 1), ("N", 0), ("Shift+N", 1)):
        head.press(key_)
        assert head.frame().slice == found[which].slice
        assert [item.text(0) for item in listed.selectedItems()] == [str(found[which].id)]


@pytest.fixture
def ct(bench):
    grid = geometry_of("LPS", (60, 50, 40), (2.0, 2.0, 2.0))
    bench.show(phantom_on(grid, modality="CT", quantity="HU"))
    return bench


@pytest.mark.parametrize(
    ("key_", "width", "level"),
    [("5", 80, 40), ("4", 2500, 480), ("2", 1500, -600), ("1", 400, 40), ("9", 650, 160)],
)
def test_numbers_are_presets_on_ct(ct, key_, width, level):
    ct.press(key_)
    window = ct.frame().window
    assert (window.width, window.level) == (width, level)
    assert ct.frame().corners.bottom_left[0] == f"W {width}  L {level}".replace("-", "−")


def test_zero_is_automatic_and_backtick_is_the_file_again(ct):
    first = ct.frame().window
    ct.press("5")
    ct.press("`")
    assert ct.frame().window == first
    ct.press("0")
    assert ct.frame().window.label == "Automatic"


def test_there_is_no_hu_preset_on_mr(head):
    before = head.frame().window
    head.press("5")
    assert head.frame().window == before
    assert not head.window.table["window.preset_5"].isEnabled()
    head.press("1")
    assert head.frame().window.label == "1 % to 99 %"


def test_down_stops_at_the_last_image(ct):
    for key_, wanted in (("Down", 31), ("Shift+Down", 41), ("Home", 0), ("End", 59), ("Down", 59)):
        ct.press(key_)
        assert ct.frame().slice == wanted


def test_space_goes_round_the_corner_texts(head):
    assert len(head.window.grid.panes["main"].dress.corners.top_left) == 3
    head.press("Space")
    assert len(head.pane().dress.corners.top_left) == 1
    head.press("Space")
    assert head.frame().annotations == "none"
    assert head.frame().corners.bottom_right == ("research use only",)
    head.press("Space")
    assert head.frame().annotations == "all"


def test_a_mirror_turns_the_letters_too(head):
    labels = head.frame().labels
    head.press("H")
    assert (head.frame().labels.left, head.frame().labels.right) == (labels.right, labels.left)
    head.press("Esc")
    assert head.frame().labels == labels
    head.press("Alt+R")
    assert head.frame().labels.right == labels.top


def test_escape_fits_the_image_again(head):
    drag(head.pane(), (200, 300), (0, -60), Qt.MouseButton.RightButton)
    drag(head.pane(), (200, 300), (60, 20), Qt.MouseButton.MiddleButton)
    head.press("Esc")
    view = head.session.views["main"]
    assert (view.zoom, view.pan_mm, view.window) == (1.0, (0.0, 0.0), None)


def test_coming_back_to_a_series_finds_window_zoom_and_slice(head):
    first = head.session.series
    drag(head.pane(), (200, 300), (60, -30))
    wheel(head.pane(), -3)
    before = seen(head)
    head.show(uid="1.7")
    assert seen(head) != before
    head.app.library.show(first)
    head.settle()
    assert seen(head) == before


def test_resizing_the_window_changes_no_view(head):
    before = seen(head)
    head.window.resize(1000, 700)
    head.settle()
    assert seen(head) == before


def test_blinking_shows_and_hides_until_pressed_again(head, qtbot):
    head.add_result("score")
    head.window.blink._timer.setInterval(20)
    head.press("Shift+B")
    assert head.window.blink.is_on
    seen = [head.session.overlay_on]
    head.window.blink._timer.timeout.connect(lambda: seen.append(head.session.overlay_on))
    qtbot.waitUntil(lambda: len(seen) > 3)
    assert all(one is not other for one, other in pairwise(seen))
    qtbot.waitUntil(lambda: not head.session.overlay_on)
    head.press("Shift+B")
    assert head.session.overlay_on
    assert not head.window.blink.is_on
