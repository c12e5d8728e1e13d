"""Layouts, dragged series and priors as they look and are reached in the window."""

from dataclasses import replace

import pytest
from phantoms import geometry_of, phantom_on
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QToolButton
from services.stubs import series_of
from ui.fakes import LEFT, NO, double_click, drag, hover

from medview.domain.study import Catalogue, Patient, Study
from medview.ui.panels.study_rows import SERIES
from medview.ui.slice_pane import SERIES_DRAG

GRID = replace(geometry_of("LPS", (20, 24, 22), (3.0, 2.0, 2.0)), frame_of_reference="1.9")


def made(uid, study, who="p1", grid=GRID):
    known = series_of(uid, geometry=grid, patient_key=who)
    return replace(known, study_uid=study, size=grid.shape[::-1])


NOW, MORE, OLD = made("1.1", "1"), made("1.2", "1"), made("2.1", "2")
OLD = replace(OLD, geometry=replace(GRID, frame_of_reference="1.8"))
STRANGER = made("9.1", "9", "p2")
CATALOGUE = Catalogue(
    (
        Patient("p1", "P1", "Abel^Ann", studies=(Study("1", "2026-03-14", series=(NOW, MORE)),
                                                 Study("2", "2024-02-01", series=(OLD,)))),
        Patient("p2", "P2", "Bond^Bo", studies=(Study("9", "2023-01-01", series=(STRANGER,)),)),
    )
)  # fmt: skip


@pytest.fixture
def desk(bench):
    bench.session.catalogue = CATALOGUE
    bench.app.library.show(NOW)
    bench.read()
    return bench


def middle(pane):
    return pane.area.center().x(), pane.area.center().y()


def shown(bench):
    return {pane: each.series.uid for pane, each in bench.session.shown.items()}


def let_go(bench, uid, pane):
    """Drag a series from the list onto a pane."""
    tree = bench.window.studies.tree
    model = tree.model()
    index = next(i for i in walk(model) if (i.data(SERIES) or "").startswith(uid))
    data = model.mimeData([index])
    assert data.data(SERIES_DRAG).data().decode() == f"{uid}#0"
    copy = Qt.DropAction.CopyAction
    target = bench.pane(pane).viewport()
    enter = QDragEnterEvent(QPoint(9, 9), copy, data, LEFT, NO)
    QApplication.sendEvent(target, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(target, QDropEvent(QPointF(9, 9), copy, data, LEFT, NO))
    bench.read()


def walk(model, parent=None):
    count = model.rowCount(parent) if parent is not None else model.rowCount()
    for row in range(count):
        index = model.index(row, 0, parent) if parent is not None else model.index(row, 0)
        yield index
        yield from walk(model, index)


@pytest.mark.parametrize(
    ("keys", "panes"), [("Alt+1", 1), ("Alt+2", 2), ("Alt+4", 4), ("Alt+6", 6), ("Alt+9", 9)]
)
def test_keys_lay_out_panes_that_share_the_room(desk, keys, panes):
    desk.press(keys)
    visible = desk.window.grid.visible_panes
    assert len(visible) == panes
    areas = [pane.geometry() for pane in visible]
    assert not any(a.intersects(b) for n, a in enumerate(areas) for b in areas[:n])
    room = desk.window.grid.width() * desk.window.grid.height()
    assert sum(a.width() * a.height() for a in areas) > 0.97 * room
    desk.press("M")
    assert len(desk.window.grid.visible_panes) == 3


def test_the_layout_that_is_on_is_ticked_and_in_the_bar(desk):
    desk.press("Alt+2")
    table = desk.window.table
    on = [key for key in table.actions if key.startswith("layout.") and table[key].isChecked()]
    assert on == ["layout.1x2"]
    button = desk.find(QToolButton, "bar_View/Layout")
    assert table["layout.1x2"] in button.menu().actions()


def test_every_pane_shows_the_identity_of_its_own_data(desk):
    desk.press("Alt+4")
    desk.read()
    let_go(desk, "2.1", "lower")
    said = {key: desk.pane(key).dress.corners.top_left for key in ("main", "upper", "lower")}
    assert all(lines[0] == "Abel, Ann" for lines in said.values())
    assert ["T1 1.1" in said["main"], "T1 1.2" in said["upper"]] == [True, True]
    assert any("01 Feb 2024" in line for line in said["lower"])
    assert desk.pane("lower").dress.tag == "PRIOR"
    assert desk.pane("main").dress.tag == ""
    assert desk.pane("pane4").dress.note == "Drag a series here"


def test_private_mode_reaches_every_pane(desk):
    desk.press("Alt+2")
    desk.read()
    desk.press("Ctrl+Shift+P")
    text = str([desk.pane(key).dress.corners for key in ("main", "upper")])
    assert "Abel" not in text
    assert "2026" not in text


def test_a_strangers_series_cannot_be_let_go_beside_this_one(desk):
    desk.press("Alt+2")
    desk.read()
    let_go(desk, "9.1", "upper")
    assert shown(desk) == {"main": "1.1", "upper": "1.2"}
    assert "another patient" in desk.window.notes.texts()[0]


def test_files_dropped_on_a_pane_are_the_windows(desk):
    data = QMimeData()
    data.setText("no series")
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, data, LEFT, NO)
    QApplication.sendEvent(desk.pane().viewport(), enter)
    assert not enter.isAccepted()


