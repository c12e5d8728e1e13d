import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from medview.domain.errors import WorkerDied
from medview.services.report_order import Preview


def pages(count, width=300):
    return tuple(np.full((400, width, 3), 250 - n, np.uint8) for n in range(count))


def shown(head, count=2, status="DRAFT"):
    """Open the preview and answer it."""
    head.window.toggle_preview()
    (job,) = head.jobs.running("preview")
    job.finish(Preview(pages(count), status, "Brain MRI"))
    return head.window.preview


def test_it_is_idle_until_it_is_asked_for(head):
    head.app.reading.write(findings="x")
    assert head.window.preview.isHidden()
    assert head.jobs.running("preview") == []


def test_pages_stand_below_each_other_as_wide_as_there_is_room(head):
    preview = shown(head)
    assert [each.objectName() for each in preview.pages] == ["preview_page_1", "preview_page_2"]
    widths = {each.pixmap().width() for each in preview.pages}
    assert len(widths) == 1
    assert 200 <= widths.pop() <= preview.width()
    texts = [each.text() for each in preview.findChildren(QLabel)]
    assert "2 pages" in texts
    assert "DRAFT" in texts


def test_while_words_are_written_the_pages_are_drawn_again(head, qtbot):
    preview = shown(head)
    for words in ("a", "a c", "a cyst"):
        head.app.reading.write(findings=words)
    qtbot.waitUntil(lambda: len(head.jobs.running("preview")) == 1)
    (job,) = head.jobs.running("preview")
    assert job.args[1].reader.findings == "a cyst"
    kept = preview.pages
    job.finish(Preview(pages(2), "DRAFT", "x"))
    assert preview.drawn == 2
    assert preview.pages == kept  # scrolled to where they were


def test_closed_it_asks_for_nothing_and_opened_again_for_the_newest(head, qtbot):
    preview = shown(head)
    head.window.toggle_preview()
    head.app.reading.write(findings="later")
    assert not preview._pause.isActive()
    head.window.toggle_preview()
    (job,) = head.jobs.running("preview")
    assert job.args[1].reader.findings == "later"


def test_an_accident_leaves_the_pages_and_says_so(head, qtbot):
    preview = shown(head)
    head.app.reading.write(findings="later")
    qtbot.waitUntil(lambda: len(head.jobs.running("preview")) == 1)
    head.jobs.running("preview")[0].fail(WorkerDied("The process stopped"))
    assert len(preview.pages) == 2
    assert any("not drawn" in each.text() for each in preview.findChildren(QLabel))


def test_without_a_study_it_says_what_to_do(bench):
    bench.window.preview.open()
    texts = [each.text() for each in bench.window.preview.findChildren(QLabel)]
    assert "Open a study to see its report" in texts


def turn_wheel(preview, notches):
    at, still = QPointF(20, 20), Qt.ScrollPhase.NoScrollPhase
    ctrl = Qt.KeyboardModifier.ControlModifier
    event = QWheelEvent(
        at, at, QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton, ctrl, still, False
    )
    QApplication.sendEvent(preview._scroll.viewport(), event)


def test_pages_grow_and_shrink_by_button_and_wheel_and_are_drawn_as_wide(head, qtbot):
    preview = shown(head)
    fitting = preview.pages[0].pixmap().width()
    head.find(QPushButton, "preview_larger").click()
    turn_wheel(preview, 1)
    assert preview.zoom == 1.25**2
    # At once, and sharp as soon as they are drawn again.
    assert abs(preview.pages[0].pixmap().width() - fitting * 1.25**2) <= 2
    qtbot.waitUntil(lambda: len(head.jobs.running("preview")) == 1)
    assert abs(head.jobs.running("preview")[0].args[-1] - fitting * 1.25**2) <= 2
    head.find(QPushButton, "preview_smaller").click()
    assert preview.zoom == 1.25
    head.find(QPushButton, "preview_fit").click()
    assert preview.zoom == 1.0
    assert abs(preview.pages[0].pixmap().width() - fitting) <= 2


def test_there_is_a_smallest_and_a_largest_page(head):
    preview = shown(head)
    turn_wheel(preview, -1)
    assert preview.zoom == 1.0
    for _ in range(12):
        turn_wheel(preview, 1)
    assert preview.zoom == 4.0
