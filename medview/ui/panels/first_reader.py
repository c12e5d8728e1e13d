"""What stands above the results: those kept back from the first reader, and open tables."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QVBoxLayout

from medview.services.session_values import TableFile
from medview.ui.app import App
from medview.ui.containers import Card, Row
from medview.ui.controls import button, clear, label, name
from medview.ui.eliding import ElidedLabel
from medview.ui.record_axis import length_words
from medview.ui.words import tr

_ROLES = {"series": "Record", "smri": "Structural features", "fmri": "Functional features"}


class FirstReaderCard(Card):
    """Says that results wait, and shows them when the reader is done."""

    def __init__(self, app: App) -> None:
        super().__init__("first_reader", tr("First reader"))
        self._app = app
        self._text = label("", wraps=True)
        name(self._text, "first_reader_text", tr("Results that wait"))
        self._done = button(
            tr("My read is done"),
            "read_done",
            look="primary",
            tip=tr("Show what the models say of this series"),
        )
        self._done.clicked.connect(lambda: app.viewing.maps.finish_reading())
        self.add(label(tr("First reader"), "strong"), self._text, Row(1, self._done))
        for field in ("first_reader", "read", "volume_id", "predictions", "unfinished"):
            getattr(app.session.events, field).connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Seen while something is kept back."""
        session = self._app.session
        waits = session.waiting
        self.setVisible(session.is_waiting and session.volume_id is not None)
        said = tr("What models say stays hidden until you have read the images yourself.")
        if waits:
            noun = tr("1 result waits.") if waits == 1 else tr("{n} results wait.", n=waits)
            said = f"{noun} {said}"
        self._text.setText(said)


class TablesCard(Card):
    """Tables beside the image: what they are, and a way to add and remove them."""

    def __init__(self, app: App) -> None:
        super().__init__("tables", tr("Tables"))
        self._app = app
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        add = button(
            tr("Add table …"),
            "table_add",
            look="link",
            tip=tr("A record of a stay (CSV with Hours) or features (.npy, CSV)"),
        )
        add.clicked.connect(self._on_add)
        self.add(Row(label(tr("Tables"), "strong"), 1, add))
        self.add(self._rows)
        for field in ("tables", "volume"):
            getattr(app.session.events, field).connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Seen where a model could take a table."""
        session = self._app.session
        takes = any(
            spec.role in _ROLES for card in self._app.analysis.cards() for spec in card.inputs
        )
        self.setVisible(bool(session.tables) or (session.volume is not None and takes))
        clear(self._rows)
        for role, each in session.tables.items():
            away = button("✕", f"table_remove_{role}", look="link", tip=tr("Use it no more"))
            away.clicked.connect(lambda _=False, role=role: self._app.records.remove(role))
            text = ElidedLabel(self._words(each), shorter=(self._words(each, brief=True),))
            role_words = label(tr(_ROLES[role]), "quiet")
            self._rows.addWidget(Row(role_words, text, away, grow=(1,)))

    def _words(self, each: TableFile, *, brief: bool = False) -> str:
        """Name and size of a table; its name alone where that is told and there is no room."""
        called = "" if self._app.session.private else each.path.name
        if brief and called:
            return called
        if each.record is None:
            columns, _, _ = each.given.size
            size = tr("{n} columns", n=columns)
        else:
            count = len(each.record.strips)
            size = tr("{n} variables, {h}", n=count, h=length_words(each.record.last))
        return " · ".join(part for part in (called, size) if part)

    def _on_add(self) -> None:
        kinds = tr("Tables (*.csv *.npy)")
        chosen, _ = QFileDialog.getOpenFileNames(self, tr("Add a table"), "", kinds)
        if chosen:
            self._app.records.add([Path(each) for each in chosen])
