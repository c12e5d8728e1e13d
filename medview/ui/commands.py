"""Commands that are more than one call of a service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtWidgets import QFileDialog, QInputDialog

from medview.domain.formats import ENDINGS
from medview.domain.study import Patient, Study
from medview.imaging.intensity import presets_for
from medview.services.forgetting import alias, forget_training
from medview.services.session_values import Message
from medview.ui.app import App
from medview.ui.notify import ask
from medview.ui.saving import ask_for_file
from medview.ui.words import tr

# What lies in others: packed files, archives, and the pixels of a header.
_FILES = " ".join(("*.gz", "*.zip", "*.img", "DICOMDIR", *(f"*{each}" for each in ENDINGS)))
_PICTURE_NAME = "picture.png"


def open_folder(app: App) -> None:
    """Ask for a folder and open it."""
    chosen = QFileDialog.getExistingDirectory(app.window, tr("Open a folder of images"))
    if chosen:
        app.library.open((Path(chosen),))


def open_file(app: App) -> None:
    """Ask for files and open them."""
    kinds = f"{tr('Images')} ({_FILES});;{tr('All files (*)')}"
    chosen, _ = QFileDialog.getOpenFileNames(app.window, tr("Open image files"), "", kinds)
    if chosen:
        app.library.open(tuple(Path(each) for each in chosen))


def save_picture(app: App) -> None:
    """Ask where to, then write the active pane as it is drawn."""
    pane = app.session.active_pane
    if app.window.grid.view_of(pane) is None:
        return
    # The name says nothing of the patient.
    chosen = ask_for_file(app.window, tr("Save picture"), _PICTURE_NAME, "PNG", ".png")
    if chosen is None:
        return
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    app.window.grid.panes[pane].picture().save(buffer, "PNG")
    app.outgoing.picture(chosen, bytes(buffer.data().data()))


def toggle_private(app: App) -> None:
    """Hide who it is, or show it again; kept for the next start."""
    private = not app.session.private
    app.session.private = private
    app.preferences.change(private=private)


def toggle_theme(app: App) -> None:
    """From dark to light and back."""
    light = app.preferences.settings.theme == "light"
    app.preferences.change(theme="dark" if light else "light")


def step(app: App, steps: int) -> None:
    """The next time point of a series that has several, else the next series."""
    series = app.session.series
    if series is not None and series.times > 1:
        app.library.show_time(steps)
    else:
        app.library.show_next(steps)


def go_to_slice(app: App) -> None:
    """Ask for the number of an image and go there."""
    frame = app.window.grid.frame_of(app.session.active_pane)
    if frame is None:
        return
    number, done = QInputDialog.getInt(
        app.window,
        tr("Go to slice"),
        tr("Image 1 to {n}", n=frame.slices),
        frame.slice + 1,
        1,
        frame.slices,
    )
    if done:
        app.viewing.go_to(app.session.active_pane, number - 1)


def forget_results(app: App) -> None:
    """Ask, then delete what models said of the study on screen."""
    text = tr(
        "Delete every result of this study, with your answers? The report that you have written "
        "stays. This cannot be undone."
    )
    if ask(app.window, text, tr("Delete"), tr("Keep")):
        series = app.session.series
        owner = app.session.catalogue.owner(series) if series is not None else None
        app.shelf.forget()
        if owner is not None:
            app.witness.deleting(lambda: {"kind": "results", "study": alias(owner[1])})


def forget_workspace(app: App) -> None:
    """Ask, then delete how the study on screen was left."""
    text = tr("Delete what is kept of this study: layout, views, drawings and key images?")
    if ask(app.window, text, tr("Delete"), tr("Keep")):
        app.workspaces.forget()


def forget_study(app: App) -> None:
    """Ask, then delete all that is kept of the study on screen: as if it had never been here."""
    text = tr(
        "Delete all that is kept of this study: results, your answers, the report that you have "
        "written with its signatures, layout, drawings, key images and copies for training? Its "
        "images and what you have exported stay. This cannot be undone."
    )
    if not ask(app.window, text, tr("Delete"), tr("Keep")):
        return
    series = app.session.series
    owner = app.session.catalogue.owner(series) if series is not None else None
    app.shelf.forget()
    app.reading.forget()
    app.workspaces.forget()
    for path in app.library.paths:
        app.preferences.relocate(path, None)
    if owner is not None:
        _forget_training(app, *owner)


def _forget_training(app: App, patient: Patient, study: Study) -> None:
    """Delete copies for training, put it down, and say what is left; no disk is waited for."""
    left: list[Message] = []

    def work() -> dict[str, Any]:
        versions = app.models.versions()
        detail, message = forget_training(app.preferences.folder, patient, study, versions)
        left.extend(() if message is None else (message,))
        return detail

    def done() -> None:
        for message in left:
            app.session.message = message

    app.witness.deleting(work, done)


def give_up(app: App) -> bool:
    """Stop what plays or give up what is drawn; False when nothing was under way."""
    if app.window.cine.reel:
        app.window.cine.stop()
        return True
    if app.window.mouse.is_dragging:
        app.window.mouse.give_up()
        app.measuring.give_up()
        return True
    return app.measuring.give_up()


def reset(app: App) -> None:
    """Stop what plays or give up what is drawn; else undo zoom, turns and window of the pane."""
    if not give_up(app):
        app.viewing.reset(app.session.active_pane)


def magnify(app: App) -> None:
    """Take the magnifying glass into the hand, or put it away."""
    mouse = app.window.mouse
    on = not mouse.magnifies
    if not on:
        for pane in app.window.grid.panes.values():
            pane.set_loupe(None)
    mouse.magnify(app.window.grid.panes.get(app.session.active_pane), on=on)


def cancel_jobs(app: App) -> None:
    """Stop everything that runs or waits."""
    for task in app.session.tasks:
        task.cancel()


def has_series(app: App) -> bool:
    """There is a series to go to."""
    return bool(app.session.catalogue.patients)


def has_preset(app: App, key: str) -> bool:
    """The volume on screen has a window on that key."""
    volume = app.session.volume
    return volume is not None and any(each.key == key for each in presets_for(volume))


def has_stack(app: App) -> bool:
    """There are images to go through: a volume that is no film."""
    return app.session.volume is not None and not app.session.volume.is_film


def toggle_crop(app: App) -> None:
    """Cut the 3-D view by a box, or no more; it is opened for that."""
    app.viewing.crop.toggle()
    if app.session.crop_on and app.window.volume.isHidden():
        app.window.toggle_volume()


def has_times(app: App) -> bool:
    """The series on screen has several time points."""
    series = app.session.series
    return app.session.volume is not None and series is not None and series.times > 1


def is_inverted(app: App) -> bool:
    """The active pane is inverted by the reader."""
    view = app.session.views.get(app.session.active_pane)
    return view is not None and view.inverted


def shows_crosshair(app: App) -> bool:
    """The crosshair is drawn."""
    return any(view.crosshair for view in app.session.views.values())
