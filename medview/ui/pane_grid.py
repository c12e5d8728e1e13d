"""The panes beside each other: one large, two small, or one alone; all of one volume."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame

from medview.domain.key_image import KeyImage
from medview.domain.prediction import Prediction, SliceScore
from medview.domain.study import Series
from medview.domain.volume import Volume
from medview.imaging.body import body_box, body_corners
from medview.imaging.frame import compose_frame
from medview.imaging.measuring import shapes_on
from medview.imaging.reference import reference_lines
from medview.imaging.reslice import cut_of
from medview.imaging.view import Corners, DrawnShape, Frame, View
from medview.services.session import Session
from medview.services.telling import result_lines, result_marks
from medview.services.viewing import MAIN_PANE, PANES
from medview.ui.controls import name
from medview.ui.identity import corner_lines, time_words
from medview.ui.slice_pane import Dress, Listener, Placing, SlicePane
from medview.ui.words import tr

_GAP = 2
_LARGE_SHARE = 0.585
_LISTENED = (
    "catalogue",
    "series",
    "volume",
    "views",
    "active_pane",
    "maximised",
    "overlay_on",
    "map_name",
    "styles",
    "predictions",
    "volume_id",
    "unfinished",
    "private",
    "zones_on",
    "reference_on",
    "first_reader",
    "read",
    "drawings",
    "draft",
    "chosen_drawing",
    "key_images",
)


class PaneGrid(QFrame):
    """Draws the session's volume in every pane, and again when something of it changes."""

    drawn = Signal()

    def __init__(self, session: Session, listener: Listener) -> None:
        super().__init__()
        name(self, "panes", tr("Images"))
        self.setProperty("look", "grid")
        self._session = session
        self._composed: dict[str, tuple[Hashable, Frame]] = {}
        self._body: tuple[Volume | None, NDArray[np.float64] | None] = (None, None)
        titles = (tr("Main pane"), tr("Upper pane"), tr("Lower pane"))
        self.panes = {
            key: SlicePane(key, title, self) for key, title in zip(PANES, titles, strict=True)
        }
        for pane in self.panes.values():
            pane.listener = listener
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self.redraw)
        for field in _LISTENED:
            getattr(session.events, field).connect(self.mark)
        session.events.tasks.connect(self._on_tasks)
        self.destroyed.connect(self._timer.stop)
        self.mark()

    def mark(self) -> None:
        """Something changed: draw once, when the present events are done."""
        if not self._timer.isActive():
            self._timer.start()

    def _on_tasks(self) -> None:
        """An empty pane says what is being read; images do not change with a job."""
        if self._session.volume is None:
            self.mark()

    @property
    def visible_panes(self) -> tuple[SlicePane, ...]:
        """The panes that have room now, the main one first."""
        session = self._session
        keys = [key for key in PANES if key in session.views] or [MAIN_PANE]
        if session.maximised in keys:
            keys = [str(session.maximised)]
        return tuple(self.panes[key] for key in keys)

    def frame_of(self, key: str) -> Frame | None:
        """What a pane shows."""
        return self.panes[key].frame_shown

    def view_of(self, key: str) -> View | None:
        """What a pane is asked to show."""
        return self._session.views.get(key)

    def redraw(self) -> None:
        """Compose and draw every pane that has room."""
        self._timer.stop()
        self._arrange()
        for pane in self.visible_panes:
            self._draw(pane)
        self.drawn.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's hook
        """Share the room."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        shown = self.visible_panes
        for pane, place in zip(shown, _places(self.rect(), len(shown)), strict=True):
            pane.setGeometry(place)
        for pane in self.panes.values():
            pane.setVisible(pane in shown)

    def _draw(self, pane: SlicePane) -> None:
        session, volume = self._session, self._session.volume
        view = session.views.get(pane.key)
        is_active = pane.key == session.active_pane
        if volume is None or view is None:
            pane.draw(None, Placing(), Dress(note=self._empty_note()))
            return
        frame = self._frame(pane.key, volume, view)
        shapes = self._shapes(volume, view)
        if shapes or frame.shapes:
            frame = replace(frame, shapes=shapes)
        is_large = pane is self.visible_panes[0]
        dress = Dress(
            corners=self._corners(frame, view, is_large=is_large),
            is_active=is_active,
            is_large=is_large,
            has_scale=volume.geometry.spacing_kind is not None and view.annotations != "none",
            scale_note=tr("at detector") if volume.geometry.spacing_kind == "detector" else "",
        )
        box = body_box(frame, self._body_of(volume))
        pane.draw(frame, Placing(view.zoom, view.pan_mm, box), dress)

    def _frame(self, key: str, volume: Volume, view: View) -> Frame:
        """Compose, unless only the place on the screen has changed."""
        plain = replace(view, zoom=1.0, pan_mm=(0.0, 0.0))
        layers = self._session.layers
        results = self._session.results
        marks = result_marks(results) if self._session.zones_on else ()
        drawn = tuple((each.map, each.style, each.fade) for each in layers)
        others = self._others(key, volume, view)
        cuts = tuple((each.plane, each.point_lps, each.slab_mm) for each in others)
        asked = (volume, plain, drawn, results, self._session.zones_on, cuts)
        before = self._composed.get(key)
        if before is not None and before[0] == asked:
            return before[1]
        frame = compose_frame(volume, layers, plain, marks=marks, said=result_lines(results))
        # On a film there is no other plane that the crosshair could lead to.
        crosshair = frame.crosshair and not volume.is_film
        frame = replace(
            frame,
            strip=self._strip(volume, view),
            crosshair=crosshair,
            reference=reference_lines(volume.geometry, view, others),
        )
        self._composed[key] = (asked, frame)
        return frame

    def _shapes(self, volume: Volume, view: View) -> tuple[DrawnShape, ...]:
        """The reader's drawings on the slice of a pane, with the one under way."""
        session = self._session
        drawn = session.drawings.get(session.series.key, ()) if session.series else ()
        here = tuple(each for each in drawn if each.time == session.time)
        draft = (session.draft,) if session.draft is not None else ()
        if view.annotations == "none" or not (here or draft):
            return ()
        return shapes_on((*here, *draft), volume, view, chosen=session.chosen_drawing)

    def _others(self, key: str, volume: Volume, view: View) -> tuple[View, ...]:
        """What the other panes show, where this one is to say where that is."""
        session = self._session
        if not session.reference_on or view.annotations == "none" or volume.is_film:
            return ()
        return tuple(session.views[pane.key] for pane in self.visible_panes if pane.key != key)

    def _strip(self, volume: Volume, view: View) -> tuple[float, ...]:
        """A figure a slice where the pane steps through the slices a model scored."""
        result = self._result()
        if result is None or not result.slices or not self._session.overlay_on:
            return ()
        cut = cut_of(volume.geometry, view)
        axis = volume.geometry.axis_of[2]  # models go through the head from foot to head
        if cut.layout.cut != axis or cut.grid is not volume.geometry:
            return ()
        figures = [nan] * volume.geometry.shape[axis]
        for each in result.slices:
            if 0 <= each.slice < len(figures):
                figures[each.slice] = _figure(each, self._session.map_name)
        return tuple(figures) if any(isfinite(figure) for figure in figures) else ()

    def _result(self) -> Prediction | None:
        """The finished result that the shown map belongs to."""
        results = self._session.results
        return next((r for r in results if r.map(self._session.map_name) is not None), None)

    def _corners(self, frame: Frame, view: View, *, is_large: bool) -> Corners:
        series, corners = self._session.series, frame.corners
        if series is None:
            return corners
        who = corner_lines(self._session.catalogue, series, private=self._session.private)
        own = self._own_lines(series, frame, view)
        if not is_large:
            title = (tr(view.plane.value.capitalize()), frame.position.removesuffix(" mm"))
            return Corners(top_left=(" · ".join(filter(None, title)),), top_right=(*who[:1], *own))
        corners = replace(corners, top_right=(*corners.top_right, *own))
        if view.annotations != "all":
            return replace(corners, top_left=who[:1])
        return replace(corners, top_left=who, bottom_right=self._overlay_lines(corners))

    def _own_lines(self, series: Series, frame: Frame, view: View) -> tuple[str, ...]:
        """The time point, and that the reader has marked this image."""
        if view.annotations == "none":
            return ()
        time = self._session.time
        here = KeyImage(view.plane, frame.slice, time)
        is_key = here in self._session.key_images.get(series.key, ())
        words = time_words(series, time)
        return tuple(filter(None, (words, tr("Key image") if is_key else "")))

    def _overlay_lines(self, corners: Corners) -> tuple[str, ...]:
        """The overlay's name with the model that made it, then that it is for research."""
        lines, result = corners.bottom_right, self._result()
        if len(lines) < 2 or result is None:
            return lines
        made_by = f"{lines[-2]} · {result.model} {result.version}"
        return (*lines[:-2], made_by, lines[-1])

    def _body_of(self, volume: Volume) -> NDArray[np.float64] | None:
        """Where the body is; unknown as long as slices are still to come."""
        if volume.slices_to_come:
            return None
        if self._body[0] is not volume:
            self._body = (volume, body_corners(volume))
        return self._body[1]

    def _empty_note(self) -> str:
        if self._session.tasks:
            return self._session.tasks[-1].title + " …"
        if self._session.catalogue.patients:
            return tr("Choose a series on the left")
        return tr("Drop a folder here, or press Ctrl+O")


def _figure(each: SliceScore, map_name: str) -> float:
    if map_name == "total":
        return each.epistemic + each.aleatoric
    figures = {"residual": each.residual, "epistemic": each.epistemic, "aleatoric": each.aleatoric}
    return figures.get(map_name, each.score)


def _places(area: QRect, count: int) -> list[QRect]:
    """One takes all; of three the first is large and the others stand beside it."""
    if count == 1:
        return [area.adjusted(_GAP, _GAP, -_GAP, -_GAP)]
    inner = area.adjusted(_GAP, _GAP, -_GAP, -_GAP)
    large = round(inner.width() * _LARGE_SHARE)
    places = [QRect(inner.left(), inner.top(), large, inner.height())]
    left, wide = inner.left() + large + _GAP, inner.width() - large - _GAP
    rest = count - 1
    high = (inner.height() - _GAP * (rest - 1)) // rest
    for place in range(rest):
        places.append(QRect(left, inner.top() + place * (high + _GAP), wide, high))
    return places
