"""While one works the workspace is kept; after an end that was none it is offered, once."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QFileDialog

from medview.services.session_values import Message
from medview.services.workspace_files import Draft
from medview.services.workspaces import KEPT
from medview.ui.app import App
from medview.ui.notify import Choice
from medview.ui.words import date, tr

# A kill loses at most what was done in this time.
_EVERY_MS = 1500


class Autosave(QObject):
    """Listens to what belongs to a workspace and keeps it a moment later."""

    def __init__(self, app: App, parent: QObject) -> None:
        super().__init__(parent)
        self._app = app
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(app.workspaces.keep_draft)
        for field in KEPT:
            getattr(app.session.events, field).connect(self._on_change)

    def _on_change(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def offer(self) -> None:
        """Say that the program ended unexpectedly, where it did; "no" is remembered."""
        self._app.workspaces.lost(self._offer)

    def _offer(self, lost: Draft) -> None:
        text = tr(
            "medview ended unexpectedly. What was not saved, of {when}, can be taken back.",
            when=_when(lost.at),
        )
        if lost.running:
            more = tr("Not the results that were still to come; run again: {models}.")
            text = f"{text} {more.format(models=', '.join(lost.running))}"
        self._app.window.notes.show_note(
            text,
            Choice(tr("Recover"), self._recover),
            Choice(tr("Skip"), self._app.workspaces.skip),
            kind="warning",
        )

    def _recover(self) -> None:
        self._app.workspaces.recover(self._recovered)

    def _recovered(self, paths: tuple[Path, ...]) -> None:
        if paths:
            open_known(self._app, paths)
        else:
            text = tr("It will be there when the study is opened again.")
            self._app.session.message = Message(text)


def save_workspace(app: App) -> None:
    """Keep layout, views and drawings of the study on screen now."""
    said = Message(tr("Workspace of this study saved."))

    def done() -> None:
        app.session.message = said

    app.workspaces.save(asked=True, done=done)


def open_known(app: App, paths: tuple[Path, ...]) -> None:
    """Open paths that were open before; ask where they are now if they have been moved."""
    app.library.look_for(paths, lambda gone: _open_known(app, paths, gone))


def _open_known(app: App, paths: tuple[Path, ...], gone: tuple[Path, ...]) -> None:
    if not gone:
        app.window.open_paths(paths)
        return
    # The name may be that of a patient.
    called = tr("What was open") if app.session.private else gone[0].name
    text = tr("{name} is not where it was: moved, renamed, or on a disk that is not there.",
              name=called)  # fmt: skip
    app.window.notes.show_note(
        text,
        Choice(tr("Locate …"), lambda: _locate(app, gone[0])),
        Choice(tr("Remove from Recent"), lambda: app.preferences.relocate(gone[0], None)),
        kind="warning",
    )


def _locate(app: App, gone: Path) -> None:
    private = app.session.private
    title = tr("Where is it now?") if private else tr("Where is {name} now?", name=gone.name)
    if gone.suffix and not gone.name.startswith("."):
        chosen, _ = QFileDialog.getOpenFileName(app.window, title)
    else:
        chosen = QFileDialog.getExistingDirectory(app.window, title)
    if chosen:
        app.preferences.relocate(gone, Path(chosen))
        app.window.open_paths((Path(chosen),))


def _when(iso: str) -> str:
    """A time in UTC as the clock on the wall says it."""
    at = datetime.fromisoformat(iso).astimezone()
    return f"{date(at.date().isoformat())}, {at:%H:%M}"
