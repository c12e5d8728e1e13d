"""Panels that are made when they are looked at know what was there before them."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QWidget

from medview.ui.panels import PANELS


def made(bench):
    found = [bench.window.side.widget(n).findChild(QWidget) for n in range(len(PANELS))]
    return [entry.key for entry, panel in zip(PANELS, found, strict=True) if panel is not None]


def test_only_the_panel_in_front_is_there_at_first(bench):
    assert made(bench) == ["results"]
    assert bench.window.side.shown.isVisible()


@pytest.mark.parametrize("entry", PANELS, ids=lambda entry: entry.key)
def test_a_click_on_its_tab_makes_a_panel_that_is_there_at_once(bench, entry):
    bars = bench.window.side.tabBar()
    bars.setCurrentIndex(PANELS.index(entry))
    panel = bench.window.side.shown
    assert isinstance(panel, QWidget)
    bench.settle()
    assert panel.isVisible()
    assert panel.size() == panel.parentWidget().size()
    bench.window.show_panel("results" if entry.key != "results" else "details")
    assert not panel.isVisible()
    bench.window.show_panel(entry.key)
    assert bench.window.side.shown is panel


def test_the_row_of_tabs_has_a_name_to_be_read_aloud(bench):
    assert bench.window.side.tabBar().accessibleName() == "Panels"


def test_a_panel_made_late_shows_the_series_and_the_result_that_came_before(head):
    head.add_result("score", "total")
    head.window.show_panel("layers")
    texts = [each.text() for each in head.window.side.shown.findChildren(QLabel)]
    assert any(head.session.series.description in text for text in texts)
    assert {"layer_score", "layer_total"} <= {
        each.objectName() for each in head.window.side.shown.findChildren(QWidget)
    }


def test_lists_of_a_panel_made_late_keep_their_arrows(head):
    head.window.show_panel("layers")
    box = head.window.side.shown.findChild(QComboBox)
    event = QKeyEvent(
        QKeyEvent.Type.ShortcutOverride, Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier
    )
    event.ignore()
    QApplication.sendEvent(box, event)
    assert event.isAccepted()
