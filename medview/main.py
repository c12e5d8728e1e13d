"""Builds services and window, in order. The only module that sees all of the program."""

from __future__ import annotations

import functools
import logging
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QSettings, QTimer, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from medview import __version__
from medview.domain.errors import Cancelled, MedviewError
from medview.io.atomic import own_folder
from medview.io.installation import home
from medview.services.analysis import Analysis
from medview.services.arranging import Arranging
from medview.services.audit import trail_file
from medview.services.hanging import Hanging
from medview.services.headers import Headers
from medview.services.jobs import Jobs
from medview.services.library import Library
from medview.services.measuring import Measuring
from medview.services.model_library import ModelLibrary
from medview.services.outgoing import Outgoing
from medview.services.reading import Reading
from medview.services.records import Records
from medview.services.session import Session
from medview.services.session_values import Message
from medview.services.settings import Asked, Preferences
from medview.services.shelf import Shelf
from medview.services.tasks import mark_silent
from medview.services.thumbnails import Thumbnails
from medview.services.trying import Trying
from medview.services.tuning import Tuning
from medview.services.viewing import Viewing
from medview.services.volume_view import VolumeView
from medview.services.voxel_curves import VoxelCurves
from medview.services.witness import Witness
from medview.services.workspaces import Workspaces
from medview.services.writing import Beside, Writer
from medview.ui.app import App
from medview.ui.ending import leaving_when_asked
from medview.ui.main_thread import MainThread
from medview.ui.screenshot import WhenDrawn
from medview.ui.window import MainWindow

_LOG = logging.getLogger("medview")
_LOG_BYTES = 1 << 20
# A disk that takes longer to give the settings does not keep the window waiting.
_PATIENCE_S = 2.0
_LATE = (
    "Your settings could not be read: the disk with medview's own folder does not answer. The "
    "usual ones are in force until it does. Look at the disk or its network."
)


def _say(error: MedviewError) -> int:
    """Print why the window ends by itself; its exit code."""
    print(f"medview: {error}", file=sys.stderr)
    return error.exit_code


@dataclass(slots=True, eq=False)
class Program:
    """A running program: Qt, services with the window, child processes, and the files' thread.

    `tell` is given what fails at the very end.
    """

    qt: QApplication
    app: App
    jobs: Jobs
    writer: Beside
    exit_code: int = 0
    tell: Callable[[MedviewError], object] = _say

    def run(self) -> int:
        """Go on until the window is closed; then end the children."""
        try:
            code = self.qt.exec()
        finally:
            self.close()
        return code or self.exit_code

    def close(self) -> None:
        """End the children and drop the window; what is to be kept is on the disk then.

        A disk that does not answer is waited for some seconds, then a line says so.
        """
        self.app.window.hide()
        self.app.workspaces.close()
        self.app.witness.close()
        for error in self.writer.close():
            self.exit_code = error.exit_code
            self.tell(error)
        self.jobs.close()


@dataclass(frozen=True, slots=True)
class Places:
    """Where the program finds and keeps things besides its settings; None keeps no results.

    `weights` is a folder with a folder for each model, in place of the one that ships.
    """

    trail: Path
    results: Path | None = None
    weights: Path | None = None


def build(
    preferences: Preferences | None = None, weights: Path | None = None, asked: Asked | None = None
) -> Program:
    """Make the whole program; the window is built and not yet shown. `weights` as in ``Places``.

    `asked` is for this start alone; preferences that are given bring their own.
    """
    qt = _application()
    session, post = Session(), MainThread(qt).post
    jobs, writer = Jobs(post, hung=lambda job: mark_silent(session, job)), Beside(post)
    _keep_log(writer)
    preferences = preferences or Preferences(writer=writer, patience_s=_PATIENCE_S, asked=asked)
    preferences.writer = writer
    _obey(preferences, session)
    places = Places(trail_file(), preferences.folder / "results", weights)
    app = joined(jobs, session, preferences, places)
    window = MainWindow(app)
    if preferences.is_late:
        session.message = Message(_LATE, "warning")
    app.tuning.reopen(lambda words: setattr(session, "message", Message(words)))
    _catch_what_nobody_foresaw(session)
    window.destroyed.connect(jobs.close)
    return Program(qt, app, jobs, writer)


def _obey(preferences: Preferences, session: Session) -> None:
    """Let the session be as the settings say, also where these come late."""

    def take() -> None:
        # What was asked for at the start, or since, stays.
        session.private = session.private or preferences.settings.private
        session.first_reader = preferences.settings.first_reader

    def arrived() -> None:
        take()
        session.message = Message("Your settings were read now, and are in force.")

    take()
    preferences.arrived.connect(arrived)


def joined(jobs: Jobs, session: Session, preferences: Preferences, places: Places) -> App:
    """All services on one session, joined to each other; the window comes later."""
    folder, writer = preferences.folder, preferences.writer
    models = ModelLibrary(
        jobs, session, shipped=places.weights, own=folder / "models", writer=writer
    )
    shelf = Shelf(jobs, session, places.results)
    analysis = Analysis(jobs, session, preferences, models=models, shelf=shelf)
    viewing = Viewing(session, preferences)
    library = Library(jobs, session, preferences)
    measuring = Measuring(session, viewing)
    arranging = Arranging(session, library)
    kept = folder / "workspaces"
    workspaces = Workspaces(session, library, viewing, measuring, kept, writer)
    hanging = Hanging(session, arranging, preferences, folder)
    workspaces.fresh.connect(hanging.open)
    tuning = Tuning(jobs, session, preferences, models)
    reading = Reading(jobs, session, preferences, analysis, shelf)
    outgoing = Outgoing(jobs, session, analysis, measuring)
    reading.filed.connect(outgoing.take_report)
    return App(
        session=session,
        preferences=preferences,
        library=library,
        viewing=viewing,
        analysis=analysis,
        reading=reading,
        thumbnails=Thumbnails(jobs, session),
        shelf=shelf,
        records=Records(jobs, session),
        models=models,
        tuning=tuning,
        trying=Trying(jobs, session, analysis, tuning),
        measuring=measuring,
        arranging=arranging,
        hanging=hanging,
        curves=VoxelCurves(jobs, session),
        workspaces=workspaces,
        volume_view=VolumeView(jobs, session, viewing),
        headers=Headers(jobs, session),
        outgoing=outgoing,
        witness=Witness(jobs, session, reading, outgoing, places.trail, writer),
    )


