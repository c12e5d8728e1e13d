"""A window whose jobs are answered by the test, and hands to use it with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from phantoms import geometry_of, phantom_on
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from services.stubs import CARD, StubJobs, catalogue_of, finding_at, result_about, series_of

from medview.domain.card import ModelCard
from medview.domain.prediction import Score, SliceScore
from medview.domain.volume import Volume
from medview.io.cards import write_card
from medview.main import Places, joined
from medview.services.session import Session
from medview.services.session_values import VolumeId
from medview.services.settings import Preferences
from medview.services.writing import Writer
from medview.ui.app import App
from medview.ui.slice_pane import SlicePane
from medview.ui.window import MainWindow

NO = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
MIDDLE = Qt.MouseButton.MiddleButton


@dataclass(slots=True, eq=False)
class Bench:
    """The window and all that is behind it."""

    app: App
    window: MainWindow
    jobs: StubJobs
    session: Session

    def show(self, volume: Volume | None = None, uid: str = "1.1", **fields: object) -> Volume:
        """Put a volume on screen the way a reader does, through the library."""
        volume = volume or phantom_on(geometry_of("LPS", (40, 44, 36), (3.0, 3.0, 3.0)))
        grid = volume.geometry
        k, j, i = grid.shape
        modality = volume.modality or "MR"
        known = {"modality": modality, "geometry": grid} | fields
        series = replace(series_of(uid, **known), size=(i, j, k))
        others = [s for s in self.session.catalogue.all_series() if s.key != series.key]
        self.session.catalogue = catalogue_of(*others, series)
        job = self.app.library.show(series)
        if job is not None:
            self.jobs.last.send(volume)
            self.jobs.last.finish("sha" + uid)
        self.settle()
        return volume

    def add_result(self, *names: str, blob: bool = True, findings: tuple = ()) -> None:
        """File a result about the volume on screen, with a bright blob in its maps."""
        volume, about = self.session.volume, self.session.volume_id
        assert volume is not None
        assert about is not None
        made = result_about(about, volume, names=names or ("score",), findings=findings)
        maps = tuple(with_blob(each) for each in made.maps) if blob else made.maps
        rows = volume.geometry.shape[volume.geometry.axis_of[2]]
        slices = tuple(SliceScore(k, 0.0, float(k), 0.0, 0.0, 0.0) for k in range(rows))
        scores = (
            Score("anomaly", 1.834, 1.61, 2.1, meaning="against normals"),
            Score("anomaly_percentile", 98.0, unit="%"),
        )
        result = type(made)(
            **{name: getattr(made, name) for name in made.__slots__}
            | {"maps": maps, "slices": slices, "scores": scores, "preparation": ("brain mask",)}
        )
        self.session.predictions = {**self.session.predictions, about: (result,)}
        self.session.overlay_on = True
        self.settle()

    def read(self) -> None:
        """Let every series that is asked for be read and drawn."""
        self.jobs.read()
        self.settle()

    def settle(self) -> None:
        """Let the window draw what changed."""
        QApplication.processEvents()
        self.window.grid.redraw()

    def pane(self, key: str = "main") -> SlicePane:
        return self.window.grid.panes[key]

    def frame(self, key: str = "main"):
        self.settle()
        found = self.window.grid.frame_of(key)
        assert found is not None
        return found

    def find(self, kind: type, name: str):
        found = self.window.findChild(kind, name)
        assert found is not None, name
        return found

    def press(self, key: str) -> None:
        """Run the action that has this key, as Qt would."""
        for made in self.window.table.actions.values():
            if key in [each.toString() for each in made.shortcuts()]:
                made.trigger()
                self.settle()
                return
        raise AssertionError(f"no action has the key {key}")


def make_bench(
    folder: Path, *cards: ModelCard, results: Path | None = None, writer: Writer | None = None
) -> Bench:
    """A window with these models; `results` is where what they say is kept, `writer` writes."""
    for card in cards or (CARD,):
        write_card(card, folder / "weights" / card.id / "card.json")
    session, jobs = Session(), StubJobs()
    places = Places(folder / "audit.jsonl", results, folder / "weights")
    preferences = Preferences(folder / "settings.json")
    preferences.writer = writer or preferences.writer
    app = joined(jobs, session, preferences, places)
    window = MainWindow(app)
    window.resize(1400, 900)
    return Bench(app, window, jobs, session)


def with_blob(found):
    """The same map with the value 9 in a cube at the middle of its grid."""
    array = np.zeros(found.geometry.shape, dtype=np.float32)
    middle = tuple(slice(n // 2 - 2, n // 2 + 3) for n in array.shape)
    array[middle] = 9.0
    return type(found)(found.name, array, found.geometry, found.kind, "1", (0.0, 18.0), found.title)


def two_findings(volume: Volume) -> tuple:
    """Two findings at known voxels."""
    grid = volume.geometry
    places = ((10, 12, 14), (25, 20, 18))
    made = []
    for number, (k, j, i) in enumerate(places, 1):
        x, y, z = (float(v) for v in grid.to_mm((k, j, i)))
        made.append(finding_at(number, (x, y, z), k))
    return tuple(made)


def mouse(pane: SlicePane, kind, at, button, buttons, modifiers=NO) -> None:
    position = QPointF(*at)
    glob = QPointF(pane.viewport().mapToGlobal(position.toPoint()))
    event = QMouseEvent(kind, position, glob, button, buttons, modifiers)
    QApplication.sendEvent(pane.viewport(), event)


def drag(pane: SlicePane, start, by, button=LEFT, modifiers=NO, *, steps: int = 5) -> None:
    """Press, move in steps, release."""
    mouse(pane, QEvent.Type.MouseButtonPress, start, button, button, modifiers)
    for step in range(1, steps + 1):
        at = (start[0] + by[0] * step / steps, start[1] + by[1] * step / steps)
        mouse(pane, QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton, button, modifiers)
    end = (start[0] + by[0], start[1] + by[1])
    none = Qt.MouseButton.NoButton
    mouse(pane, QEvent.Type.MouseButtonRelease, end, button, none, modifiers)


def hover(pane: SlicePane, at, modifiers=NO) -> None:
    """Move the mouse without a button."""
    none = Qt.MouseButton.NoButton
    mouse(pane, QEvent.Type.MouseMove, at, none, none, modifiers)


def double_click(pane: SlicePane, at=(40, 60)) -> None:
    mouse(pane, QEvent.Type.MouseButtonDblClick, at, LEFT, LEFT)
    mouse(pane, QEvent.Type.MouseButtonRelease, at, LEFT, Qt.MouseButton.NoButton)


def wheel(pane: SlicePane, notches: float, modifiers=NO, at=None) -> None:
    """Turn the wheel; one notch down is -1."""
    centre = pane.area.center()
    position = QPointF(*at) if at is not None else centre
    glob = QPointF(pane.viewport().mapToGlobal(position.toPoint()))
    event = QWheelEvent(
        position,
        glob,
        QPoint(0, 0),
        QPoint(0, round(120 * notches)),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(pane.viewport(), event)


def key(widget: QWidget, which: Qt.Key, modifiers=NO, *, kind=QEvent.Type.KeyPress) -> None:
    QApplication.sendEvent(widget, QKeyEvent(kind, which, modifiers))


def type_key(widget: QWidget, which: Qt.Key, modifiers=NO) -> None:
    """Type a key with all that Qt does for it: override, shortcut, press, release."""
    QTest.keyClick(widget, which, modifiers)


def about(bench: Bench) -> VolumeId:
    assert bench.session.volume_id is not None
    return bench.session.volume_id
