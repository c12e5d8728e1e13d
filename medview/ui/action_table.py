"""From the table of actions to Qt: menus, buttons and keys, kept up to date."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QElapsedTimer, QEvent, QKeyCombination, QObject, Qt, QTimer
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QMenu,
    QMenuBar,
    QPlainTextEdit,
    QTabBar,
    QToolButton,
    QWidget,
)

from medview.services.settings import Settings
from medview.ui.action import Action
from medview.ui.actions import ACTIONS
from medview.ui.app import App
from medview.ui.curve_plot import CurvePlot
from medview.ui.record_pane import Strips
from medview.ui.shortcuts import Chosen, key_text, keys_in_force
from medview.ui.theme import Theme, icon
from medview.ui.volume_pane import VolumePicture
from medview.ui.words import tr

# A key held longer than this was a peek.
_HELD_MS = 350
# While images move, actions are asked no more often than this: nobody reads a menu meanwhile.
_SOON_MS = 60
_ON_COLOUR = "#ffffff"
# Widgets that need arrows, Home, End and the like for themselves.
_KEEPS_KEYS: tuple[type[QWidget], ...] = (
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
    VolumePicture,
    CurvePlot,
    Strips,
)
_OWN_KEYS = {
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Space,
}


class ActionTable(QObject):
    """One QAction for each entry of ACTIONS."""

    def __init__(self, app: App, window: QWidget, panes: QWidget) -> None:
        super().__init__(window)
        self._app, self._window, self._panes = app, window, panes
        self.actions = {each.id: self._make(each) for each in ACTIONS}
        self.keys: Chosen = {}
        self._keyed: tuple[object, ...] = ()
        self._peeks: dict[str, Action] = {}
        self._use_keys(app.preferences.settings)
        app.preferences.changed.connect(self._use_keys)
        self._held = QElapsedTimer()
        self._menus: dict[str, QMenu] = {}
        self._own_icons: list[tuple[QToolButton, str, str]] = []
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self.refresh)

    def spare_widgets(self, part: QWidget) -> None:
        """Leave arrows and the like to the lists, sliders and fields of a part of the window."""
        for kind in _KEEPS_KEYS:
            for widget in part.findChildren(kind):
                widget.installEventFilter(self)

    def __getitem__(self, key: str) -> QAction:
        return self.actions[key]

    def _use_keys(self, settings: Settings) -> None:
        """Give every action the keys that the settings say; nothing where they say the same."""
        wish = (settings.profile, settings.shortcuts)
        if wish == self._keyed:
            return
        self._keyed = wish
        self.keys = keys_in_force(settings, ACTIONS)
        self._peeks = {}
        self._tips = {each.id: self._tip(each) for each in ACTIONS}
        for each in ACTIONS:
            keys = self.keys[each.id]
            self.actions[each.id].setShortcuts([QKeySequence(key) for key in keys])
            self.actions[each.id].setToolTip(self._tips[each.id])
            if each.is_peek:
                self._peeks |= {_plain(key): each for key in keys}

    def _tip(self, each: Action) -> str:
        keys = self.keys[each.id]
        return f"{tr(each.tip)} ({key_text(keys, tr(' or '))})" if keys else tr(each.tip)

    def refresh(self) -> None:
        """Ask every action again whether it is possible and whether it is on."""
        for each in ACTIONS:
            made = self.actions[each.id]
            made.setEnabled(each.enabled(self._app))
            if each.checked is not None:
                made.setChecked(each.checked(self._app))
            if each.refusal is not None:
                made.setToolTip(tr(each.refusal(self._app)) or self._tips[each.id])

    def refresh_soon(self) -> None:
        """Ask them a moment later, once for all that changes until then."""
        if not self._soon.isActive():
            self._soon.start()

    def set_icons(self, theme: Theme) -> None:
        """Draw all icons in the theme's colours."""
        for each in ACTIONS:
            self.actions[each.id].setIcon(icon(each.icon, theme))
        for made, drawing, colour in self._own_icons:
            made.setIcon(icon(drawing, theme, colour=colour))

    def fill_menus(self, bar: QMenuBar) -> None:
        """Put every action into its menu, in the order of the table."""
        for each in ACTIONS:
            self._menu_for(each.menu, bar).addAction(self.actions[each.id])

    def menu_button(self, path: str, drawing: str, tip: str) -> QToolButton:
        """A button for the tool bar that opens a menu of the menu bar."""
        made = QToolButton()
        text = tr(path.rpartition("/")[2])
        made.setObjectName(f"bar_{path}")
        made.setAccessibleName(text)
        made.setText(f" {text}")
        made.setToolTip(tr(tip))
        made.setMenu(self._menus[path])
        made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._own_icons.append((made, drawing, ""))
        return made

    def strong_button(self, key: str) -> QToolButton:
        """A button for an action on a coloured ground: its icon is white in every theme."""
        made, own = QToolButton(), self.actions[key]

        def follow() -> None:
            made.setEnabled(own.isEnabled())
            made.setToolTip(own.toolTip())

        made.clicked.connect(own.trigger)
        own.changed.connect(follow)
        follow()
        drawing = next(each.icon for each in ACTIONS if each.id == key)
        self._own_icons.append((made, drawing, _ON_COLOUR))
        return made

    def fill(self, menu: QMenu, keys: Iterable[str]) -> None:
        """Put the actions of these ids into a menu; "" is a line, "Menu/Submenu" one of the bar."""
        for key in keys:
            if key in self._menus:
                menu.addMenu(self._menus[key])
            elif not key:
                menu.addSeparator()
            else:
                menu.addAction(self.actions[key])

    def _menu_for(self, path: str, bar: QMenuBar) -> QMenu:
        menus = self._menus
        if path not in menus:
            above, _, title = path.rpartition("/")
            holder = self._menu_for(above, bar) if above else bar
            menus[path] = holder.addMenu(tr(title))
            menus[path].setObjectName(f"menu_{path.replace('/', '_').lower()}")
            menus[path].setToolTipsVisible(True)
        return menus[path]

    def _make(self, each: Action) -> QAction:
        made = QAction(tr(each.text), self._window)
        made.setObjectName(each.id)
        made.setCheckable(each.checked is not None)
        made.setStatusTip(tr(each.tip))
        made.setAutoRepeat(not each.is_peek)
        made.triggered.connect(lambda: self._run(each))
        if each.in_panes:
            made.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            self._panes.addAction(made)
        else:
            self._window.addAction(made)
        return made

    def _run(self, each: Action) -> None:
        if each.is_peek:
            self._held.start()
        if each.enabled(self._app):
            each.run(self._app)
        self.refresh()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's hook
        """Leave a key to the widget that needs it, before it becomes a shortcut."""
        if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.key() not in _OWN_KEYS or plain:
            return False
        event.accept()
        return True

    def key_released(self, event: QKeyEvent) -> None:
        """Switch back what was switched by holding its key down."""
        if event.isAutoRepeat() or not self._held.isValid():
            return
        peek = self._peeks.get(_plain(event.keyCombination()))
        if peek is not None:
            was_held = self._held.elapsed() > _HELD_MS
            if was_held:
                self._run(peek)
            self._held.invalidate()


def _plain(key: str | QKeyCombination) -> str:
    return QKeySequence(key).toString()
