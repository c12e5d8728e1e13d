"""Commands for what leaves the workstation as DICOM, and for the trail of what was done."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from medview.services.audit import broken_words
from medview.ui.action import Action, has_image
from medview.ui.app import App
from medview.ui.audit_view import AuditView
from medview.ui.notify import ask
from medview.ui.saving import ask_for_file
from medview.ui.words import tr

_FILES = "medview-dicom"
_COPY = "medview-copy"
_MOVIE = "movie.gif"


def export_dicom(app: App) -> None:
    """Ask where to, then write results, measurements and key images as DICOM objects."""
    folder = _new_folder(app, tr("Export DICOM to a new folder"), _FILES)
    if folder is not None:
        app.outgoing.export(folder)


def copy_without_identity(app: App) -> None:
    """Ask where to and about burned-in text, then copy the study without identity."""
    folder = _new_folder(app, tr("Copy without identity to a new folder"), _COPY)
    if folder is None:
        return
    text = tr(
        "Pictures such as ultrasound and secondary captures may have names burned in. They are "
        "held back unless somebody has looked at each of them."
    )
    with_burned_in = ask(app.window, text, tr("Copy them, too"), tr("Hold them back"))
    app.outgoing.deidentify(folder, with_burned_in=with_burned_in)


def save_movie(app: App) -> None:
    """Ask where to, then write the slices of the active pane; nothing is asked without a stack."""
    if not app.outgoing.has_stack:
        return
    # The name says nothing of the patient.
    chosen = ask_for_file(app.window, tr("Save movie"), _MOVIE, "GIF", ".gif")
    if chosen is not None:
        app.outgoing.movie(chosen, app.preferences.settings.cine_rate)


def show_trail(app: App) -> None:
    """Show what was done here and whether the record is whole."""
    app.witness.look(
        lambda entries, verdict: AuditView(
            app.window, entries, broken_words(verdict), holds=verdict.holds, last=verdict.lines
        ).show()
    )


def _new_folder(app: App, title: str, start: str) -> Path | None:
    """A folder that is made on writing; the name offered says nothing of the patient.

    None where nothing is open, too: there is nothing to ask about.
    """
    if not has_image(app):
        return None
    chosen, _ = QFileDialog.getSaveFileName(app.window, title, str(Path.home() / start))
    return Path(chosen) if chosen else None


LEAVING = (
    Action(
        "file.save_movie", "Save movie …", save_movie, "File",
        tip="Write all slices of the active pane, as drawn, as an animated GIF",
        enabled=lambda app: app.outgoing.has_stack,
    ),
    Action(
        "file.export_dicom", "Export DICOM …", export_dicom, "File",
        "Ctrl+E", tip="Write results, drawings, key images and the report as DICOM objects",
        enabled=lambda app: not app.outgoing.refusal, refusal=lambda app: app.outgoing.refusal,
    ),
    Action(
        "file.deidentify", "Copy without identity …", copy_without_identity, "File",
        tip="Copy the study by the Basic Profile of PS3.15: no name, number or date",
        enabled=has_image,
    ),
)  # fmt: skip

TRAIL = Action(
    "help.audit", "Audit trail …", show_trail, "Help",
    tip="What was opened, run, accepted, exported and signed here, and whether it is whole",
)  # fmt: skip
