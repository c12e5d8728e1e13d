"""Folder, series, slice, overlay, PDF: the whole way with real widgets and real children."""

import pypdf
import pytest
from journeys.heads import write_head
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QPlainTextEdit, QPushButton
from ui.fakes import drag, wheel

from medview.domain.resources import resource
from medview.ui.panels.study_rows import SERIES

LONG_MS = 240_000
NOTHING = Qt.KeyboardModifier.NoModifier

pytestmark = pytest.mark.skipif(
    not resource("weights", "anomaly", "card.json").is_file(),
    reason="the weights of the anomaly model are not in this copy",
)


def drop(window, folder):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder))])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    for event in (
        QDragEnterEvent(QPoint(9, 9), copy, data, left, NOTHING),
        QDropEvent(QPointF(9, 9), copy, data, left, NOTHING),
    ):
        QApplication.sendEvent(window, event)


def test_from_a_folder_to_a_report(program, qtbot, tmp_path, monkeypatch):
    app, window = program.app, program.app.window
    session = app.session

    # A folder is dropped: its series is listed and shown at its middle.
    drop(window, write_head(tmp_path / "study"))
    qtbot.waitUntil(lambda: session.volume_id is not None, timeout=LONG_MS)
    assert window.studies.tree.currentIndex().data(SERIES) == session.series.key
    window.grid.redraw()
    assert window.grid.frame_of("main").slice == 10

    # The reader scrolls, sets the window and zooms.
    pane = window.grid.panes["main"]
    pane.setFocus()
    wheel(pane, -2)
    drag(pane, (200, 300), (40, -20))
    drag(pane, (200, 300), (0, -30), Qt.MouseButton.RightButton)
    before = {key: (v.window, v.zoom, v.point_lps) for key, v in session.views.items()}
    window.grid.redraw()
    assert window.grid.frame_of("main").slice == 12

    # The model runs in its child; its map arrives and the view stays.
    QTest.keyClick(pane, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: bool(session.results), timeout=LONG_MS)
    assert {key: (v.window, v.zoom, v.point_lps) for key, v in session.views.items()} == before
    window.grid.redraw()
    assert window.grid.frame_of("main").tints
    assert window.findChild(QLabel, "result_value").text() not in ("", "–")
    names = {found.name for found in session.maps}
    assert {"score", "residual", "epistemic", "aleatoric", "total"} <= names

    # Through the maps by key, off and on.
    for wanted in ("residual", "epistemic", "aleatoric", "total", "score"):
        QTest.keyClick(pane, Qt.Key.Key_U)
        assert session.map_name == wanted
    QTest.keyClick(pane, Qt.Key.Key_O)
    window.grid.redraw()
    assert window.grid.frame_of("main").tints == ()
    QTest.keyClick(pane, Qt.Key.Key_O)

    # Words, then the report.
    window.show_panel("report")
    window.findChild(QPlainTextEdit, "report_findings").setPlainText("Bright sphere on the left.")
    window.findChild(QPlainTextEdit, "report_impression").setPlainText("Made for a test.")
    target = tmp_path / "out.pdf"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    window.findChild(QPushButton, "report_export").click()
    qtbot.waitUntil(lambda: bool(window.notes.texts()), timeout=LONG_MS)
    assert window.notes.texts()[0].startswith("Report written: out.pdf")
    pages = pypdf.PdfReader(target).pages
    text = "\n".join(page.extract_text() for page in pages)
    assert "Bright sphere on the left." in text
    assert session.results[0].weights_sha256[:16] in text.replace("\n", "").replace(" ", "")
    for page in pages:
        assert "Research use only" in page.extract_text()


def test_cancel_in_the_middle_leaves_no_overlay(program, qtbot, tmp_path):
    app, session = program.app, program.app.session
    drop(app.window, write_head(tmp_path / "study"))
    qtbot.waitUntil(lambda: session.volume_id is not None, timeout=LONG_MS)
    app.window.run_analysis()
    qtbot.waitUntil(lambda: any(t.done for t in session.tasks), timeout=LONG_MS)
    app.window.findChild(QPushButton, "analysis_cancel").click()
    qtbot.waitUntil(lambda: not session.tasks, timeout=LONG_MS)
    assert session.maps == ()
    assert session.results == ()
    app.window.grid.redraw()
    assert app.window.grid.frame_of("main").tints == ()
    assert app.window.can_run_analysis
