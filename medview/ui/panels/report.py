"""Report: the reader's words, paper and signature, and the PDF."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit, QWidget

from medview.services.session import Session
from medview.ui.app import App
from medview.ui.controls import Card, Column, Row, button, label, name
from medview.ui.words import number, tr

_FIELDS = (
    ("question", "Question", "Why was this examination made?", 54),
    ("findings", "Findings", "What you see, in your own words", 120),
    ("impression", "Impression", "What you conclude", 84),
)
_PAPERS = (("a4", "A4"), ("letter", "Letter"))


class ReportPanel(Column):
    """Edits what ``app.reading`` keeps and exports the report."""

    def __init__(self, app: App) -> None:
        super().__init__("panel_report", tr("Report"))
        self._app = app
        self._fields: dict[str, QPlainTextEdit] = {}
        words = Card("report_words", tr("Your words"))
        for key, title, hint, high in _FIELDS:
            words.add(label(tr(title), "strong"), self._field(key, tr(title), tr(hint), high))
        self._inside = label("", "quiet", wraps=True)
        self._export = button(
            tr("Export report"),
            "report_export",
            look="primary",
            tip=tr("Write the report as a PDF (Ctrl+P)"),
        )
        self._export.clicked.connect(lambda: app.window.export_report())
        out = Card("report_out", tr("Report"))
        out.add(self._inside)
        out.add(Row(label(tr("Signed by")), 1, self._signer()))
        out.add(Row(label(tr("Paper")), 1, self._paper()))
        out.add(self._export)
        self.add(words)
        self.add(out)
        app.reading.changed.connect(self.refresh)
        for field in ("series", "volume", "predictions", "volume_id", "unfinished"):
            getattr(app.session.events, field).connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Read the words of the study on screen again; the cursor stays where it is."""
        words, ready = self._app.reading.words, self._app.session.volume is not None
        for key, field in self._fields.items():
            text = getattr(words, key)
            field.setEnabled(ready)
            if field.toPlainText() != text:
                field.blockSignals(True)
                field.setPlainText(text)
                field.blockSignals(False)
        self._export.setEnabled(ready)
        self._inside.setText(_inside(self._app.session))

    def _field(self, key: str, title: str, hint: str, high: int) -> QPlainTextEdit:
        made = QPlainTextEdit()
        name(made, f"report_{key}", title)
        made.setPlaceholderText(hint)
        made.setToolTip(hint)
        made.setFixedHeight(high)
        made.setTabChangesFocus(True)
        made.textChanged.connect(lambda: self._app.reading.write(**{key: made.toPlainText()}))
        self._fields[key] = made
        return made

    def _signer(self) -> QWidget:
        made = QLineEdit()
        name(made, "report_signer", tr("Signed by"))
        made.setPlaceholderText(tr("a draft without a name"))
        made.setToolTip(tr("Your name; without it the report is marked DRAFT"))
        made.textChanged.connect(self._on_signed)
        made.setMinimumWidth(170)
        return made

    def _on_signed(self, text: str) -> None:
        self._app.reading.signer = text.strip()

    def _paper(self) -> QComboBox:
        made = QComboBox()
        name(made, "report_paper", tr("Paper"))
        made.setToolTip(tr("Size of the pages"))
        for value, text in _PAPERS:
            made.addItem(text, value)
        made.setCurrentIndex(made.findData(self._app.preferences.settings.paper))
        made.activated.connect(lambda: self._app.preferences.change(paper=made.currentData()))
        return made


def _inside(session: Session) -> str:
    """One sentence on what will stand in the report."""
    if session.volume is None:
        return tr("Open a study, then write its report here.")
    if not session.results:
        more = tr(" A model is still running.") if session.unfinished is not None else ""
        return tr("No model has been run: the report holds images and your words.") + more
    first = session.results[-1]
    score = first.scores[0] if first.scores else None
    value = f" {number(score.value)}" if score is not None else ""
    text = tr("Holds the result of {model}{value}", model=first.model, value=value)
    findings = len(session.findings)
    return text + (tr(", {n} findings.", n=findings) if findings != 1 else tr(", 1 finding."))
