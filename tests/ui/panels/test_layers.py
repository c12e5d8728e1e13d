from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of, phantom_on
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QDoubleSpinBox, QPushButton

from medview.domain.overlay import LayerStyle
from medview.domain.volume import Window
from medview.ui.panels.layer_rows import Grip, LayerRow

ROW_STOPS = ("_shown", "", "_up", "_down")


def test_every_map_is_listed_and_pressing_one_draws_it(head):
    head.window.show_panel("layers")
    head.add_result("score", "total", "seen")
    head.find(QPushButton, "layer_total").click()
    assert head.session.map_name == "total"
    assert head.find(QPushButton, "layer_total").isChecked()
    assert not head.find(QPushButton, "layer_score").isChecked()


def drawn(bench):
    return [layer.map.name for layer in bench.session.layers if layer.style.visible]


def test_several_maps_are_drawn_in_the_order_of_the_list(head):
    head.window.show_panel("layers")
    head.add_result("score", "total", "seen")
    head.find(QCheckBox, "layer_total_shown").click()
    assert drawn(head) == ["total", "score"]
    frame = head.frame()
    assert len(frame.tints) == 2
    assert [bar.title for bar in frame.colour_bars] == ["score", "total"]
    head.find(QPushButton, "layer_score_down").click()
    assert drawn(head) == ["total", "score"]
    head.find(QPushButton, "layer_total_up").click()
    assert drawn(head) == ["score", "total"]
    turned = head.frame()
    assert np.array_equal(turned.tints[1], frame.tints[0])
    assert np.array_equal(turned.tints[0], frame.tints[1])
    assert [bar.title for bar in turned.colour_bars] == ["total", "score"]
    corner = head.pane().dress.corners.bottom_right
    assert corner == ("Total · Anomaly 1.0, 1 more", "research use only")
    assert not head.find(QPushButton, "layer_seen_up").isEnabled()
    assert not head.find(QPushButton, "layer_score_down").isEnabled()


def test_the_keyboard_goes_down_the_list_before_it_goes_to_the_chosen_map(head):
    head.window.show_panel("layers")
    head.add_result("score", "total")
    head.find(QPushButton, "layer_total_up").click()
    head.settle()
    here, way = head.find(QCheckBox, "layers_overlay"), []
    for _ in range(9):
        here = here.nextInFocusChain()
        while not here.focusPolicy() & Qt.FocusPolicy.TabFocus:
            here = here.nextInFocusChain()
        way.append(here.objectName())
    rows = [f"layer_{key}{part}" for key in ("total", "score") for part in ROW_STOPS]
    assert way == [*rows, "layers_maps_score"]


def test_each_drawn_map_keeps_colours_range_and_threshold_of_its_own(head):
    head.window.show_panel("layers")
    head.add_result("score", "total")
    head.find(QCheckBox, "layer_total_shown").click()
    head.find(QPushButton, "layer_total").click()
    head.app.viewing.maps.set_style(
        "total", LayerStyle(True, "magma", (0, 9), 1.0, 0.5, "score", True)
    )
    assert drawn(head) == ["total", "score"]
    below, above = (layer.style for layer in head.session.layers if layer.style.visible)
    assert (below.colour_map, below.range, below.threshold) == ("magma", (0, 9), 1.0)
    assert (below.fade_by, below.outline, below.opacity) == ("score", True, 0.5)
    assert (above.colour_map, above.range, above.threshold) == ("inferno", (0.0, 18.0), 6.0)


def test_taking_maps_away_one_by_one_ends_with_the_overlay_off(head):
    head.window.show_panel("layers")
    head.add_result("score", "total", "residual")
    for key in ("total", "residual"):
        head.find(QCheckBox, f"layer_{key}_shown").click()
    head.find(QCheckBox, "layer_score_shown").click()
    assert drawn(head) == ["total", "residual"]
    assert head.session.map_name == "residual"
    head.find(QCheckBox, "layer_residual_shown").click()
    head.find(QCheckBox, "layer_total_shown").click()
    assert drawn(head) == []
    assert not head.session.overlay_on
    head.find(QCheckBox, "layer_total_shown").click()
    assert (drawn(head), head.session.map_name) == (["total"], "total")


def test_maps_of_two_versions_are_two_rows_with_their_names(head):
    head.window.show_panel("layers")
    head.add_result("score", "total")
    about = head.session.volume_id
    (first,) = head.session.results
    second = replace(first, version="1.1", maps=first.maps[:1])
    head.session.predictions = {about: (first, second)}
    older = "score|anomaly@1.0"
    head.find(QCheckBox, f"layer_{older}_shown").click()
    assert drawn(head) == ["score", older]
    rows = [head.find(QPushButton, f"layer_{key}") for key in ("score", older, "total")]
    assert [row.accessibleName() for row in rows] == [
        "Score, Anomaly 1.1",
        "Score, Anomaly 1.0",
        "Total",
    ]
    assert head.session.owner("score") is second
    assert head.session.owner(older) is first
    head.app.viewing.maps.set_style("score", replace(head.session.style("score"), opacity=0.1))
    assert head.session.style(older).opacity == 0.7
    head.settle()
    assert head.pane().dress.corners.bottom_right == (
        "Score, Anomaly 1.0, 1 more",
        "research use only",
    )
    assert len(head.frame().tints) == 2
    assert head.session.layers[0].map is head.session.layers[0].map
    one, two = (head.session.map(older) for _ in range(2))
    assert one is two  # what is drawn is compared by identity


