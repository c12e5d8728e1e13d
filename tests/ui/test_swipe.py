"""Old and new version on the open slice: divider by mouse, blinking by key."""

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel
from ui.fakes import drag

from medview.domain.overlay import ScalarMap
from medview.domain.swipe import Side, Swipe


def side(volume, name, value, sha):
    array = np.full(volume.geometry.shape, value, np.float32)
    shown = ScalarMap("score", array, volume.geometry, range=(0.0, 18.0))
    return Side(name, sha, (shown,), value)


@pytest.fixture
def swiped(bench):
    """A head with two versions on its middle slice; nothing of the session's own maps."""
    bench.window.show_panel("training")
    volume = bench.show()
    middle = volume.geometry.shape[0] // 2
    swipe = Swipe(
        side(volume, "1.0", 4.0, "5f0c9f3e" * 8),
        side(volume, "epoch 3", 12.0, "c21a77d0" * 8),
        middle,
        0,
    )
    bench.session.swipe = (bench.session.volume_id, swipe)
    bench.settle()
    return bench


def colours(bench):
    """The tint at the left and at the right end of the middle row."""
    (tint,) = bench.frame().tints
    row = tint[tint.shape[0] // 2]
    return tuple(row[0]), tuple(row[-1])


def test_left_is_old_and_right_is_new_with_both_hashes(swiped):
    left, right = colours(swiped)
    assert left != right
    assert left[3] == right[3] > 0
    dress = swiped.pane().dress
    assert dress.sides == ("before · 1.0 · 5f0c9f3e · 4.0", "epoch 3 · c21a77d0 · 12.0")
    assert dress.divider == 0.5
    assert swiped.pane("upper").dress.sides == ("", "")


def test_the_panel_tells_both_figures_and_hashes(swiped):
    words = swiped.find(QLabel, "training_open").text()
    for part in ("4.0 (5f0c9f3e)", "epoch 3: 12.0 (c21a77d0)"):
        assert part in words


def test_the_divider_follows_the_mouse_and_the_window_stays(swiped):
    pane, before = swiped.pane(), swiped.session.views
    start = pane.divider_x()
    drag(pane, (start, pane.area.center().y()), (80, 30))
    swiped.settle()
    assert pane.divider_x() == pytest.approx(start + 80, abs=pane.px_per_mm() * 3)
    assert swiped.session.views["main"].window == before["main"].window
    drag(pane, (start, pane.area.center().y()), (40, 0))
    assert swiped.session.views["main"].window != before["main"].window


def test_beyond_the_edge_all_is_old_and_the_handle_stays_in_reach(swiped):
    pane = swiped.pane()
    drag(pane, (pane.divider_x(), 200), (3000, 0))
    swiped.settle()
    left, right = colours(swiped)
    assert left == right
    assert pane.divider_x() < pane.area.right()
    assert swiped.session.swiped.share == 1.0


def test_a_key_blinks_between_new_and_old(swiped):
    left, right = colours(swiped)
    swiped.press("Alt+B")
    assert colours(swiped) == (right, right)
    assert swiped.pane().dress.sides == ("epoch 3 · c21a77d0 · 12.0", "")
    assert swiped.pane().divider_x() is None
    swiped.press("Alt+B")
    assert colours(swiped) == (left, left)


def test_blinking_by_itself_ends_with_both(swiped):
    swiped.press("Shift+B")
    swiped.window.blink._on_turn()
    assert swiped.session.swiped.shown == "new"
    swiped.press("Shift+B")
    assert swiped.session.swiped.shown == "both"


def test_window_zoom_and_slice_are_left_alone_and_other_slices_show_no_divider(swiped):
    views = swiped.session.views
    swiped.press("Alt+B")
    assert swiped.session.views is views
    swiped.app.viewing.scroll("main", 1)
    swiped.settle()
    assert swiped.frame().tints == ()
    assert swiped.pane().divider_x() is None
    assert not swiped.pane().is_on_divider(100)
