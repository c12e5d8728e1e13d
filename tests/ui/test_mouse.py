import numpy as np
import pytest
from phantoms import geometry_of, phantom_on
from PySide6.QtCore import QEvent, Qt
from ui.fakes import (
    CONTROL,
    LEFT,
    MIDDLE,
    RIGHT,
    SHIFT,
    double_click,
    drag,
    hover,
    mouse,
    wheel,
)

from medview.ui.bars import strip_area


@pytest.fixture
def ct(bench):
    """Sixty slices of CT, at image 31."""
    bench.show(
        phantom_on(geometry_of("LPS", (60, 50, 40), (2.0, 2.0, 2.0)), modality="CT", quantity="HU")
    )
    return bench


def image_number(bench):
    return bench.frame().corners.top_right[0]


def test_a_notch_down_goes_to_the_next_image(ct):
    assert image_number(ct) == "Im 31 / 60"
    wheel(ct.pane(), -1)
    assert image_number(ct) == "Im 32 / 60"
    wheel(ct.pane(), 1)
    wheel(ct.pane(), 1)
    assert image_number(ct) == "Im 30 / 60"


def test_parts_of_a_notch_add_up(ct):
    for _ in range(4):
        wheel(ct.pane(), -0.25)
    assert image_number(ct) == "Im 32 / 60"


def test_the_wheel_in_another_pane_scrolls_that_plane(ct):
    before = ct.frame("upper").slice
    wheel(ct.pane("upper"), -1)
    assert abs(ct.frame("upper").slice - before) == 1
    assert image_number(ct) == "Im 31 / 60"
    assert ct.session.active_pane == "upper"


def test_dragging_right_widens_the_window_and_up_lowers_the_level(ct):
    window = ct.app.viewing.window("main")
    drag(ct.pane(), (200, 300), (100, 0))
    wider = ct.app.viewing.window("main")
    assert wider.width > window.width * 1.2
    assert wider.level == pytest.approx(window.level)
    drag(ct.pane(), (200, 300), (0, -80))
    brighter = ct.app.viewing.window("main")
    assert brighter.level < wider.level
    assert brighter.width == pytest.approx(wider.width)


def test_the_left_button_does_what_the_chosen_tool_does(ct):
    ct.window.use_tool("pan")
    window = ct.app.viewing.window("main")
    drag(ct.pane(), (200, 300), (30, 12))
    assert ct.app.viewing.window("main") == window
    right, down = ct.session.views["main"].pan_mm
    px = ct.pane().px_per_mm()
    assert (right * px, down * px) == pytest.approx((30, 12), abs=0.01)


def test_the_right_button_zooms_and_what_was_pressed_stays(ct):
    ct.settle()
    pane, at = ct.pane(), (120.0, 400.0)
    under = pane.to_lps(*at)
    drag(pane, at, (0, -90), RIGHT)
    ct.settle()
    assert ct.session.views["main"].zoom == pytest.approx(np.exp(0.5), rel=1e-6)
    assert pane.to_lps(*at) == pytest.approx(under, abs=1e-6)


@pytest.mark.parametrize(("button", "modifiers"), [(MIDDLE, None), (LEFT, SHIFT)])
def test_the_middle_button_and_shift_left_move_the_image(ct, button, modifiers):
    pane = ct.pane()
    under = pane.to_lps(100, 100)
    drag(pane, (100, 100), (40, -25), button, modifiers or Qt.KeyboardModifier.NoModifier)
    ct.settle()
    assert pane.to_lps(140, 75) == pytest.approx(under, abs=1e-6)


def test_ctrl_wheel_zooms_about_the_pixel_under_the_mouse(ct):
    ct.settle()
    pane, at = ct.pane(), (333.0, 222.0)
    under = pane.to_pixel(*at)
    wheel(pane, 3, CONTROL, at)
    ct.settle()
    assert ct.session.views["main"].zoom == pytest.approx(1.15**3)
    assert pane.to_pixel(*at) == pytest.approx(under, abs=1e-6)
    assert image_number(ct) == "Im 31 / 60"


