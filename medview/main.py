"""Builds services and window, in order. The only module that sees all of the program."""

from __future__ import annotations

import logging
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from medview import __version__
from medview.domain.errors import MedviewError
from medview.services.analysis import Analysis
from medview.services.jobs import Jobs
from medview.services.library import Library
from medview.services.reading import Reading
from medview.services.session import Message, Session
from medview.services.settings import Preferences
from medview.services.tasks import mark_silent
from medview.services.thumbnails import Thumbnails
from medview.services.viewing import Viewing
from medview.ui.app import App
from medview.ui.main_thread import MainThread
from medview.ui.screenshot import WhenDrawn
from medview.ui.window import MainWindow

_LOG = logging.getLogger("medview")
# Python notices Ctrl+C in the terminal only when it gets a turn.
_TURN_MS = 400


@dataclass(slots=True, eq=False)
class Program:
    """A running program: Qt, the services with the window, and the child processes."""

    qt: QApplication
    app: App
    jobs: Jobs

    def run(self) -> int:
        """Go on until the window is closed; then end the children."""
        try:
            return self.qt.exec()
        finally:
            self.close()

    def close(self) -> None:
        """End the children and drop the window."""
        self.app.window.hide()
        self.jobs.close()


def build(preferences: Preferences | None = None, weights: Path | None = None) -> Program:
    """Make the whole program; the window is built and not yet shown.

    `weights` is a folder with a folder for each model, in place of the one that ships.
    """
    qt = _application()
    session, preferences = Session(), preferences or Preferences()
    jobs = Jobs(MainThread(qt).post, hung=lambda job: mark_silent(session, job))
    session.private = preferences.settings.private
    analysis = Analysis(jobs, session, preferences, weights=weights)
    app = App(
        session=session,
        preferences=preferences,
        library=Library(jobs, session, preferences),
        viewing=Viewing(session, preferences),
        analysis=analysis,
        reading=Reading(jobs, session, preferences, analysis),
        thumbnails=Thumbnails(jobs, session),
    )
    window = MainWindow(app)
    _catch_what_nobody_foresaw(session)
    window.destroyed.connect(jobs.close)
    return Program(qt, app, jobs)


def open_window(paths: tuple[Path, ...] = (), screenshot: Path | None = None) -> int:
    """Open the window on paths; with `screenshot` save pictures there and end by itself."""
    program = build()
    answer: list[int] = []

    def finish(error: MedviewError | None) -> None:
        if error is not None:
            print(f"medview: {error}", file=sys.stderr)
        answer.append(0 if error is None else error.exit_code)
        program.qt.exit()

    def interrupted(*_: object) -> None:
        answer.append(130)
        # quit() would close the window first, which asks back while a model runs.
        program.qt.exit()

    window = program.app.window
    if screenshot is not None:
        WhenDrawn(window, screenshot, finish)
    signal.signal(signal.SIGINT, interrupted)
    turn = QTimer()
    turn.timeout.connect(lambda: None)
    turn.start(_TURN_MS)
    window.show()
    if paths:
        QTimer.singleShot(0, lambda: window.open_paths(paths))
    _warm_when_idle(program)
    code = program.run()
    return answer[0] if answer else code


def _application() -> QApplication:
    """The one QApplication; offscreen where there is no display."""
    has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not has_display:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    # What Qt says, such as that no window manager is there, belongs into the log.
    qInstallMessageHandler(lambda kind, place, text: _LOG.debug("Qt: %s", text))
    known = QApplication.instance()
    qt = known if isinstance(known, QApplication) else QApplication(["medview"])
    qt.setApplicationName("medview")
    qt.setApplicationVersion(__version__)
    return qt


def _warm_when_idle(program: Program) -> None:
    """Load the networks' libraries in their child once the first image is on screen."""
    events, analysis = program.app.session.events, program.app.analysis

    def on_first(_: object) -> None:
        events.volume_id.disconnect(on_first)
        analysis.warm()

    events.volume_id.connect(on_first)


def _catch_what_nobody_foresaw(session: Session) -> None:
    """Say that something went wrong and keep the trace in the log, without patient data."""

    def on_error(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        # Names of kinds and places only: the text of an error may hold a name or a path.
        places = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        _LOG.error("unexpected %s at %s", kind.__name__, " < ".join(reversed(places)))
        text = f"Something unexpected went wrong ({kind.__name__}). The image is unchanged."
        session.message = Message(text, "error")

    sys.excepthook = on_error
