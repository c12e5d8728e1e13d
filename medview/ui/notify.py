"""The only place for messages: a bar that never stands in the way, and the one question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMessageBox, QPushButton, QVBoxLayout, QWidget

from medview.domain.discretion import discreet
from medview.domain.errors import (
    Cancelled,
    GeometryError,
    MedviewError,
    ModelInputError,
    ReadError,
)
from medview.services.session import Session
from medview.services.session_values import Message, TableFile
from medview.ui.controls import button, clear, label, name
from medview.ui.words import tr

_AT_MOST = 3
_STAYS_MS = 8000
# Errors of these kinds are about a file or a series that was open when they were told.
_OF_IMAGES = (ReadError, GeometryError, ModelInputError)


@dataclass(frozen=True, slots=True)
class Choice:
    """A button of a note: its text and what it does."""

    text: str
    run: Callable[[], object]


class Note(QFrame):
    """One message with its buttons; the cross takes it away."""

    def __init__(self, text: str, kind: str, choices: tuple[Choice, ...], number: int) -> None:
        super().__init__()
        name(self, f"note_{number}", text)
        self.text, self.kind, self.has_choices = text, kind, bool(choices)
        self.is_of_images = False
        self.file = ""
        self.setProperty("look", "note")
        self.setProperty("kind", kind)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 8, 6)
        row.setSpacing(8)
        self._words = label(text, "strong" if kind == "error" else "", wraps=True)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(self._words, 1)
        for place, choice in enumerate(choices):
            made = button(choice.text, f"note_{number}_choice_{place}")
            made.clicked.connect(lambda _=False, run=choice.run: self._on_chosen(run))
            row.addWidget(made)
        cross = QPushButton("✕")
        name(cross, f"note_{number}_close", tr("Close this message"))
        cross.setToolTip(tr("Close this message"))
        cross.setProperty("look", "link")
        cross.setProperty("sign", True)
        cross.clicked.connect(self.close_note)
        row.addWidget(cross)

    @property
    def said(self) -> str:
        """What stands there now."""
        return self._words.text()

    def name_files(self, *, named: bool) -> None:
        """Say it with the names of files in it, or without: they may be those of patients."""
        words = self.text if named else discreet(self.text)
        self._words.setText(words)
        self.setAccessibleName(words)

    def _on_chosen(self, run: Callable[[], object]) -> None:
        self.close_note()
        run()

    def close_note(self) -> None:
        """Take it away; the bar makes room."""
        self.hide()
        self.deleteLater()


class NoteBar(QWidget):
    """Messages above the panes, the newest on top; an equal one is not said twice."""

    def __init__(self) -> None:
        super().__init__()
        name(self, "notes", tr("Messages"))
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)
        self._said = 0
        self._names_files = True

    def be_private(self, private: bool) -> None:
        """Leave names of files out of what is said, also of what was said before."""
        self._names_files = not private
        for note in self._notes():
            note.name_files(named=self._names_files)

    def show_error(self, error: MedviewError, *choices: Choice) -> None:
        """Say what went wrong, in its own words; a stop the reader asked for needs none."""
        if not isinstance(error, Cancelled):
            still = error.still_works
            tail = " " + tr("Still usable: {what}.", what=still.rstrip(".")) if still else ""
            note = self._add(f"{error}{tail}", "error", choices)
            if note is not None:
                note.is_of_images = isinstance(error, _OF_IMAGES)
                note.file = error.file or ""

    def show_note(
        self, text: str, *choices: Choice, kind: str = "info", stays: bool = True
    ) -> None:
        """Say something; it goes by itself unless it `stays`."""
        note = self._add(text, kind, choices)
        if note is not None and not stays:
            QTimer.singleShot(_STAYS_MS, note, note.close_note)

    def take_back(self, text: str) -> None:
        """Take a note away that holds no more; nothing where it is not said."""
        for note in self._notes():
            if text and note.text == text:
                note.close_note()

    def follow(self, session: Session) -> None:
        """Say what services say, without names of files in private mode."""
        events = session.events
        events.message.connect(self.show_message)
        events.private.connect(self.be_private)
        events.tables.connect(self._on_tables)
        self.be_private(session.private)

    def _on_tables(self, tables: Mapping[str, TableFile]) -> None:
        """A table that is there now could be read after all."""
        read = {each.path.name for each in tables.values()}
        for note in self._notes():
            if note.file in read and note.is_of_images:
                note.close_note()

    def show_message(self, message: Message | None) -> None:
        """Say what a service says; what is wrong or a warning stays."""
        if message is None:
            return
        if message.error is not None:
            ways = (Choice(tr(way.text), way.take) for way in message.ways)
            self.show_error(message.error, *ways)
        else:
            self.show_note(message.text, kind=message.kind, stays=message.kind != "info")

    def let_go(self) -> None:
        """Take away what was said of folders that are left; other errors and offers stay."""
        for note in self._notes():
            if (note.kind != "error" or note.is_of_images) and not note.has_choices:
                note.close_note()

    @property
    def newest(self) -> tuple[Note, QPushButton] | None:
        """The note that was said last, with its first button; None where nothing is said."""
        note = next(iter(self._notes()), None)
        if note is None:
            return None
        here = Qt.FindChildOption.FindDirectChildrenOnly
        return note, note.findChildren(QPushButton, options=here)[0]

    def texts(self) -> list[str]:
        """What is said now, newest first."""
        return [note.said for note in self._notes()]

    def clear(self) -> None:
        """Take all messages away."""
        clear(self._rows)

    def _notes(self) -> list[Note]:
        here = self.findChildren(Note, options=Qt.FindChildOption.FindDirectChildrenOnly)
        seen = [note for note in here if not note.isHidden()]
        return sorted(seen, key=self._rows.indexOf)

    def _add(self, text: str, kind: str, choices: tuple[Choice, ...]) -> Note | None:
        if text in [note.text for note in self._notes()]:
            return None
        self._said += 1
        note = Note(text, kind, choices, self._said)
        note.name_files(named=self._names_files)
        self._rows.insertWidget(0, note)
        note.show()
        for old in self._notes()[_AT_MOST:]:
            old.close_note()
        return note


def ask(parent: QWidget, text: str, yes: str, no: str) -> bool:
    """Ask before something that cannot be taken back; True for `yes`. The only dialog."""
    box = QMessageBox(parent)
    name(box, "question", text)
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setWindowTitle("medview")
    box.setText(text)
    accept = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
    keep = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.exec()
    return box.clickedButton() is accept
