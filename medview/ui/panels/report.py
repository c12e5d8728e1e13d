"""Report: the reader's words, what is put into them, signature, preview and the PDF."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QComboBox, QMenu, QPlainTextEdit, QWidget

from medview.domain.prediction import Prediction
from medview.services.report_inserts import Insertion, Kind, insertions
from medview.services.report_origin import earlier_words
from medview.services.report_templates import template_for, templates
from medview.services.session import Session
from medview.services.telling import figure_text
from medview.ui.app import App
from medview.ui.containers import Card, Column, Row
from medview.ui.controls import button, label, name
from medview.ui.panels.signing import SigningCard
from medview.ui.report_leaving import export_report
from medview.ui.words import date, tr

# Key, title, hint and how many lines are seen at once.
_FIELDS = (
    ("question", "Question", "Why was this examination made?", 2),
    ("comparison", "Comparison", "Date and kind of the one before, or none", 1),
    ("findings", "Findings", "What you see, in your own words", 6),
    ("impression", "Impression", "What you conclude; a signed report needs it", 3),
)
_OTHER_LETTERS = (QEvent.Type.FontChange, QEvent.Type.StyleChange)
_PAPERS = (("a4", "A4"), ("letter", "Letter"))
_INSERTS: tuple[tuple[Kind, str, str], ...] = (
    ("measurement", "Measurement", "Nothing was measured yet (D measures a length)"),
    ("key image", "Key image", "No image is marked yet (K marks one)"),
    ("result", "Result", "No model has been run yet"),
)


class ReportPanel(Column):
    """Edits what ``app.reading`` keeps, signs it and exports the report."""

    def __init__(self, app: App) -> None:
        super().__init__("panel_report", tr("Report"))
        self._app = app
        self._fields: dict[str, QPlainTextEdit] = {}
        self._into = "findings"
        self._template = self._templates()
        self._earlier = button(tr("Compared with the study before"), "report_earlier", look="link")
        self._earlier.setToolTip(tr("Write down that this examination was compared with it"))
        self._earlier.clicked.connect(self._on_earlier)
        words = Card("report_words", tr("Your words"))
        words.add(Row(label(tr("Template")), 1, self._template))
        for key, title, hint, lines in _FIELDS:
            words.add(label(tr(title), "strong"), self._field(key, tr(title), tr(hint), lines))
            if key == "comparison":
                words.add(self._earlier)
            if key == "findings":
                kinds = map(self._insert, _INSERTS)
                words.add(Row(label(tr("Insert"), "quiet"), *kinds, 1, gap=2))
        self.add(words)
        self.add(SigningCard(app))
        self.add(self._out())
        app.reading.changed.connect(self.refresh)
        known = ("series", "volume", "predictions", "volume_id", "unfinished", "tables")
        for field in (*known, "catalogue", "private"):
            getattr(app.session.events, field).connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Read the words of the study on screen again; the cursor stays where it is."""
        words, material = self._app.reading.words, self._app.reading.material
        ready = material is not None
        before = material.as_told().exam.earlier_date if material is not None else ""
        self._earlier.setText(tr("Compared with {date}", date=date(before)))
        self._earlier.setVisible(bool(before) and not words.comparison.strip())
        for key, field in self._fields.items():
            text = getattr(words, key)
            field.setEnabled(ready)
            if field.toPlainText() != text:
                field.blockSignals(True)
                field.setPlainText(text)
                field.blockSignals(False)
        for each in (self._export, self._template):
            each.setEnabled(ready)
        self._template.setCurrentIndex(self._template.findData(self._app.reading.draft.template))
        self._inside.setText(_inside(self._app.session))

    def menu(self, kind: Kind) -> QMenu:
        """What can be inserted of a kind; one line that says how to make some where none is."""
        menu = QMenu(self)
        name(menu, f"menu_insert_{kind}", tr("Insert"))
        for each in insertions(self._app.session, kind):
            act = menu.addAction(each.label)
            act.triggered.connect(lambda _=False, each=each: self._put(each))
        if menu.isEmpty():
            empty = next(words for key, _, words in _INSERTS if key == kind)
            menu.addAction(tr(empty)).setEnabled(False)
        return menu

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's hook
        """Remember in which text the cursor was last; letters of another size need other room."""
        if event.type() in _OTHER_LETTERS and isinstance(watched, QPlainTextEdit):
            _make_room(watched)
        if event.type() == QEvent.Type.FocusIn:
            for key, field in self._fields.items():
                if field is watched:
                    self._into = key
        return super().eventFilter(watched, event)

    def _on_earlier(self) -> None:
        material = self._app.reading.material
        if material is not None:
            self._app.reading.write(comparison=earlier_words(material.exam))

    # -- built once ------------------------------------------------------------------------

    def _out(self) -> Card:
        self._inside = label("", "quiet", wraps=True)
        self._export = button(
            tr("Export report"),
            "report_export",
            look="primary",
            tip=tr("Write the report as a PDF (Ctrl+P)"),
        )
        self._export.clicked.connect(lambda: export_report(self._app))
        look = button(
            tr("Preview"),
            "report_preview_open",
            tip=tr("Show the pages beside the images (Ctrl+Shift+R)"),
        )
        look.clicked.connect(lambda: self._app.window.toggle_preview())
        out = Card("report_out", tr("Report"))
        out.add(self._inside)
        out.add(Row(self._paper(), 1, look, self._export))
        return out

    def _field(self, key: str, title: str, hint: str, lines: int) -> QPlainTextEdit:
        made = QPlainTextEdit()
        name(made, f"report_{key}", title)
        made.setPlaceholderText(hint)
        made.setToolTip(hint)
        made.setProperty("lines", lines)
        _make_room(made)
        made.setTabChangesFocus(True)
        made.textChanged.connect(lambda: self._app.reading.write(**{key: made.toPlainText()}))
        made.installEventFilter(self)
        self._fields[key] = made
        return made

    def _insert(self, entry: tuple[Kind, str, str]) -> QWidget:
        kind, title, _ = entry
        key = f"report_insert_{kind.replace(' ', '_')}"
        made = button(f"{tr(title)} ▾", key, look="link", tip=tr("Put it in where the cursor is"))
        made.clicked.connect(
            lambda: self.menu(kind).popup(made.mapToGlobal(made.rect().bottomLeft()))
        )
        return made

    def _templates(self) -> QComboBox:
        made = QComboBox()
        name(made, "report_template", tr("Template"))
        made.setToolTip(tr("Which sections the report has; empty findings get its list"))
        made.addItem(tr("As the results need"), "")
        for each in templates():
            made.addItem(tr(each.title), each.name)
        made.setMaximumWidth(216)
        made.activated.connect(lambda: self._choose(made.currentData()))
        return made

    def _paper(self) -> QComboBox:
        made = QComboBox()
        name(made, "report_paper", tr("Paper"))
        made.setToolTip(tr("Size of the pages"))
        for value, text in _PAPERS:
            made.addItem(text, value)
        made.setCurrentIndex(made.findData(self._app.preferences.settings.paper))
        made.activated.connect(lambda: self._app.preferences.change(paper=made.currentData()))
        return made

    # -- something happened ----------------------------------------------------------------

    def _choose(self, template: str) -> None:
        """Take a template; findings that nobody wrote yet become its list."""
        reading = self._app.reading
        wanted: dict[str, str] = {"template": template}
        known = {each.findings for each in templates()}
        if template and reading.words.findings.strip() in ("", *(each.strip() for each in known)):
            wanted["findings"] = template_for(template, ()).findings
        reading.write(**wanted)

    def _put(self, insertion: Insertion) -> None:
        """Insert at the cursor, with a blank where two words would touch."""
        field = self._fields[self._into]
        cursor = field.textCursor()
        before = field.toPlainText()[: cursor.position()]
        blank = " " if before and not before[-1].isspace() else ""
        cursor.insertText(blank + insertion.text)
        field.setFocus()


def _make_room(field: QPlainTextEdit) -> None:
    """Give a text the height of its lines."""
    field.ensurePolished()
    margins = 2 * (round(field.document().documentMargin()) + field.frameWidth())
    lines = int(field.property("lines"))
    field.setFixedHeight(lines * field.fontMetrics().lineSpacing() + margins)


def _inside(session: Session) -> str:
    """One sentence on what will stand in the report."""
    if session.volume is None and not session.tables:
        return tr("Open a study, then write its report here.")
    if not session.results:
        more = tr(" A model is still running.") if session.unfinished is not None else ""
        return tr("No model has been run: the report holds images and your words.") + more
    said = ", ".join(_result_words(each, session.named(each)) for each in session.results)
    one = len(session.results) == 1
    text = tr("Holds the result of ") if one else tr("Holds the results of ")
    findings = len(session.findings)
    text += said
    return text + (tr(", {n} findings.", n=findings) if findings != 1 else tr(", 1 finding."))


def _result_words(result: Prediction, called: str) -> str:
    """A model and the first figure that it told."""
    score = result.scores[0] if result.scores else None
    if score is None or score.value is None:
        return called
    return f"{called}: {figure_text(score.value, score.name)}"
