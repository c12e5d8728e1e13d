"""The window that ``bench monkey`` starts as a process of its own; JSON goes to stdout."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
from PySide6.QtWidgets import QWidget

from medview.cli.benches.monkey_hand import MonkeyHand
from medview.domain.overlay import ScalarMap
from medview.main import Program, build

_SEED = 7
_GIVE_UP_S = 120.0


def main(words: list[str]) -> None:
    """Words: a folder with two studies, how many events, how many openings."""
    folders = [Path(words[0]) / name for name in ("one", "two")]
    events, opens = int(words[1]), int(words[2])
    raised: list[str] = []
    program = build()
    sys.excepthook = lambda kind, error, trace: raised.append(kind.__name__)
    program.app.window.show()
    _open(program, folders)
    hand = MonkeyHand(program.app, _SEED, program.qt)
    marks: list[float] = []
    early = events // 10
    hand.do(events, told=lambda n: marks.append(_memory_mb()) if n in (early, events - 1) else None)
    said = {
        "errors": hand.seen.errors + raised,
        "wall_s": hand.seen.wall_s,
        "own_s": hand.seen.own_s,
        "event_mb": marks[-1] - marks[0],
        "kinds": hand.seen.kinds,
        "opens": opens,
        "grown": _open_often(program, folders, opens),
    }
    program.close()
    print(json.dumps(said))


def _open_often(program: Program, folders: list[Path], opens: int) -> dict[str, float]:
    """Open one study after the other; what is there more at the end than after a tenth.

    Something lies over each of them, as a segmentation of another program does.
    """
    before: dict[str, float] = {}
    for n in range(opens):
        _open(program, [folders[n % len(folders)]])
        _lay(program, n)
        if n == opens // 10:
            before = _count(program)
    after = _count(program)
    return {key: after[key] - before[key] for key in after}


def _open(program: Program, folders: list[Path]) -> None:
    session = program.app.session
    listed: list[bool] = []
    session.events.catalogue.connect(lambda: listed.append(True))
    program.app.window.open_paths(tuple(folders))

    def is_whole() -> bool:
        return bool(listed) and session.volume_id is not None and not session.tasks

    _until(program, is_whole)
    _until(program, lambda: len(program.app.thumbnails.pictures) > 0)


def _lay(program: Program, number: int) -> None:
    """Lay a map over the study, as if no other had these pixels."""
    session = program.app.session
    if session.volume is not None and session.volume_id is not None:
        grid = session.volume.geometry
        laid = ScalarMap("Laid", np.zeros(grid.shape, np.float32) + number, grid, title="Laid")
        about = replace(session.volume_id, series=f"{session.volume_id.series} {number}")
        session.laid = {**session.laid, about: (laid,)}


def _count(program: Program) -> dict[str, float]:
    """Memory, threads, open files and widgets of this process, when nothing goes on."""
    for _ in range(20):
        program.qt.processEvents()
        time.sleep(0.01)
    gc.collect()
    me = psutil.Process()
    return {
        "mb": _memory_mb(),
        "threads": me.num_threads(),
        "handles": me.num_fds(),
        "widgets": len(program.app.window.findChildren(QWidget)),
    }


def _memory_mb() -> float:
    return float(psutil.Process().memory_info().rss / 2**20)


def _until(program: Program, reached: Callable[[], object]) -> None:
    end = time.monotonic() + _GIVE_UP_S
    while not reached():
        if time.monotonic() > end:
            raise TimeoutError("the window did not show the study")
        program.qt.processEvents()
        time.sleep(0.001)


if __name__ == "__main__":
    main(sys.argv[1:])
