"""A hand that does what no reader would: seeded events of every kind on a window."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QWidget

from medview.ui.actions import ACTIONS
from medview.ui.app import App
from medview.ui.slice_pane import SERIES_DRAG, SlicePane

# They wait for an answer in a dialog of the system, write files, run a model or end the program.
AVOIDED = (
    "file.", "go.slice", "tool.text", "analysis.run", "analysis.forget", "view.full_screen",
    "hanging.choose", "hanging.keep", "hanging.delete", "hanging.file",
)  # fmt: skip
# Buttons that do the same.
_AVOIDED_BUTTONS = ("run", "file.", "export", "train", "add", "choose", "open", "delete", "sign")
_BUTTONS = (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton)
_MODIFIERS = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)
_NONE = Qt.MouseButton.NoButton
_SIZES = ((1400, 900), (1100, 700), (900, 620), (1500, 950))


@dataclass(slots=True)
class Seen:
    """What came of it: seconds that each event took, processor seconds, what went wrong."""

    wall_s: list[float] = field(default_factory=list)
    own_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)


class MonkeyHand:
    """Does one random thing after the other; the same seed does the same things."""

    def __init__(self, app: App, seed: int, qt: QApplication) -> None:
        self._app, self._qt = app, qt
        self._dice = Random(seed)
        self.seen = Seen()
        kept = [each for each in ACTIONS if not each.id.startswith(AVOIDED)]
        self._actions = tuple(each.id for each in kept)
        self._kinds: tuple[tuple[str, int, Callable[[], None]], ...] = (
            ("drag", 30, self._drag),
            ("wheel", 25, self._wheel),
            ("action", 30, self._trigger),
            ("button", 6, self._click_a_button),
            ("series", 4, self._choose_series),
            ("drop", 3, self._drop_series),
            ("double click", 4, self._double_click),
            ("resize", 1, self._resize),
        )

    def do(self, events: int, *, told: Callable[[int], object] = lambda n: None) -> Seen:
        """So many things; an exception is noted and does not end it."""
        names = [name for name, _, _ in self._kinds]
        weights = [weight for _, weight, _ in self._kinds]
        works = {name: work for name, _, work in self._kinds}
        for number in range(events):
            name = self._dice.choices(names, weights)[0]
            self.seen.kinds[name] = self.seen.kinds.get(name, 0) + 1
            wall, own = time.perf_counter(), time.thread_time()
            try:
                works[name]()
                self._qt.processEvents()
                # The program's own loop deletes what was closed; this one has to be asked.
                self._qt.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            except Exception as error:  # counted: nothing a hand does may raise
                self.seen.errors.append(f"{name}: {type(error).__name__}")
            self.seen.wall_s.append(time.perf_counter() - wall)
            self.seen.own_s.append(time.thread_time() - own)
            told(number)
        return self.seen

    # -- what it does ----------------------------------------------------------------------

    def _pane(self) -> SlicePane:
        return self._dice.choice(self._app.window.grid.visible_panes)

    def _place(self, pane: SlicePane) -> QPointF:
        area = pane.area
        x, y = self._dice.uniform(-5, area.width() + 5), self._dice.uniform(-5, area.height() + 5)
        return QPointF(x, y)

    def _drag(self) -> None:
        pane, button = self._pane(), self._dice.choice(_BUTTONS)
        modifier, at = self._dice.choice(_MODIFIERS), self._place(pane)
        self._send(pane, QEvent.Type.MouseButtonPress, at, button, button, modifier)
        for _ in range(self._dice.randint(0, 4)):
            at = at + QPointF(self._dice.uniform(-60, 60), self._dice.uniform(-60, 60))
            self._send(pane, QEvent.Type.MouseMove, at, _NONE, button, modifier)
        self._send(pane, QEvent.Type.MouseButtonRelease, at, button, _NONE, modifier)
        self._close_menus()

    def _double_click(self) -> None:
        pane, left = self._pane(), _BUTTONS[0]
        at = self._place(pane)
        self._send(pane, QEvent.Type.MouseButtonDblClick, at, left, left, _MODIFIERS[0])
        self._send(pane, QEvent.Type.MouseButtonRelease, at, left, _NONE, _MODIFIERS[0])

    def _send(
        self,
        pane: SlicePane,
        kind: QEvent.Type,
        at: QPointF,
        button: Qt.MouseButton,
        buttons: Qt.MouseButton,
        modifier: Qt.KeyboardModifier,
    ) -> None:
        glob = QPointF(pane.viewport().mapToGlobal(at.toPoint()))
        event = QMouseEvent(kind, at, glob, button, buttons, modifier)
        QApplication.sendEvent(pane.viewport(), event)

    def _wheel(self) -> None:
        pane = self._pane()
        at = self._place(pane)
        angle = QPoint(0, self._dice.choice((-360, -120, -40, 40, 120, 360)))
        glob = QPointF(pane.viewport().mapToGlobal(at.toPoint()))
        modifier, phase = self._dice.choice(_MODIFIERS), Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(at, glob, QPoint(), angle, _NONE, modifier, phase, False)
        QApplication.sendEvent(pane.viewport(), event)

    def _trigger(self) -> None:
        self._app.window.table[self._dice.choice(self._actions)].trigger()
        self._close_dialogs()

    def _click_a_button(self) -> None:
        found = [
            each
            for each in self._app.window.findChildren(QAbstractButton)
            if each.isVisible() and each.isEnabled() and not _is_avoided(each)
        ]
        if found:
            self._dice.choice(sorted(found, key=lambda each: each.objectName())).click()
        self._close_dialogs()
        self._close_menus()

    def _choose_series(self) -> None:
        every = self._app.session.catalogue.all_series()
        if every:
            self._app.library.show(self._dice.choice(every))

    def _drop_series(self) -> None:
        every = self._app.session.catalogue.all_series()
        if not every:
            return
        data = QMimeData()
        data.setData(SERIES_DRAG, self._dice.choice(every).key.encode())
        action, left = Qt.DropAction.CopyAction, _BUTTONS[0]
        event = QDropEvent(QPointF(9, 9), action, data, left, _MODIFIERS[0])
        QApplication.sendEvent(self._pane().viewport(), event)

    def _resize(self) -> None:
        self._app.window.resize(*self._dice.choice(_SIZES))

    def _close_dialogs(self) -> None:
        for dialog in self._app.window.findChildren(QDialog):
            if dialog.isVisible():
                dialog.close()

    def _close_menus(self) -> None:
        menu: QWidget | None = self._qt.activePopupWidget()
        while menu is not None:
            menu.close()
            following = self._qt.activePopupWidget()
            menu = following if following is not menu else None


def _is_avoided(button: QAbstractButton) -> bool:
    key = button.objectName().lower()
    return not key or any(word in key for word in _AVOIDED_BUTTONS) or "layout" in key
