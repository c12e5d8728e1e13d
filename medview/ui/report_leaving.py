"""Commands for a report that leaves: as a file, to the clipboard, and to a printer."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QGuiApplication,
    QImage,
    QPageLayout,
    QPageSize,
    QPainter,
)
from PySide6.QtPrintSupport import QPrintDialog, QPrinter

from medview.domain.errors import MedviewError
from medview.domain.report import Paper
from medview.services.report_order import Copied, Preview
from medview.services.session_values import Message
from medview.ui.action import Action, has_study
from medview.ui.app import App
from medview.ui.controls import name
from medview.ui.notify import Choice
from medview.ui.saving import ask_for_file
from medview.ui.words import tr

_SIZES: dict[Paper, QPageSize.PageSizeId] = {
    "a4": QPageSize.PageSizeId.A4,
    "letter": QPageSize.PageSizeId.Letter,
}
_FILE = "report.pdf"
# Dots per inch: small letters are sharp, and a page takes some 25 MB on its way.
_SHARP = 300


def export_report(app: App) -> None:
    """Ask where to, then write the report."""
    app.window.show_panel("report")
    chosen = ask_for_file(app.window, tr("Export report"), _FILE, "PDF", ".pdf")
    if chosen is not None:
        app.reading.export(chosen)


def written(path: Path, pages: int) -> tuple[str, Choice]:
    """What is said of a report that was written, and the way to look at it."""
    counted = tr("{n} pages", n=pages) if pages != 1 else tr("1 page")
    url = QUrl.fromLocalFile(str(path))
    show = Choice(tr("Open"), lambda: QDesktopServices.openUrl(url))
    return tr("Report written: {file}, {pages}", file=path.name, pages=counted), show


def copy_report(app: App) -> None:
    """Put the words of the report on the clipboard; a message where nothing is open."""

    def done(made: Copied) -> None:
        data = QMimeData()
        data.setHtml(made.html)
        data.setText(made.plain)
        QGuiApplication.clipboard().setMimeData(data)
        app.session.message = Message(tr("The words of the report are on the clipboard."))

    if not app.reading.copy(done, lambda error: _tell(app, error)):
        app.session.message = Message(tr("Open a study first; then its report can be copied."))


def print_report(app: App) -> None:
    """Ask for a printer, then have the pages drawn for it; nothing is asked without a study."""
    if not has_study(app):
        return
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setPageSize(QPageSize(_SIZES[app.preferences.settings.paper]))
    printer.setFullPage(True)
    # The name of a job is seen by others at the printer.
    printer.setDocName(tr("Report"))
    dialog = QPrintDialog(printer, app.window)
    name(dialog, "print_report", tr("Print report"))
    dialog.accepted.connect(lambda *_: _draw_for(app, printer))
    dialog.finished.connect(dialog.deleteLater)
    # Shown, not run: nothing else has to wait for an answer.
    dialog.setModal(True)
    dialog.show()


def print_pages(printer: QPrinter, made: Preview) -> bool:
    """Print every page as large as its paper; False where the printer does not begin."""
    painter = QPainter()
    if not painter.begin(printer):
        return False
    for number, pixels in enumerate(made.pages):
        if number:
            printer.newPage()
        high, wide, _ = pixels.shape
        image = QImage(pixels.data, wide, high, 3 * wide, QImage.Format.Format_RGB888)
        painter.drawImage(printer.pageLayout().fullRectPixels(printer.resolution()), image)
    return bool(painter.end())


def _draw_for(app: App, printer: QPrinter) -> None:
    inches = printer.pageLayout().fullRect(QPageLayout.Unit.Inch).width()

    def done(made: Preview) -> None:
        if print_pages(printer, made):
            text = Message(tr("{n} pages sent to the printer.", n=len(made.pages)))
        else:
            text = Message(tr("The printer did not take the report. Export it as PDF."), "warning")
        app.session.message = text

    app.reading.printed(round(inches * _SHARP), done, lambda error: _tell(app, error))


def _tell(app: App, error: MedviewError) -> None:
    app.session.message = Message(str(error), "error", error)


REPORT_LEAVING = (
    Action(
        "file.copy_report", "Copy words of the report", copy_report, "File",
        "Ctrl+Alt+C", tip="Findings and impression as text for another program", enabled=has_study,
    ),
    Action(
        "file.print_report", "Print report …", print_report, "File",
        "Ctrl+Alt+P", tip="Send the pages of the report to a printer", enabled=has_study,
    ),
)  # fmt: skip
