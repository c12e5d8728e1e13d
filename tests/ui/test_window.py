from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QToolButton,
    QWidget,
)
from services.stubs import catalogue_of, series_of

from medview import RESEARCH_USE, __version__
from medview.domain.errors import ReadError
from medview.domain.study import Skipped
from medview.services.report_order import Written
from medview.services.session_values import Message, Task
from medview.ui.actions import ACTIONS


def drop(window, *paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    none, copy = Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction
    left = Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(QPoint(9, 9), copy, data, left, none)
    QApplication.sendEvent(window, enter)
    event = QDropEvent(QPointF(9, 9), copy, data, left, none)
    QApplication.sendEvent(window, event)
    return enter.isAccepted()


def test_dropping_a_folder_opens_it(bench, tmp_path):
    assert drop(bench.window, tmp_path / "study", tmp_path / "more")
    job = bench.jobs.running("scan")[0]
    assert job.args == ((tmp_path / "study", tmp_path / "more"),)


def test_what_is_no_file_is_not_taken(bench):
    data = QMimeData()
    data.setText("hello")
    enter = QDragEnterEvent(
        QPoint(9, 9),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    enter.ignore()
    QApplication.sendEvent(bench.window, enter)
    assert not enter.isAccepted()


def test_a_folder_that_was_opened_is_among_the_recent(bench, tmp_path):
    (tmp_path / "study").mkdir()
    bench.window.open_paths((tmp_path / "study",))
    bench.jobs.last.finish(catalogue_of(series_of("1.1")))
    menu = bench.find(QMenu, "menu_recent")
    menu.aboutToShow.emit()
    assert [each.text() for each in menu.actions()] == ["study"]
    menu.actions()[0].trigger()
    bench.jobs.running("missing")[0].finish(())
    assert bench.jobs.running("scan")[0].args == ((tmp_path / "study",),)


def test_private_mode_names_no_folder_that_was_opened_before_it(bench, tmp_path):
    (tmp_path / "Doe^Jane").mkdir()
    bench.window.open_paths((tmp_path / "Doe^Jane",))
    bench.jobs.last.finish(catalogue_of(series_of("1.1")))
    menu = bench.find(QMenu, "menu_recent")
    bench.press("Ctrl+Shift+P")
    menu.aboutToShow.emit()
    assert [(each.text(), each.isEnabled()) for each in menu.actions()] == [
        ("Hidden in private mode", False)
    ]
    bench.press("Ctrl+Shift+P")
    menu.aboutToShow.emit()
    assert [each.text() for each in menu.actions()] == ["Doe^Jane"]


def test_files_that_could_not_be_read_are_told_once_and_the_rest_is_shown(bench, tmp_path):
    bench.window.open_paths((tmp_path,))
    bad = Skipped("IM3.dcm", "MV-IO-103", "ends early: 61 % of the pixel data present")
    text = Skipped("notes.txt", "MV-IO-001", "not a medical image")
    bench.jobs.last.finish(catalogue_of(series_of("1.1"), series_of("1.2"), skipped=(bad, text)))
    assert bench.window.notes.texts() == [
        "1 file could not be read: IM3.dcm: ends early: 61 % of the pixel data present; "
        "1 other holds no image"
    ]
    assert bench.jobs.running("load_and_identify")


def test_an_error_of_a_service_is_shown_above_the_images(bench):
    error = ReadError("holds no image", file="x", do="Choose another folder.")
    bench.session.message = Message.of(error)
    assert bench.window.notes.texts() == ["x: holds no image. Choose another folder."]


def test_panels_fold_away_and_come_back(bench):
    side = bench.window.side
    wide = bench.window.grid.width()
    bench.press("F8")
    assert not side.isVisible()
    bench.settle()
    assert bench.window.grid.width() > wide
    bench.press("F8")
    assert side.isVisible()
    bench.press("F7")
    assert not bench.window.studies.isVisible()


def test_in_a_narrow_window_no_button_is_out_of_reach(head):
    for wide, words in ((1400, True), (1000, False), (1400, True)):
        head.window.resize(wide, 700)
        head.settle()
        button = head.find(QToolButton, "bar_tool.window")
        style = button.toolButtonStyle()
        assert (style == Qt.ToolButtonStyle.ToolButtonTextBesideIcon) == words
        assert head.find(QToolButton, "bar_file.export_report").isVisible()
        assert head.find(QToolButton, "bar_analysis.run").isVisible()


def test_f6_takes_the_keyboard_round(head):
    head.pane().setFocus()
    seen = []
    for _ in range(3):
        head.press("F6")
        focus = head.window.focusWidget()
        regions = {"side": head.window.side, "list": head.window.studies, "panes": head.window.grid}
        seen.append(next(k for k, w in regions.items() if w.isAncestorOf(focus)))
    assert seen == ["side", "list", "panes"]


def test_f1_lists_every_shortcut(bench):
    bench.press("F1")
    dialog = bench.find(QDialog, "shortcuts")
    assert dialog.focusWidget().objectName() == "shortcuts_close"
    said = {each.text() for each in dialog.findChildren(QLabel)}
    missing = [a.id for a in ACTIONS if a.keys and a.text not in said]
    assert missing == []
    dialog.close()


def test_about_says_version_and_what_it_is_not_for(bench):
    bench.window.table["help.about"].trigger()
    dialog = bench.find(QDialog, "about")
    said = " ".join(each.text() for each in dialog.findChildren(QLabel))
    assert __version__ in said
    assert RESEARCH_USE in said
    assert "Anomaly 1.0" in said
    dialog.close()


def test_closing_while_a_job_runs_asks_once(bench, monkeypatch):
    asked, stopped = [], []
    bench.session.tasks = (Task(1, "Anomaly", lambda: stopped.append(1)),)
    monkeypatch.setattr("medview.ui.closing.ask", lambda *a: asked.append(a[1]) or False)
    assert not bench.window.close()
    assert asked == ["Anomaly is still running. Stop it and close?"]
    assert bench.window.isVisible()
    monkeypatch.setattr("medview.ui.closing.ask", lambda *a: True)
    assert bench.window.close()
    assert stopped == [1]


def test_the_open_command_asks_for_a_folder(bench, monkeypatch, tmp_path):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path))
    bench.press("Ctrl+O")
    assert bench.jobs.running("scan")[0].args == ((tmp_path,),)


