"""The window, timed from its command on: ``bench load`` starts this as a process of its own.

It is the program as ``medview`` builds it, with a clock beside it. One JSON object goes to
stdout. A separate process, because only a fresh one tells what a start takes and what is loaded.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
from PySide6.QtCore import QObject, Qt, QTimer

from medview.main import Program, build
from medview.services.choices import Choices
from medview.services.demo import MODEL, study_folder

# What has no place in the process of the window: it costs memory and time to start.
HEAVY = (
    *("torch", "vtk", "vtkmodules", "scipy", "pydicom", "nibabel", "SimpleITK", "weasyprint"),
    "pyqtgraph",
)
_TICK_MS = 5
_GIVE_UP_S = 300.0


@dataclass(slots=True)
class Seen:
    """What was measured: seconds, MiB, names of modules, and milliseconds between two turns.

    `chosen_s` is from the choice of the series to its first slice on screen, `drop_s` from the
    drop of its folder; `window_cpu_s` is what the processor spent on the start, which other
    programs do not change. `heavy` are libraries found in this process with window, study and maps
    of a model on screen. `gaps_ms` are the waits of the event loop while the model ran.
    """

    window_s: float = 0.0
    window_cpu_s: float = 0.0
    drop_s: float = 0.0
    chosen_s: float = 0.0
    whole_s: float = 0.0
    slices: int = 0
    memory_mb: float = 0.0
    heavy: list[str] = field(default_factory=list)
    maps: int = 0
    gaps_ms: list[float] = field(default_factory=list)


def main(words: list[str]) -> None:
    """Measure: words are when the command was given (monotonic s), a folder, seconds to run."""
    began, folder, seconds = float(words[0]), Path(words[1]), float(words[2])
    seen = Seen()
    program = build()
    program.app.window.show()
    program.qt.processEvents()
    seen.window_s, seen.window_cpu_s = time.monotonic() - began, time.process_time()
    _open(program, folder, seen)
    seen.memory_mb = psutil.Process().memory_info().rss / 2**20
    if seconds > 0:
        _run_model(program, seconds, seen)
    seen.heavy = [name for name in HEAVY if name in sys.modules]
    program.close()
    print(json.dumps(asdict(seen)))


def _open(program: Program, folder: Path, seen: Seen) -> None:
    """Drop a folder on the window; note when its first slice and when all of it is there."""
    session, grid = program.app.session, program.app.window.grid
    dropped = time.monotonic()
    listed: list[float] = []
    drawn: list[bool] = []
    session.events.catalogue.connect(lambda _: listed.append(time.monotonic()))
    grid.drawn.connect(lambda: drawn.append(True) if session.volume is not None else None)
    program.app.window.open_paths((folder,))
    until(program, lambda: bool(drawn))
    # What is drawn into the panes is painted in the next turn.
    program.qt.processEvents()
    first = time.monotonic()
    until(program, lambda: session.volume_id is not None)
    seen.drop_s, seen.chosen_s = first - dropped, first - listed[0]
    seen.whole_s = time.monotonic() - listed[0]
    assert session.volume is not None
    seen.slices = session.volume.geometry.shape[0]


def _run_model(program: Program, seconds: float, seen: Seen) -> None:
    """Run a model on the study that comes with the program; note how the event loop waits."""
    session, window = program.app.session, program.app.window
    before = session.volume_id
    window.open_paths((study_folder(),))
    until(program, lambda: session.volume_id not in (None, before))
    window.show_panel("results")
    job = program.app.analysis.run(MODEL, Choices(threads=2))
    if job is None:
        return
    gaps = Gaps(program.qt)
    over = QTimer(program.qt, singleShot=True, interval=round(1000 * seconds))
    # exit(), not quit(): that would close the window, which asks back while something is stored.
    over.timeout.connect(program.qt.exit)
    # The clock runs from the first map on: until then the child only loads its libraries.
    session.events.unfinished.connect(lambda _: None if over.isActive() else over.start())
    session.events.predictions.connect(lambda _: program.qt.exit())
    QTimer.singleShot(round(1000 * _GIVE_UP_S), program.qt, program.qt.exit)
    program.qt.exec()
    seen.gaps_ms = gaps.ms
    seen.maps = len(session.maps)
    job.cancel()


class Gaps(QObject):
    """Counts how long the event loop takes from one turn to the next."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.ms: list[float] = []
        self._last = math.nan
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer, interval=_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        if not math.isnan(self._last):
            self.ms.append(1000 * (now - self._last))
        self._last = now


def until(program: Program, reached: Callable[[], bool]) -> None:
    """Let the window live until something is so."""
    end = time.monotonic() + _GIVE_UP_S
    while not reached():
        if time.monotonic() > end:
            raise TimeoutError("the window did not show the series")
        program.qt.processEvents()
        time.sleep(0.001)


if __name__ == "__main__":
    main(sys.argv[1:])
