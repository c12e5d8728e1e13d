"""``medview bench scroll``: how long a turn of the wheel takes, beside pyqtgraph's own viewer."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication

from medview.cli.benches.rows import Row
from medview.cli.benches.scroll_film import film_rows
from medview.cli.benches.scroll_window import window_rows
from medview.cli.benches.turns import in_turns, ms, times
from medview.cli.contract import Context
from medview.domain.geometry import Geometry
from medview.domain.overlay import LayerStyle, ScalarMap
from medview.domain.volume import Volume, Window
from medview.imaging.frame import compose_frame
from medview.imaging.view import Frame, Layer, View
from medview.ui.dress import Dress, Placing
from medview.ui.slice_pane import SlicePane

# The viewer beside it takes rows down the screen as well.
pg.setConfigOptions(imageAxisOrder="row-major")

PANE, SLICES = 1000, 24
WINDOW = Window(400.0, 40.0)
# One refresh of a screen at 60 Hz; the aim for composing 512 x 512 with two overlays.
REFRESH_MS = 16.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What is scrolled through: slices of a size, with a number of maps above them."""

    size: int
    maps: int

    @property
    def what(self) -> str:
        """What it is in words."""
        maps = {0: "no overlay", 2: "two overlays"}[self.maps]
        return f"{self.size} x {self.size} int16, {maps}"


SCENES = (Scene(512, 0), Scene(512, 2), Scene(1024, 2))


def measure(context: Context, quick: bool) -> list[Row]:
    """Give the rows of every scene, median and 95 % of a step in ms; film and window follow."""
    application = _application()
    rows: list[Row] = []
    for done, scene in enumerate(SCENES):
        context.report(done, len(SCENES), scene.what)
        rows += _rows(scene, 20 if quick else 100, application)
    context.report(0, 1, "window of a film")
    return rows + film_rows(20 if quick else 100, 16 if quick else 1) + window_rows(context, quick)


def _application() -> QApplication:
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    found = QApplication.instance()
    return found if isinstance(found, QApplication) else QApplication([])


def _rows(scene: Scene, steps: int, application: QApplication) -> list[Row]:
    volume, maps = _study(scene)
    compose = _composer(volume, maps)
    pane = SlicePane("bench", "bench")
    viewer = _Viewer(volume, maps)
    pane.resize(PANE, PANE)
    pane.show()

    def step(k: int) -> None:
        pane.draw(compose(k), Placing(), Dress())
        pane.viewport().repaint()
        application.processEvents()

    def peer_step(k: int) -> None:
        viewer.show_slice(k)
        application.processEvents()

    composing = times(compose, steps, SLICES)
    ours, theirs = in_turns(step, peer_step, steps, SLICES)
    pane.hide()
    viewer.hide()
    peer = "pyqtgraph ImageView"
    aim = REFRESH_MS if scene == Scene(512, 2) else None
    return [
        Row(f"{scene.what}: a step, median", *ms(ours, 50), peer, ms(theirs, 50)[0], aim=1.0),
        Row(f"{scene.what}: a step, 95 %", *ms(ours, 95), peer, ms(theirs, 95)[0]),
        Row(f"{scene.what}: composing alone, median", *ms(composing, 50), aim=aim),
    ]


def _study(scene: Scene) -> tuple[Volume, list[ScalarMap]]:
    """Noise is the worst case: no two slices and no two pixels are alike."""
    dice = np.random.default_rng(0)
    geometry = Geometry(
        (SLICES, scene.size, scene.size), np.diag([0.5, 0.5, 2.0, 1.0])[:, [2, 1, 0, 3]]
    )
    values = dice.integers(-1000, 1000, geometry.shape, dtype=np.int16)
    found = [dice.random(geometry.shape, dtype=np.float32) for _ in range(scene.maps)]
    maps = [ScalarMap(f"map{n}", array, geometry) for n, array in enumerate(found)]
    return Volume(values, geometry, quantity="HU", modality="CT"), maps


def _composer(volume: Volume, maps: list[ScalarMap]) -> Callable[[int], Frame]:
    style = LayerStyle(visible=True, range=(0.0, 1.0), threshold=0.2, opacity=0.5)
    layers = tuple(Layer(each, style) for each in maps)
    start = View(window=WINDOW)
    places = [tuple(volume.geometry.to_mm((k, 0, 0))) for k in range(volume.geometry.shape[0])]
    return lambda k: compose_frame(volume, layers, replace(start, point_lps=places[k]))


class _Viewer:
    """pyqtgraph's viewer of a stack, with an image item for every map."""

    def __init__(self, volume: Volume, maps: list[ScalarMap]) -> None:
        self._view = pg.ImageView()
        self._view.resize(PANE, PANE)
        low = WINDOW.level - WINDOW.width / 2
        self._view.setImage(volume.array, autoLevels=False, levels=(low, low + WINDOW.width))
        self._maps = maps
        self._items = [pg.ImageItem() for _ in maps]
        for item in self._items:
            item.setLookupTable(pg.colormap.get("inferno").getLookupTable(alpha=True))
            item.setOpacity(0.5)
            self._view.getView().addItem(item)
        self._view.show()

    def show_slice(self, k: int) -> None:
        """Show slice `k` and paint it now."""
        self._view.setCurrentIndex(k)
        for item, each in zip(self._items, self._maps, strict=True):
            item.setImage(each.array[k], autoLevels=False, levels=(0.0, 1.0))
        self._view.ui.graphicsView.viewport().repaint()

    def hide(self) -> None:
        """Take it off the screen; pyqtgraph's own ``close`` ends in a segmentation fault."""
        self._view.hide()
