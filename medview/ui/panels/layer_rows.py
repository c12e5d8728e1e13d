"""The rows of the list of maps: choose one, show it, and put it above or below others."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QApplication, QCheckBox, QPushButton, QWidget

from medview.domain.overlay import ScalarMap
from medview.services.layering import base_name
from medview.services.viewing import Viewing
from medview.ui.app import App
from medview.ui.containers import beside
from medview.ui.controls import button, name
from medview.ui.eliding import ElidedButton
from medview.ui.panels.style_editor import map_title
from medview.ui.words import tr

_GRIP = QSize(12, 18)


class LayerRow(QWidget):
    """A map: whether it is drawn, its name with unit (pressed, it is chosen), up and down.

    `made_by` is added where maps of several results have one name. It can be dragged by its name
    or by the dots before it; the keyboard has the arrows.
    """

    def __init__(self, app: App, found: ScalarMap, made_by: str = "") -> None:
        super().__init__()
        key, title = found.name, map_title(found)
        title = f"{title}, {made_by}" if made_by else title
        viewing = app.viewing
        self._shown = QCheckBox()
        name(self._shown, f"layer_{key}_shown", tr("Draw {map}", map=title))
        self._shown.setToolTip(tr("Draw this map, also beside others"))
        self._shown.clicked.connect(lambda on: viewing.maps.keep_map(key, on=on))
        said = title + ("" if found.unit == "1" else f", {found.unit}")
        tip = tr("Choose this map (U goes round): what is below is about it")
        has_namesake = bool(made_by) or key != base_name(key)
        self._name = ElidedButton(said, f"layer_{key}", tip, keeps_end=has_namesake)
        self._name.setProperty("look", "row")
        self._name.setCheckable(True)
        self._name.clicked.connect(lambda: self._on_chosen(viewing, key))
        self._up = button("▲", f"layer_{key}_up", look="link", tip=tr("Draw it above the next"))
        self._up.setAccessibleName(tr("Draw {map} above the next", map=title))
        self._up.clicked.connect(lambda: viewing.maps.move_map(key, 1))
        self._down = button("▼", f"layer_{key}_down", look="link", tip=tr("Draw it below the next"))
        self._down.setAccessibleName(tr("Draw {map} below the next", map=title))
        self._down.clicked.connect(lambda: viewing.maps.move_map(key, -1))
        grip = Grip(tr("Drag to change what is drawn above what"))
        beside(self, grip, self._shown, self._name, self._up, self._down, gap=2, grow=(2,))
        self._drag = RowDrag(
            self, lambda steps: viewing.maps.move_map(key, steps), grip, self._name
        )

    def _on_chosen(self, viewing: Viewing, key: str) -> None:
        self._name.setChecked(True)  # a second press on the chosen one must not switch it off
        viewing.maps.show_map(key)

    def show_state(self, *, is_chosen: bool, is_drawn: bool, ends: tuple[bool, bool]) -> None:
        """Show what is so; `ends`: it is the topmost, it is the lowest."""
        self._name.setChecked(is_chosen)
        self._shown.setChecked(is_drawn)
        self._up.setEnabled(not ends[0])
        self._down.setEnabled(not ends[1])


class Grip(QWidget):
    """Six dots that say: this can be dragged."""

    def __init__(self, tip: str) -> None:
        super().__init__()
        self.setFixedSize(_GRIP)
        self.setToolTip(tip)
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw the dots."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.palette().color(QPalette.ColorRole.PlaceholderText))
            for x in (4.0, 8.0):
                for y in (4.5, 9.0, 13.5):
                    painter.drawEllipse(QPointF(x, y), 1.2, 1.2)


class RowDrag(QObject):
    """Lets a row be dragged among its neighbours by some of its parts.

    `move` is given by how many places the row goes up, as soon as the mouse is past another.
    """

    def __init__(self, row: QWidget, move: Callable[[int], object], *parts: QWidget) -> None:
        super().__init__(row)
        self._row, self._move = row, move
        self._from: QPointF | None = None
        self._is_on = False
        for part in parts:
            part.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's hook
        """Follow the mouse while the left button is down; a drag is no press of a button."""
        if not isinstance(event, QMouseEvent):
            return False
        at, kind = event.globalPosition(), event.type()
        if kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            self._from, self._is_on = at, False
        elif kind == QEvent.Type.MouseMove and self._from is not None:
            away = abs(at.y() - self._from.y())
            self._is_on = self._is_on or away >= QApplication.startDragDistance()
            if self._is_on:
                self._go_to(at.toPoint())
            return self._is_on
        elif kind == QEvent.Type.MouseButtonRelease:
            was_on, self._from, self._is_on = self._is_on, None, False
            if was_on and isinstance(watched, QPushButton):
                watched.setDown(False)
            return was_on
        return False

    def _go_to(self, place: QPoint) -> None:
        """Put the row where the mouse is, counted by the middles of the others."""
        beside = self._row.parentWidget()
        if beside is None:
            return
        y, up = beside.mapFromGlobal(place).y(), 0
        only = Qt.FindChildOption.FindDirectChildrenOnly
        for each in beside.findChildren(type(self._row), options=only):
            middle = each.geometry().center().y()
            if each.y() < self._row.y():
                up += y < middle
            elif each is not self._row:
                up -= y > middle
        if up:
            self._move(up)
            # The next move of the mouse counts from where the rows are now.
            if (layout := beside.layout()) is not None:
                layout.activate()