def test_a_click_makes_a_pane_the_one_that_panels_are_about(desk):
    desk.press("Alt+2")
    desk.read()
    drag(desk.pane("upper"), (60, 60), (0, 0))
    assert desk.session.active_pane == "upper"
    assert desk.session.series.uid == "1.2"
    desk.settle()
    assert desk.pane("upper").dress.is_active
    assert not desk.pane("main").dress.is_active


def test_a_double_click_lets_one_pane_of_a_grid_fill_the_room_and_back(desk):
    desk.press("Alt+4")
    desk.read()
    double_click(desk.pane("upper"))
    desk.settle()
    assert [pane.key for pane in desk.window.grid.visible_panes] == ["upper"]
    double_click(desk.pane("upper"))
    desk.settle()
    assert len(desk.window.grid.visible_panes) == 4


def test_the_values_under_the_mouse_are_those_of_the_pane_under_it(desk):
    desk.press("Alt+2")
    desk.read()
    hover(desk.pane("upper"), middle(desk.pane("upper")))
    assert "T1 1.2" in desk.window.status.probe_text
    hover(desk.pane("main"), middle(desk.pane("main")))
    assert "T1 1.1" in desk.window.status.probe_text


def test_scrolling_takes_the_other_pane_along_until_it_is_switched_off(desk):
    desk.press("Alt+2")
    desk.read()
    first = desk.frame("upper").slice
    desk.press("Down")
    assert desk.frame("upper").slice == first + 1
    desk.press("L")
    desk.press("Down")
    assert desk.frame("upper").slice == first + 1
    assert "not linked" in desk.pane("upper").dress.corners.top_right


def test_compare_with_prior_names_both_dates_and_says_it_is_not_registered(desk):
    desk.press("Ctrl+Shift+C")
    desk.read()
    assert shown(desk) == {"main": "1.1", "upper": "2.1"}
    assert desk.pane("upper").dress.tag == "PRIOR"
    assert "linked in mm, not registered" in desk.pane("upper").dress.corners.top_right
    assert "14 Mar 2026" in str(desk.pane("main").dress.corners.top_left)
    assert "01 Feb 2024" in str(desk.pane("upper").dress.corners.top_left)


def test_beside_a_pane_for_itself_no_pane_claims_to_be_linked(desk):
    desk.press("Ctrl+Shift+C")
    desk.read()
    desk.app.viewing.activate("upper")
    desk.press("Shift+L")
    assert "not linked" in desk.pane("upper").dress.corners.top_right
    assert not any("linked" in line for line in desk.pane("main").dress.corners.top_right)


def test_a_plane_is_chosen_for_one_pane(desk):
    desk.press("Alt+2")
    desk.read()
    desk.window.table["plane.coronal"].trigger()
    desk.settle()
    assert desk.frame("main").labels.top == "H"
    assert desk.frame("upper").labels.top == "A"


def test_a_low_stack_says_why_it_has_no_three_planes(bench):
    bench.show(phantom_on(geometry_of("LPS", (3, 24, 22), (5.0, 2.0, 2.0))))
    table = bench.window.table
    assert not table["layout.mpr"].isEnabled()
    assert table["layout.mpr"].toolTip().startswith("3 slices are too few")
    assert [pane.key for pane in bench.window.grid.visible_panes] == ["main"]
