"""The demo in the window: the model runs on the demo study, and pictures of all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from medview.domain.errors import MedviewError, ModelInputError, WriteError
from medview.domain.overlay import UNCERTAINTIES
from medview.services.choices import Choices
from medview.services.demo import MODEL, Keeping
from medview.services.session_values import Message
from medview.ui.app import App
from medview.ui.screenshot import unwritten

PLANES = ("axial", "coronal", "sagittal")
REPORT = "report.pdf"
# Panels and thumbnails are drawn in the turn after the panes.
_SETTLE_MS = 150

Finish = Callable[[MedviewError | None], object]


class DemoRun(QObject):
    """Opens a study, runs the model as soon as it can, and goes to what was found.

    `shown` is called once when the result is on screen, with None, or with the error that came
    instead.
    """

    def __init__(self, app: App, choices: Choices, shown: Finish) -> None:
        super().__init__(app.window)
        self._app, self._choices, self._shown = app, choices, shown
        self._has_begun = self._is_over = False
        events = app.session.events
        events.volume_id.connect(self._on_volume)
        events.predictions.connect(self._on_result)
        events.message.connect(self._on_message)

    def begin(self, study: Path) -> None:
        """Open the study; everything else follows."""
        self._app.window.open_paths((study,))

    def _on_volume(self) -> None:
        if self._has_begun or self._app.session.volume_id is None:
            return
        self._has_begun = True
        self._app.window.show_panel("results")
        # Once the event is over, so that every panel has seen the volume first.
        QTimer.singleShot(0, self, lambda: self._app.analysis.run(MODEL, self._choices))

    def _on_result(self) -> None:
        session, viewing = self._app.session, self._app.viewing
        if self._is_over or not session.results:
            return
        viewing.maps.show_map("score")
        if not session.overlay_on:
            viewing.maps.toggle_overlay()
        if session.findings:
            viewing.go_to_finding(session.findings[0])
        self._end(None)

    def _on_message(self, message: Message | None) -> None:
        if message is not None and message.kind == "error":
            self._end(message.error or ModelInputError(message.text))

    def _end(self, error: MedviewError | None) -> None:
        if not self._is_over:
            self._is_over = True
            self._shown(error)


class DemoPictures(QObject):
    """Saves pictures of the window with its result, then the report, then the result itself.

    `finish` is called once, with None or the error that ended it.
    """

    def __init__(self, app: App, keeping: Keeping, folder: Path, finish: Finish) -> None:
        super().__init__(app.window)
        self._app, self._keeping, self._folder, self._finish = app, keeping, folder, finish
        self._steps = self._pictures()
        self._is_over = False
        app.session.events.message.connect(self._on_message)

    def begin(self) -> None:
        """Save one picture after the other, each when everything has been drawn."""
        QTimer.singleShot(_SETTLE_MS, self, self._next)

    def _pictures(self) -> Iterator[tuple[str, QWidget]]:
        """Bring the window into each state; the name of its picture and what is pictured."""
        window, viewing = self._app.window, self._app.viewing
        yield "window", window
        window.show_panel("results")
        yield "results", window.side.shown
        for plane in PLANES:
            pane = self._pane_of(plane)
            viewing.maximise(pane)
            yield plane, window.grid.panes[pane]
            viewing.maximise(pane)
        pane = self._pane_of("axial")
        viewing.maximise(pane)
        for name in UNCERTAINTIES:
            viewing.maps.show_map(name)
            yield f"uncertainty_{name}", window.grid.panes[pane]
        viewing.maps.show_map("score")
        viewing.maximise(pane)

    def _pane_of(self, plane: str) -> str:
        views = self._app.session.views
        return next(key for key, view in views.items() if view.plane.value == plane)

    def _next(self) -> None:
        """Save what the last step has set up, then set up the next one."""
        if self._is_over:
            return
        step = next(self._steps, None)
        if step is None:
            self._write_report()
            return
        QTimer.singleShot(_SETTLE_MS, self, lambda: self._save(*step))

    def _save(self, name: str, widget: QWidget) -> None:
        QApplication.processEvents()
        path = self._folder / f"{name}.png"
        if _picture_of(widget).save(str(path)):
            self._next()
        else:
            self._end(unwritten(path))

    def _write_report(self) -> None:
        reading = self._app.reading
        reading.exported.connect(self._on_exported)
        reading.export(self._folder / REPORT)

    def _on_exported(self, *_: object) -> None:
        self._app.reading.exported.disconnect(self._on_exported)
        self._keeping.write(self._folder, lambda *_: self._end(None), self._end)

    def _on_message(self, message: Message | None) -> None:
        if message is not None and message.kind == "error":
            self._end(message.error or WriteError(message.text))

    def _end(self, error: MedviewError | None) -> None:
        if not self._is_over:
            self._is_over = True
            self._finish(error)


def _picture_of(widget: QWidget) -> QPixmap:
    """The widget as it is drawn; of what scrolls all of it, however long."""
    seen = widget.grab()
    inner = widget.widget() if isinstance(widget, QScrollArea) else None
    if inner is None:
        return seen
    whole = QPixmap(inner.size())
    # What scrolls has no ground of its own: it lies on that of the area round it.
    whole.fill(seen.toImage().pixelColor(1, 1))
    inner.render(whole)
    return whole
