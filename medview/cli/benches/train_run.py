"""The window of ``train_window``: a version goes on learning while a slice of a head is open."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

import psutil
from PySide6.QtCore import QTimer

from medview.cli.benches.viewer_run import Gaps, until
from medview.domain.errors import DataError
from medview.main import Program, build
from medview.services.demo import MODEL
from medview.services.jobs import Job
from medview.services.training_pace import memory_of

GONE_S = 5.0
_LOOK_MS = 500


@dataclass(slots=True)
class Seen:
    """What was measured: ms between two turns of the event loop, MB, processes.

    `during_mb` is the highest of the child that trains, the others are of the window's process.
    """

    gaps_ms: list[float] = field(default_factory=list)
    epochs: int = 0
    before_mb: float = 0.0
    during_mb: float = 0.0
    after_mb: float = 0.0
    left: int = 0

    def meet(self, memory_mb: float | None) -> None:
        """Keep the highest memory of the child that trains."""
        self.during_mb = max(self.during_mb, memory_mb or 0.0)


def main(words: list[str]) -> None:
    """Measure: words are a case list, seconds and epochs to train at least, threads, a device."""
    cases, seconds, epochs = Path(words[0]), float(words[1]), int(words[2])
    program = build()
    app = program.app
    app.preferences.change(threads=int(words[3]), device=words[4])
    app.window.show()
    app.window.open_paths((cases.with_name("head0.nii"),))
    until(program, lambda: app.session.volume_id is not None and not app.session.tasks)
    app.window.show_panel("training")
    version = next(each for each in app.tuning.choices() if each.card.id == MODEL)
    app.tuning.wish(version=version.name)
    app.tuning.look(cases)
    until(program, lambda: app.tuning.now.phase == "ready")
    seen = Seen(before_mb=memory_of(os.getpid()) or 0.0)
    _train(program, seconds, epochs, seen)
    seen.after_mb = memory_of(os.getpid()) or 0.0
    program.close()
    print(json.dumps(asdict(seen)))


def _train(program: Program, seconds: float, epochs: int, seen: Seen) -> None:
    """Start, let the window live for so long, stop, and wait until all of it is gone."""
    tuning = program.app.tuning
    if not tuning.start():
        raise DataError("the training could not be started")
    until(program, lambda: tuning.job is not None and tuning.job.pid is not None)
    pid = cast(int, cast(Job, tuning.job).pid)
    gaps = Gaps(program.qt)
    began = time.monotonic()

    def look() -> None:
        seen.meet(memory_of(pid))
        enough = time.monotonic() - began >= seconds and tuning.now.epoch >= epochs
        if enough or tuning.now.phase != "running":
            program.qt.exit()

    watch = QTimer(program.qt, interval=_LOOK_MS)
    watch.timeout.connect(look)
    watch.start()
    program.qt.exec()
    watch.stop()
    if tuning.now.phase != "running":
        raise DataError("the training ended too early")
    seen.gaps_ms, seen.epochs = gaps.ms, tuning.now.epoch
    trainer = psutil.Process(pid)
    trains = [trainer, *trainer.children(recursive=True)]
    tuning.stop()
    until(program, lambda: tuning.now.phase != "running")
    tuning.reject()
    # A slice that was being tried may still arrive, and goes again.
    QTimer.singleShot(round(1000 * GONE_S), program.qt, lambda: program.qt.exit())
    program.qt.exec()
    _, left = psutil.wait_procs(trains, 0)
    seen.left = len(left)


if __name__ == "__main__":
    main(sys.argv[1:])