def test_the_tick_shows_and_hides_all_maps(head):
    head.window.show_panel("layers")
    head.add_result("score")
    tick = head.find(QCheckBox, "layers_overlay")
    assert tick.isChecked()
    tick.click()
    assert not head.session.overlay_on
    head.press("O")
    assert tick.isChecked()


def test_grey_from_and_to_are_the_window(head):
    head.window.show_panel("layers")
    head.app.viewing.set_window("main", Window(200, 300))
    low, high = (
        head.find(QDoubleSpinBox, "image_range_low"),
        head.find(QDoubleSpinBox, "image_range_high"),
    )
    assert (low.value(), high.value()) == (200, 400)
    high.setValue(600)
    window = head.app.viewing.window("main")
    assert (window.width, window.level) == (400, 400)


def test_presets_are_those_of_the_image(head):
    head.window.show_panel("layers")
    head.find(QPushButton, "preset_1").click()
    assert head.app.viewing.window("main").label == "1 % to 99 %"
    assert head.window.findChild(QPushButton, "preset_5") is None


def test_windows_of_the_file_have_buttons_of_their_own(bench):
    windows = (Window(400, 40, "LINEAR", "Soft"), Window(80, 40, "LINEAR", "Brain"))
    bench.show(replace(phantom_on(geometry_of("LPS")), windows=windows))
    bench.window.show_panel("layers")
    bench.find(QPushButton, "preset_file2").click()
    assert bench.app.viewing.window("main") == windows[1]


def drag_row(bench, key, over, *, by="name"):
    """Drag a row by its name, or its dots, past the middle of another."""
    part = bench.find(QPushButton, f"layer_{key}")
    row = part.parentWidget()
    part = part if by == "name" else row.findChild(Grip)
    other = bench.find(QPushButton, f"layer_{over}").parentWidget()
    up = other.y() < row.y()
    end = other.mapToGlobal(QPoint(20, 2 if up else other.height() - 2))
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    start = part.mapToGlobal(part.rect().center())
    for kind, at, button, held in (
        (QEvent.Type.MouseButtonPress, start, left, left),
        (QEvent.Type.MouseMove, (start + end) / 2, none, left),
        (QEvent.Type.MouseMove, end, none, left),
        (QEvent.Type.MouseButtonRelease, end, left, none),
    ):
        local = QPointF(part.mapFromGlobal(at))
        event = QMouseEvent(kind, local, QPointF(at), button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(part, event)
    bench.settle()


def order(bench):
    """The names of the rows as they stand below each other."""
    rows = sorted(bench.window.findChildren(LayerRow), key=lambda row: row.y())
    return [row.findChildren(QPushButton)[0].objectName().removeprefix("layer_") for row in rows]


@pytest.mark.parametrize("by", ["name", "dots"])
def test_a_row_dragged_past_others_changes_what_is_drawn_above_what(head, by):
    head.window.show_panel("layers")
    head.add_result("score", "total", "seen")
    head.find(QCheckBox, "layer_total_shown").click()
    head.settle()
    assert order(head) == ["score", "seen", "total"]
    assert drawn(head) == ["total", "score"]
    drag_row(head, "total", "score", by=by)
    assert order(head) == ["total", "score", "seen"]
    assert drawn(head) == ["score", "total"]
    drag_row(head, "total", "seen", by=by)
    assert order(head) == ["score", "seen", "total"]
    assert head.session.map_name == "score"  # dragged, not pressed
    assert not head.find(QPushButton, "layer_total").isDown()
    assert not head.find(QPushButton, "layer_total_down").isEnabled()


def test_a_press_that_moves_a_pixel_is_still_a_press(head):
    head.window.show_panel("layers")
    head.add_result("score", "total")
    part = head.find(QPushButton, "layer_total")
    QTest.mousePress(part, Qt.MouseButton.LeftButton, pos=QPoint(10, 8))
    QTest.mouseMove(part, QPoint(10, 9))
    QTest.mouseRelease(part, Qt.MouseButton.LeftButton, pos=QPoint(10, 9))
    assert head.session.map_name == "total"
    assert order(head) == ["score", "total"]


def test_the_longest_series_and_window_push_no_card_out_of_the_panel(bench):
    bench.window.show_panel("layers")
    words = "T1w MPRAGE sagittal isotropic post-contrast with fat saturation and correction"
    grid = geometry_of("LPS", (20, 20, 24), (3.0, 4.0, 4.0))
    windows = (Window(80, 40, label=words), Window(400, 60, label="b" * 60))
    bench.show(phantom_on(grid, windows=windows), description=words + "_" + "x" * 40)
    bench.settle()
    panel = bench.window.side.shown
    assert panel.widget().minimumSizeHint().width() <= panel.viewport().width()


def test_the_longest_name_pushes_no_card_under_the_scroll_bar(head):
    head.window.show_panel("layers")
    head.add_result("score", "total")
    found = head.session.layers[0].map
    row = LayerRow(head.app, replace(found, title="What the model saw, brain-age-armed 1.0"))
    assert row.minimumSizeHint().width() <= 260
    row.deleteLater()
