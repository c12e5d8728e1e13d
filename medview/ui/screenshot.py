"""Pictures of the window and of each pane, once everything is drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import disk_usage

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from medview.domain.errors import MedviewError, WriteError
from medview.services.session_values import Message
from medview.ui.window import MainWindow

_GIVE_UP_MS = 180_000
# Panels and thumbnails are drawn in the turn after the panes.
_SETTLE_MS = 150
# Bytes: less than a picture takes.
_LITTLE = 2**20

Finish = Callable[[tuple[Path, ...] | MedviewError], object]


def save_pictures(window: MainWindow, folder: Path) -> tuple[Path, ...]:
    """Write window.png and pane_<plane>.png for every pane that is seen.

    Raises
    ------
    WriteError
        If a picture cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"no picture can be written there: {error.strerror}"
        raise WriteError(what, file=folder.name, do="Choose another folder.") from error
    pictures = {"window": window.grab()}
    for pane in window.grid.visible_panes:
        view = window.grid.view_of(pane.key)
        if view is not None:
            pictures[f"pane_{view.plane.value}"] = pane.picture()
    written = []
    for name, picture in pictures.items():
        path = folder / f"{name}.png"
        if not picture.save(str(path)):
            raise unwritten(path)
        written.append(path)
    return tuple(written)


def unwritten(path: Path) -> WriteError:
    """Why a picture was not written, as far as the disk tells; Qt says only that it was not."""
    try:
        free = disk_usage(path.parent).free
    except OSError:
        free = _LITTLE
    if free < _LITTLE:
        do = "Free some space and write it again."
        return WriteError("the disk is full", file=path.name, do=do)
    return WriteError("the picture cannot be written", file=path.name, do="Choose another folder.")


class WhenDrawn(QObject):
    """Waits until an opened series is drawn in every pane, saves pictures, and says which."""

    def __init__(self, window: MainWindow, folder: Path, finish: Finish) -> None:
        super().__init__(window)
        self._window, self._folder, self._finish = window, folder, finish
        self._is_over = False
        window.grid.drawn.connect(self._on_drawn)
        window.session.events.message.connect(self._on_message)
        late = WriteError("nothing was drawn in time", do="Try a smaller folder.")
        QTimer.singleShot(_GIVE_UP_MS, self, lambda: self._end(late))

    def _on_drawn(self) -> None:
        session = self._window.session
        panes = self._window.grid.visible_panes
        if session.volume_id is not None and all(pane.frame_shown is not None for pane in panes):
            QTimer.singleShot(_SETTLE_MS, self, self._save)

    def _on_message(self, message: Message | None) -> None:
        if (
            message is not None
            and message.error is not None
            and self._window.session.volume is None
        ):
            self._end(message.error)

    def _save(self) -> None:
        if self._is_over:
            return
        QApplication.processEvents()
        try:
            saved = save_pictures(self._window, self._folder)
        except WriteError as error:
            self._end(error)
        else:
            self._end(saved)

    def _end(self, found: tuple[Path, ...] | MedviewError) -> None:
        if not self._is_over:
            self._is_over = True
            self._finish(found)
