"""The panes beside each other: three planes of one series, or a grid of series of one patient."""

from __future__ import annotations

from PySide6.QtCore import QRect, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame

from medview.imaging.view import Frame, View
from medview.services.layouts import MAIN_PANE, PANES, PLANE_PANES, Layout, layout_of
from medview.services.session import Session
from medview.ui.composing import Composer
from medview.ui.controls import name
from medview.ui.dress import Dress, Placing
from medview.ui.pointer import Listener
from medview.ui.slice_pane import SlicePane
from medview.ui.words import tr

_GAP = 2
_LARGE_SHARE = 0.585
# A pane of a grid smaller than this has no room for all corners and bars.
_LARGE_PX = (340, 300)
_TITLES = ("Main pane", "Upper pane", "Lower pane")
_LISTENED = (
    "catalogue",
    "series",
    "volume",
    "layout",
    "shown",
    "linked",
    "alone",
    "views",
    "active_pane",
    "maximised",
    "overlay_on",
    "map_name",
    "kept_maps",
    "map_order",
    "styles",
    "predictions",
    "volume_id",
    "private",
    "zones_on",
    "reference_on",
    "crop_on",
    "crops",
    "first_reader",
    "read",
    "drawings",
    "draft",
    "draft_end",
    "chosen_drawing",
    "key_images",
    "tables",
    "swipe",
)