def test_a_right_click_opens_the_menu_and_a_drag_does_not(ct, monkeypatch):
    asked = []
    ct.window.mouse.menu_wanted = asked.append
    drag(ct.pane(), (100, 100), (2, 1), RIGHT)
    assert len(asked) == 1
    assert ct.session.views["main"].zoom == 1.0
    drag(ct.pane(), (100, 100), (0, 30), RIGHT)
    assert len(asked) == 1
    assert ct.session.views["main"].zoom < 1.0


def test_a_double_click_lets_one_pane_fill_the_room_and_back(ct):
    double_click(ct.pane("upper"))
    ct.settle()
    assert [pane.key for pane in ct.window.grid.visible_panes] == ["upper"]
    assert not ct.pane("main").isVisible()
    double_click(ct.pane("upper"))
    ct.settle()
    assert len(ct.window.grid.visible_panes) == 3
    assert ct.pane("main").isVisible()


def test_shift_and_move_puts_the_crosshair_there_in_all_planes(ct):
    ct.settle()
    pane = ct.pane()
    wanted = pane.to_lps(180, 260)
    hover(pane, (180, 260), SHIFT)
    ct.settle()
    points = {key: view.point_lps for key, view in ct.session.views.items()}
    assert set(points) == {"main", "upper", "lower"}
    for point in points.values():
        assert point == pytest.approx(wanted, abs=1e-6)
    at = pane.pixel_of(*ct.frame().cursor)
    assert (at.x(), at.y()) == pytest.approx((180, 260), abs=1.0)


def test_moving_without_shift_leaves_the_crosshair_alone(ct):
    before = ct.session.views
    hover(ct.pane(), (180, 260))
    assert ct.session.views is before


def test_a_box_with_ctrl_sets_the_window_of_what_is_inside(ct):
    pane, frame = ct.pane(), ct.frame()
    array = ct.session.volume.array[frame.slice]
    outside = (array == 0).sum(axis=1)
    row = int(np.flatnonzero(outside[array.shape[0] // 2 :] > 8)[0]) + array.shape[0] // 2
    edge = int(np.flatnonzero(array[row] == 300)[0])
    at = pane.pixel_of(edge, row)
    step = pane.pixel_of(edge + 1, row).x() - at.x()
    drag(pane, (at.x() - 3 * step, at.y() - 2 * step), (6 * step, 4 * step), LEFT, CONTROL)
    window = ct.app.viewing.window("main")
    assert (window.label, window.width, window.level) == ("Box", 300, 150)


def test_a_tiny_box_is_a_click_and_changes_nothing(ct):
    before = ct.app.viewing.window("main")
    drag(ct.pane(), (200, 300), (3, 2), LEFT, CONTROL)
    assert ct.app.viewing.window("main") == before


def test_escape_in_the_middle_of_a_drag_ends_it(ct):
    pane = ct.pane()
    mouse(pane, QEvent.Type.MouseButtonPress, (100, 100), LEFT, LEFT)
    ct.press("Esc")
    window = ct.app.viewing.window("main")
    mouse(pane, QEvent.Type.MouseMove, (200, 100), Qt.MouseButton.NoButton, LEFT)
    assert ct.app.viewing.window("main") == window


def test_the_score_strip_jumps_to_the_slice_under_the_mouse(ct):
    ct.add_result("score")
    frame = ct.frame()
    assert len(frame.strip) == 60
    pane = ct.pane()
    box = strip_area(pane.area, 60)
    drag(pane, (box.left() + box.width() * 0.25 + 0.5, box.center().y()), (0, 0))
    assert ct.frame().slice == 15
    drag(pane, (box.left() + 1, box.center().y()), (box.width() + 200, 60))
    assert ct.frame().slice == 59


def test_the_probe_shows_values_while_the_button_is_down(ct):
    ct.window.use_tool("probe")
    pane = ct.pane()
    mouse(pane, QEvent.Type.MouseButtonPress, (240, 300), LEFT, LEFT)
    assert any("HU" in line for line in pane.reading)
    mouse(pane, QEvent.Type.MouseButtonRelease, (240, 300), LEFT, Qt.MouseButton.NoButton)
    assert pane.reading == ()