@dataclass(frozen=True, slots=True)
class Speech:
    """How the end of the window is told, once nothing is printed any more by others.

    `tell` prints why it ended and gives the exit code; `answer` is given the pictures that were
    saved; `hushed` keeps stdout clean as long as the window is open.
    """

    tell: Callable[[MedviewError], int] = _say
    answer: Callable[[tuple[Path, ...]], object] = lambda _: None
    hushed: Callable[[], AbstractContextManager[None]] = nullcontext


def open_window(
    paths: tuple[Path, ...] = (),
    screenshot: Path | None = None,
    *,
    private: bool = False,
    asked: Asked | None = None,
    speech: Speech | None = None,
) -> int:
    """Open the window on paths; with `screenshot` save pictures there and end by itself.

    `private` hides who is seen, whatever the settings say; these stay as they are, as they do
    with what is `asked` for this start.
    """
    speech = speech or Speech()
    program = build(asked=asked)
    program.app.session.private = private or program.app.session.private
    errors: list[MedviewError] = []
    late: list[MedviewError] = []
    program.tell = late.append
    with speech.hushed():
        saved = _run(program, paths, screenshot, errors.append)
    # Pictures that were asked for are there, whatever could not be kept for the next time.
    errors = errors if saved and not errors else [*errors, *late]
    if errors:
        code = speech.tell(errors[0])
    else:
        code = 0 if saved else program.exit_code
        speech.answer(saved)
    for error in errors[1:] or (late if saved else ()):
        _say(error)
    if program.writer.is_at_work:
        # Files of a disk that does not answer would be closed at the interpreter's end.
        sys.stdout.flush()
        os._exit(code)
    return code


def _run(
    program: Program,
    paths: tuple[Path, ...],
    screenshot: Path | None,
    failed: Callable[[MedviewError], object],
) -> tuple[Path, ...]:
    """Show the window until it is closed or all is saved; the pictures that were saved."""
    window = program.app.window
    saved: list[Path] = []

    def finish(found: tuple[Path, ...] | MedviewError) -> None:
        if isinstance(found, MedviewError):
            failed(found)
        else:
            saved.extend(found)
        program.qt.exit()

    if screenshot is not None:
        WhenDrawn(window, screenshot, finish)
    # quit() would close the window first, which asks back while a model runs.
    with leaving_when_asked(program.qt.exit) as asked:
        window.show()
        if screenshot is None:
            window.autosave.offer()
        if paths:
            QTimer.singleShot(0, lambda: window.open_paths(paths))
        _warm_when_idle(program)
        program.exit_code = program.run()
    if asked:
        failed(Cancelled("stopped before the end"))
    return tuple(saved)


def _application() -> QApplication:
    """The one QApplication; offscreen where there is no display."""
    has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not has_display:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    # Qt's own file dialog would write the folders that were visited into the user's settings.
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, os.devnull)
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
    """Say that something went wrong and keep its places in the log, without patient data."""

    def on_error(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        # Names of kinds and places only: the text of an error may hold a name or a path.
        _LOG.error("unexpected %s at %s", kind.__name__, " < ".join(_places(trace)))
        print(f"medview: unexpected {kind.__name__}, see the log", file=sys.stderr)
        if os.environ.get("MEDVIEW_DEBUG"):
            traceback.print_exception(error)
        text = f"Something unexpected went wrong ({kind.__name__}). The images are unchanged."
        session.message = Message(text, "error")

    sys.excepthook = on_error


def _places(trace: TracebackType | None) -> list[str]:
    """Where an error came from, the innermost place first, without folders."""
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places[::-1]


class _OwnersLog(RotatingFileHandler):
    """A log for the eyes of its owner alone."""

    def _open(self) -> TextIOWrapper:
        own_folder(Path(self.baseFilename).parent)
        own = functools.partial(os.open, mode=0o600)
        return open(self.baseFilename, "a", encoding="utf-8", opener=own)


class _Beside(logging.Handler):
    """Has another handler write beside the window."""

    def __init__(self, file: logging.Handler, writer: Writer) -> None:
        super().__init__(logging.WARNING)
        self._file, self._writer = file, writer

    def emit(self, record: logging.LogRecord) -> None:
        self._writer.put(lambda: self._file.handle(record))


def _keep_log(writer: Writer) -> None:
    """Keep warnings and errors in a small file of our own; it is made when there is one."""
    for handler in _LOG.handlers[:]:
        if isinstance(handler, _Beside):
            _LOG.removeHandler(handler)
    path = home() / "medview.log"
    file = _OwnersLog(path, maxBytes=_LOG_BYTES, backupCount=1, delay=True)
    file.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    _LOG.addHandler(_Beside(file, writer))