class PaneGrid(QFrame):
    """Draws what every pane holds, and again when something of it changes."""

    drawn = Signal()

    def __init__(self, session: Session, listener: Listener) -> None:
        super().__init__()
        name(self, "panes", tr("Images"))
        self.setProperty("look", "grid")
        self._session = session
        self._composer = Composer(session)
        self.panes = {key: SlicePane(key, "", self) for key in PANES}
        for pane in self.panes.values():
            pane.listener = listener
            pane.on_room = self.mark
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self.redraw)
        self._one_by_one = QTimer(self)
        self._one_by_one.setSingleShot(True)
        self._one_by_one.setInterval(0)
        self._one_by_one.timeout.connect(self._draw_next)
        self._waiting: list[SlicePane] = []
        self._arranged: tuple[object, ...] = ()
        for field in _LISTENED:
            getattr(session.events, field).connect(self.mark)
        session.events.active_pane.connect(self._take_keyboard_along)
        session.events.unfinished.connect(self.mark_slowly)
        session.events.tasks.connect(self._on_tasks)
        for timer in (self._timer, self._one_by_one):
            self.destroyed.connect(timer.stop)
        self.mark()

    def mark(self) -> None:
        """Something changed: draw once, when the present events are done."""
        self._one_by_one.stop()
        if not self._timer.isActive():
            self._timer.start()

    def _take_keyboard_along(self, active: str) -> None:
        """Where a pane has the keyboard the active one gets it: a screen reader follows that."""
        pane = self.panes.get(active)
        has_it = any(each.hasFocus() for each in self.panes.values())
        if has_it and pane is not None and pane.isVisible():
            pane.setFocus()

    def mark_slowly(self) -> None:
        """A map has grown: draw pane by pane, so that no hand waits for all of them."""
        shown = self.visible_panes
        self._waiting += [pane for pane in shown if pane not in self._waiting]
        if not self._timer.isActive():
            self._one_by_one.start()

    def _draw_next(self) -> None:
        """Draw the pane that has waited longest, and let others have their turn."""
        shown = self.visible_panes
        self._waiting = [pane for pane in self._waiting if pane in shown]
        if self._waiting:
            self._draw(self._waiting.pop(0), tuple(pane.key for pane in shown))
        if self._waiting:
            self._one_by_one.start()
        else:
            self.drawn.emit()

    def _on_tasks(self) -> None:
        """An empty pane says what is being read; images do not change with a job."""
        if self._session.volume is None or len(self._session.views) < len(self.visible_panes):
            self.mark()

    @property
    def visible_panes(self) -> tuple[SlicePane, ...]:
        """The panes that have room now, the main one first."""
        session, layout = self._session, layout_of(self._session)
        if layout.is_mpr:
            keys = [key for key in PLANE_PANES if key in session.views] or [MAIN_PANE]
        else:
            keys = list(layout.panes)
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
        self._one_by_one.stop()
        self._waiting.clear()
        self._arrange()
        shown = self.visible_panes
        keys = tuple(pane.key for pane in shown)
        self._composer.forget(keys)
        for pane in self.panes.values():
            if pane in shown:
                self._draw(pane, keys)
            elif pane.frame_shown is not None:
                # What is out of sight holds on to no volume.
                pane.draw(None, Placing(), Dress())
        self.drawn.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's hook
        """Share the room; what fits into the corners depends on it."""
        super().resizeEvent(event)
        self._arrange()
        if self._session.shown:
            self.mark()

    def _arrange(self) -> None:
        shown, layout = self.visible_panes, layout_of(self._session)
        asked = (self.rect(), layout, shown)
        if asked == self._arranged:
            return
        self._arranged = asked
        for place, (pane, area) in enumerate(
            zip(shown, _places(self.rect(), layout, len(shown)), strict=True)
        ):
            pane.setGeometry(area)
            is_plane = layout.is_mpr and pane.key in PLANE_PANES
            title = tr(_TITLES[place]) if is_plane else tr("Pane {n}", n=place + 1)
            pane.setAccessibleName(title)
        for pane in self.panes.values():
            pane.setVisible(pane in shown)

    def _draw(self, pane: SlicePane, keys: tuple[str, ...]) -> None:
        session = self._session
        held = session.content(pane.key)
        if held is None or pane.key not in session.views:
            is_active = bool(session.shown) and pane.key == session.active_pane
            dress = Dress(note=self._empty_note(), is_active=is_active)
            pane.draw(None, Placing(), dress)
            return
        others = tuple(key for key in keys if key != pane.key)
        is_large = self._is_large(pane)
        pane.draw(*self._composer.compose(pane.key, held, others, pane.room, is_large=is_large))

    def _is_large(self, pane: SlicePane) -> bool:
        """Room for all corner texts, colour bar and scale."""
        if layout_of(self._session).is_mpr:
            return pane is self.visible_panes[0]
        return bool(pane.width() >= _LARGE_PX[0] and pane.height() >= _LARGE_PX[1])

    def _empty_note(self) -> str:
        session = self._session
        if session.tasks:
            return session.tasks[-1].title + " …"
        if session.shown:
            return tr("Drag a series here")
        if session.catalogue.patients:
            return tr("Choose a series on the left")
        if session.tables:
            return tr("No image is open. Models can run on the table alone.")
        return tr("Drop a folder here, or press Ctrl+O")


def _places(area: QRect, layout: Layout, count: int) -> list[QRect]:
    """One takes all; of three planes the first is large; a grid shares rows and columns."""
    inner = area.adjusted(_GAP, _GAP, -_GAP, -_GAP)
    if count == 1:
        return [inner]
    if not layout.is_mpr:
        return _grid_places(inner, layout.rows, layout.columns)
    large = round(inner.width() * _LARGE_SHARE)
    places = [QRect(inner.left(), inner.top(), large, inner.height())]
    left, wide = inner.left() + large + _GAP, inner.width() - large - _GAP
    beside = QRect(left, inner.top(), wide, inner.height())
    return [*places, *_grid_places(beside, count - 1, 1)]


def _grid_places(area: QRect, rows: int, columns: int) -> list[QRect]:
    """Rows and columns of panes with a gap between them, row by row."""
    wide = (area.width() - _GAP * (columns - 1)) // columns
    high = (area.height() - _GAP * (rows - 1)) // rows
    return [
        QRect(area.left() + column * (wide + _GAP), area.top() + row * (high + _GAP), wide, high)
        for row in range(rows)
        for column in range(columns)
    ]
