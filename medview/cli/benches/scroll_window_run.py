"""The window of ``scroll_window``: wheel and crosshair in the whole program, timed to the paint.

It is the program as ``medview`` builds it, in a process of its own; one JSON object goes to stdout:
what was done, and how many milliseconds each step took, on the clock and of the processor.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QObject

from medview.cli.benches.made_up import made_up
from medview.cli.benches.scroll_film import noise_film
from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Prediction, SliceScore
from medview.domain.study import Catalogue, Patient, Series, Study
from medview.domain.volume import Volume, Window
from medview.main import Program, build
from medview.services.first_views import first_views
from medview.services.session_values import VolumeId

SIZE = (1720, 1060)
#: Slices, rows and columns, as in the aims; each with two maps above it.
STACK, THIN = (48, 1024, 1024), (400, 512, 512)
#: Rows and columns, as in the aims: larger than any chest film.
FILM = (8192, 8192)
_WARM = 4
_PANE = "main"


def main(words: list[str]) -> None:
    """Measure: words are how many steps, and by how much every shape is made smaller."""
    steps, smaller = int(words[0]), int(words[1])
    program = build()
    window = program.app.window
    window.resize(*SIZE)
    window.show()
    watch = Watch(program)
    answer: dict[str, Any] = {}
    viewing = program.app.viewing
    volume = open_stack(program, _shape(STACK, smaller))

    def wheel(n: int) -> None:
        viewing.go_to(_PANE, n % volume.geometry.shape[0])

    viewing.maximise(_PANE)
    answer["one pane"] = watch.times(wheel, steps)
    viewing.maximise(_PANE)
    answer["three planes"] = watch.times(wheel, steps)
    drag = crosshair_drag(program, open_stack(program, _shape(THIN, smaller)))
    answer["crosshair"] = watch.times(drag, steps)
    viewing.maps.toggle_overlay()
    answer["crosshair, bare"] = watch.times(drag, steps)
    rows, columns = (max(12, n // smaller) for n in FILM)
    film = noise_film(rows, columns)
    answer["film, first"] = watch.once(lambda: on_screen(program, film))
    answer["film, window"] = watch.times(window_turn(program), steps)
    answer["film, zoom"] = watch.times(zoom_and_pan(program), steps)
    program.close()
    print(json.dumps(answer))


def _shape(shape: tuple[int, int, int], smaller: int) -> tuple[int, int, int]:
    k, j, i = (max(12, n // smaller) for n in shape)
    return k, j, i


def crosshair_drag(program: Program, volume: Volume) -> Callable[[int], object]:
    """The crosshair on its way through the volume, from corner to corner and back."""
    last = np.array(volume.geometry.shape) - 1

    def step(n: int) -> None:
        share = abs((n / 40) % 2 - 1)
        x, y, z = (float(mm) for mm in volume.geometry.to_mm(share * last))
        program.app.viewing.set_point((x, y, z), _PANE)

    return step


def open_stack(program: Program, shape: tuple[int, int, int]) -> Volume:
    """Put a volume of noise on screen, with a result whose two maps are both drawn."""
    dice = np.random.default_rng(0)
    spacing = np.diag([*(200.0 / n for n in shape[::-1]), 1.0])
    geometry = Geometry(shape, spacing[:, [2, 1, 0, 3]])
    values = dice.integers(-1000, 1000, shape, dtype=np.int16)
    window = Window(400.0, 40.0)
    volume = Volume(values, geometry, quantity="HU", modality="CT", windows=(window,))
    on_screen(program, volume, _result(shape, geometry, dice))
    return volume


def on_screen(program: Program, volume: Volume, made: Prediction | None = None) -> None:
    """Show a volume, and the maps of a result above it."""
    shape = volume.geometry.shape
    series = Series(str(shape), modality=volume.modality, description="noise", size=shape[::-1])
    patient = Patient("p", "P", "Bench", studies=(Study("1", series=(series,)),))
    about, session = VolumeId(series.key, "0"), program.app.session
    with session.together():
        session.catalogue = Catalogue((patient,))
        session.series, session.volume, session.volume_id = series, volume, about
        session.views, session.active_pane = first_views(volume), _PANE
        session.predictions = {} if made is None else {about: (made,)}
        session.kept_maps, session.overlay_on = frozenset({"total"}), True


def window_turn(program: Program) -> Callable[[int], object]:
    """Another window at every step."""
    return lambda n: _look(program, window=Window(2000.0 + 10 * n, 2000.0))


def zoom_and_pan(program: Program) -> Callable[[int], object]:
    """Into the film up to a pixel of it on several of the screen, sideways, and out again."""

    def step(n: int) -> None:
        share = abs((n / 40) % 2 - 1)
        _look(program, zoom=1.01 * 20**share, pan_mm=(100 * share, 10.0 * (n % 7)))

    return step


def _look(program: Program, **changes: Any) -> None:
    session = program.app.session
    session.views = {**session.views, _PANE: replace(session.views[_PANE], **changes)}


def _result(
    shape: tuple[int, int, int], geometry: Geometry, dice: np.random.Generator
) -> Prediction:
    """Two maps of noise and a figure for every slice."""
    score = dice.random(shape, dtype=np.float32)
    total = dice.random(shape, dtype=np.float32)
    maps = (
        ScalarMap("score", score, geometry, range=(0.0, 1.0)),
        ScalarMap("total", total, geometry, "uncertainty", range=(0.0, 1.0)),
    )
    slices = tuple(SliceScore(k, float(k), 1.0, 0.0, 0.0, 0.0) for k in range(shape[0]))
    return made_up(maps, threshold=0.2, slices=slices)


class Watch(QObject):
    """Sees when panes are painted, and times what is done until all of them are."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program
        self._painted: set[str] = set()
        grid = program.app.window.grid
        self._ports = {key: pane.viewport() for key, pane in grid.panes.items()}
        for port in self._ports.values():
            port.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's hook
        """Note which pane is painted."""
        if event.type() == QEvent.Type.Paint:
            self._painted |= {key for key, port in self._ports.items() if port is watched}
        return False

    def times(self, act: Callable[[int], object], steps: int) -> dict[str, list[float]]:
        """Do something so many times; milliseconds of each until every pane is painted."""
        found: dict[str, list[float]] = {"wall_ms": [], "cpu_ms": []}
        for n in range(-_WARM, steps):
            taken = self.once(partial(act, n + _WARM))
            for key in found if n >= 0 else ():
                found[key] += taken[key]
        return found

    def once(self, act: Callable[[], object]) -> dict[str, list[float]]:
        """The same for something that is done a single time."""
        wall, own = time.perf_counter(), time.process_time()
        self._painted.clear()
        act()
        self._until_painted()
        passed = (time.perf_counter() - wall, time.process_time() - own)
        return {key: [1000 * each] for key, each in zip(("wall_ms", "cpu_ms"), passed, strict=True)}

    def _until_painted(self) -> None:
        grid, end = self._program.app.window.grid, time.monotonic() + 10
        while not {pane.key for pane in grid.visible_panes} <= self._painted:
            self._program.qt.processEvents()
            if time.monotonic() > end:
                raise TimeoutError("a pane was not painted")


if __name__ == "__main__":
    main(sys.argv[1:])