def test_export_asks_where_to_and_tells_when_it_is_written(head, monkeypatch, tmp_path):
    wanted = tmp_path / "mine"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(wanted), ""))
    head.press("Ctrl+P")
    job = head.jobs.running("build_and_write")[0]
    assert job.args[-1] == tmp_path / "mine.pdf"
    job.finish(Written(2, "7c1e-0110", "ab" * 32, "DRAFT"))
    assert head.window.notes.texts() == ["Report written: mine.pdf, 2 pages"]
    assert head.find(QPushButton, "note_1_choice_0").text() == "Open"
    # One that is written later takes its place: the images need the room.
    head.app.reading.exported.emit(tmp_path / "later.pdf", 1)
    assert head.window.notes.texts() == ["Report written: later.pdf, 1 page"]


def test_running_from_the_bar_shows_the_results_panel(head):
    head.window.show_panel("layers")
    head.press("F5")
    assert head.window.side.shown.objectName() == "panel_results"
    request = head.jobs.running("run")[0].args[0]
    assert request.model == "anomaly"
    assert request.volumes["t1"] is head.session.volume


def test_the_context_menu_offers_what_the_table_says(head):
    head.window.mouse.menu_wanted(QPoint(50, 50))
    menu = head.find(QMenu, "menu_pane")
    offered = {each.objectName() for each in menu.actions()}
    assert {"image.invert", "window.preset_0", "view.maximise"} <= offered
    menu.close()


# Parts that Qt makes itself, and widgets of its own kind that no reader meets by name.
_QTS_OWN = {"qt_spinbox_lineedit", "qt_toolbar_ext_button", "qt_menubar_ext_button"}
_QTS_KINDS = {"QScrollBar", "CloseButton", "QToolBarExtension"}


def named_controls(window):
    for kind in (QAbstractButton, QAbstractSlider, QComboBox, QLineEdit):
        for each in window.findChildren(kind):
            own = each.objectName() in _QTS_OWN or "Scroll" in each.objectName()
            if not own and each.metaObject().className() not in _QTS_KINDS:
                yield each


def test_every_control_has_a_name_for_tests_and_one_to_be_read_aloud(head):
    head.add_result("score", "residual", "epistemic", "aleatoric", "total")
    nameless = [
        (type(each).__name__, each.objectName(), each.parent().objectName())
        for each in named_controls(head.window)
        if not each.objectName() or not each.accessibleName()
    ]
    assert nameless == []


def test_every_control_says_in_a_tip_what_it_does(head):
    head.add_result("score", "residual", "epistemic", "aleatoric", "total")
    silent = [
        each.objectName()
        for each in named_controls(head.window)
        if not each.toolTip() and not _tip_of_a_parent(each)
    ]
    assert silent == []


def _tip_of_a_parent(widget):
    parent = widget.parent()
    return isinstance(parent, QWidget) and bool(parent.toolTip())


@pytest.mark.parametrize("panel", ["layers", "results", "report", "details"])
def test_every_panel_can_be_shown_with_nothing_open(bench, panel):
    bench.window.show_panel(panel)
    bench.settle()
    assert bench.window.side.shown.objectName() == f"panel_{panel}"


def test_a_path_with_spaces_and_umlauts_is_opened_as_it_is(bench, tmp_path):
    folder = tmp_path / "Köpfe und mehr"
    drop(bench.window, folder)
    assert bench.jobs.running("scan")[0].args == ((Path(folder),),)
