"""The report on the clipboard and on a printer."""

import numpy as np
import pytest
from pypdf import PdfReader
from PySide6.QtGui import QGuiApplication, QPageSize
from PySide6.QtPrintSupport import QPrintDialog, QPrinter

from medview.domain.errors import WorkerDied
from medview.services.printing import DRAW, WORDS
from medview.services.report_order import Copied, Preview
from medview.ui.report_leaving import copy_report, print_pages, print_report

COPIED = Copied("Benign.", "<p><b>Benign.</b></p>", "DRAFT")


def run(bench, key):
    bench.window.table[key].trigger()
    bench.settle()


def pages(count):
    return Preview(tuple(np.full((330, 233, 3), 40 * n, np.uint8) for n in range(count)), "", "")


def test_words_lie_on_the_clipboard_plain_and_rich_and_it_is_noted(head):
    left = []
    head.app.reading.left.connect(left.append)
    run(head, "file.copy_report")
    assert head.jobs.last.work == WORDS
    head.jobs.last.finish(COPIED)
    lying = QGuiApplication.clipboard().mimeData()
    assert (lying.text(), lying.html()) == (COPIED.plain, COPIED.html)
    assert "clipboard" in head.session.message.text
    assert left == ["report words"]


def test_with_nothing_open_nothing_is_copied_and_nothing_asked(bench):
    QGuiApplication.clipboard().setText("before")
    for key in ("file.copy_report", "file.print_report"):
        bench.window.table.refresh()
        assert not bench.window.table[key].isEnabled()
    copy_report(bench.app)
    assert "Open a study first" in bench.session.message.text
    print_report(bench.app)
    assert bench.window.findChildren(QPrintDialog) == []
    assert QGuiApplication.clipboard().text() == "before"
    assert bench.jobs.asked == []


def test_an_accident_is_told_and_the_clipboard_stays(head):
    QGuiApplication.clipboard().setText("before")
    run(head, "file.copy_report")
    head.jobs.last.fail(WorkerDied("The process stopped"))
    assert "The process stopped" in head.session.message.text
    assert QGuiApplication.clipboard().text() == "before"


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_every_page_is_printed_as_large_as_its_paper(head, tmp_path, paper):
    head.app.preferences.change(paper=paper)
    run(head, "file.print_report")
    (dialog,) = head.window.findChildren(QPrintDialog)
    printer = dialog.printer()
    wanted = QPageSize.PageSizeId.A4 if paper == "a4" else QPageSize.PageSizeId.Letter
    assert printer.pageLayout().pageSize().id() == wanted
    printer.setOutputFileName(str(tmp_path / "r.pdf"))
    dialog.accepted.emit(printer)
    assert head.jobs.last.work == DRAW
    assert abs(head.jobs.last.args[-1] - {"a4": 2480, "letter": 2550}[paper]) <= 2
    head.jobs.last.finish(pages(3))
    assert "3 pages sent" in head.session.message.text
    printed = PdfReader(tmp_path / "r.pdf").pages
    assert len(printed) == 3
    assert round(printed[0].mediabox.width) == {"a4": 595, "letter": 612}[paper]
    assert all(len(page.images) == 1 for page in printed)
    dialog.close()


def test_a_printer_that_does_not_begin_is_told(tmp_path):
    printer = QPrinter()
    (tmp_path / "file").write_text("")
    printer.setOutputFileName(str(tmp_path / "file" / "r.pdf"))
    assert not print_pages(printer, pages(1))
