"""Choose a profile, other keys and buttons on top of it; a key that is taken is refused."""

from __future__ import annotations

from typing import get_args

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QKeySequence
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QKeySequenceEdit,
    QLineEdit,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from medview.services.settings import Drag, LeftDrag, Settings
from medview.ui.action import Action
from medview.ui.app import App
from medview.ui.containers import Row
from medview.ui.controls import button, label, name
from medview.ui.find_box import FindBox
from medview.ui.mouse import tool_named
from medview.ui.profiles import PROFILES
from medview.ui.shortcuts import (
    Chosen,
    chosen_keys,
    entries,
    key_text,
    keys_in_force,
    keys_lost,
    keys_that_came,
    profile_of,
    same,
    taken_by,
)
from medview.ui.words import tr

_ID = int(Qt.ItemDataRole.UserRole)


class ShortcutEditor(QDialog):
    """A list of all commands with their keys; below it the keys of the one that is chosen."""

    def __init__(self, parent: QWidget, app: App, actions: tuple[Action, ...]) -> None:
        super().__init__(parent)
        name(self, "shortcut_editor", tr("Change keys and mouse"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Change keys and mouse"))
        self.resize(720, 760)
        self._app = app
        self._actions = {each.id: each for each in actions}
        self.search = self._search_box()
        self.tree = self._list()
        self.key = QKeySequenceEdit()
        name(self.key, "shortcut_key", tr("New key"))
        self.key.setMaximumSequenceLength(1)
        self.key.setClearButtonEnabled(True)
        self.key.setToolTip(tr("Click here and press the new key"))
        for part in self.key.findChildren(QWidget):
            if isinstance(part, QLineEdit | QToolButton):
                name(part, f"shortcut_{type(part).__name__.lower()}", tr("New key"))
                part.setToolTip(self.key.toolTip())
        self.said = label("", "quiet", wraps=True)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(14, 12, 14, 12)
        rows.setSpacing(8)
        rows.addWidget(self._profile_row())
        rows.addWidget(self.search)
        rows.addWidget(self.tree, 1)
        rows.addWidget(self._key_row())
        rows.addWidget(self.said)
        rows.addWidget(self._mouse_row())
        rows.addWidget(Row(self.reverse, 1))
        rows.addWidget(self._end_row())
        app.preferences.changed.connect(self._on_settings)
        self.finished.connect(lambda _: app.preferences.changed.disconnect(self._on_settings))
        self._fill()

    # -- built once ------------------------------------------------------------------------

    def _profile_row(self) -> Row:
        self.profile = QComboBox()
        name(self.profile, "key_profile", tr("Keys and mouse like"))
        for profile in PROFILES.values():
            self.profile.addItem(tr(profile.title), profile.key)
            tip = Qt.ItemDataRole.ToolTipRole
            self.profile.setItemData(self.profile.count() - 1, tr(profile.tip), tip)
        self.profile.setToolTip(tr("The program whose keys and mouse yours are like"))
        self.profile.setCurrentIndex(self.profile.findData(self._settings.profile))
        self.profile.activated.connect(self._on_profile)
        self.about = label(tr(profile_of(self._settings).tip), "quiet", wraps=True)
        return Row(label(tr("Profile"), "strong"), self.profile, self.about, gap=8, grow=(2,))

    def _search_box(self) -> FindBox:
        return FindBox(
            "shortcut_search",
            tr("Find a command"),
            tr("Find a command or a key"),
            tr("Show only commands that have these words"),
            self._filter,
        )

    def _list(self) -> QTreeWidget:
        made = QTreeWidget()
        made.setAllColumnsShowFocus(True)
        name(made, "shortcut_list", tr("Commands and their keys"))
        made.setColumnCount(2)
        made.setHeaderLabels([tr("Command"), tr("Keys")])
        made.setColumnWidth(0, 360)
        made.setRootIsDecorated(False)  # menus are heads, never folded
        made.setItemsExpandable(False)
        made.currentItemChanged.connect(lambda *_: self._on_chosen())
        return made

    def _key_row(self) -> Row:
        assign = button(tr("Use this key"), "shortcut_assign", look="primary")
        clear = button(tr("No key"), "shortcut_clear", tip=tr("Take its keys away"))
        back = button(tr("As before"), "shortcut_back", tip=tr("The key that it came with"))
        assign.clicked.connect(self._assign)
        clear.clicked.connect(lambda: self._set(()))
        back.clicked.connect(lambda: self._set(None))
        return Row(self.key, assign, clear, back, gap=8, grow=(0,))

    def _mouse_row(self) -> Row:
        settings = self._settings
        self.left = self._button_box("mouse_left", tr("Left button"), get_args(LeftDrag))
        self.left.setToolTip(tr("What dragging with the left button does at the start"))
        self.left.activated.connect(self._on_left)
        self.right = self._button_box("mouse_right", tr("Right button"), get_args(Drag))
        self.right.activated.connect(
            lambda place: self._app.preferences.change(right_drag=self.right.itemData(place))
        )
        self.middle = self._button_box("mouse_middle", tr("Middle button"), get_args(Drag))
        self.middle.activated.connect(
            lambda place: self._app.preferences.change(middle_drag=self.middle.itemData(place))
        )
        self.reverse = QCheckBox(tr("Dragging up raises the level"))
        name(self.reverse, "mouse_reverse", self.reverse.text())
        self.reverse.setToolTip(tr("Turn the direction of the level round"))
        self.reverse.setChecked(settings.reverse_level)
        self.reverse.toggled.connect(lambda on: self._app.preferences.change(reverse_level=on))
        self._show_buttons()
        titles = [label(tr(text), "strong") for text in ("Left button", "Middle", "Right")]
        boxes = (self.left, self.middle, self.right)
        parts = [part for pair in zip(titles, boxes, strict=True) for part in pair]
        return Row(*parts, 1, gap=8)

    def _button_box(self, key: str, accessible: str, tools: tuple[str, ...]) -> QComboBox:
        made = QComboBox()
        name(made, key, accessible)
        made.setToolTip(tr("What dragging with this button does"))
        for tool in tools:
            made.addItem(tr(tool_named(tool).text) if tool else tr("As in the profile"), tool)
        return made

    def _show_buttons(self) -> None:
        settings = self._settings
        self.left.setCurrentIndex(self.left.findData(settings.left_drag))
        self.right.setCurrentIndex(self.right.findData(settings.right_drag))
        self.middle.setCurrentIndex(self.middle.findData(settings.middle_drag))

    def _end_row(self) -> Row:
        reset = button(tr("All as they came"), "shortcut_reset", tip=tr("Forget all changes"))
        reset.clicked.connect(self._reset)
        close = button(tr("Close"), "shortcut_close")
        close.clicked.connect(self.close)
        return Row(reset, 1, close, gap=8)

    # -- the list --------------------------------------------------------------------------

    def _fill(self) -> None:
        self.tree.clear()
        in_force = self._in_force
        menus: dict[str, QTreeWidgetItem] = {}
        for each in self._actions.values():
            title = each.menu.partition("/")[0]
            if title not in menus:
                menus[title] = QTreeWidgetItem([tr(title), ""])
                menus[title].setFlags(Qt.ItemFlag.ItemIsEnabled)
                head = QFont(self.tree.font())
                head.setBold(True)
                menus[title].setFont(0, head)
                self.tree.addTopLevelItem(menus[title])
            item = QTreeWidgetItem([tr(each.text), key_text(in_force[each.id], ", ")])
            item.setData(0, _ID, each.id)
            item.setToolTip(0, tr(each.tip))
            menus[title].addChild(item)
        self.tree.expandAll()
        self._filter(self.search.text())

    def _filter(self, text: str) -> None:
        words = text.lower().split()
        for menu in _children(self.tree.invisibleRootItem()):
            shown = 0
            for item in _children(menu):
                said = f"{item.text(0)} {item.text(1)}".lower()
                item.setHidden(not all(word in said for word in words))
                shown += not item.isHidden()
            menu.setHidden(not shown)

    def choose(self, key: str) -> None:
        """Choose a command by its id."""
        for menu in _children(self.tree.invisibleRootItem()):
            for item in _children(menu):
                if item.data(0, _ID) == key:
                    self.tree.setCurrentItem(item)

    @property
    def _settings(self) -> Settings:
        return self._app.preferences.settings

    @property
    def _in_force(self) -> Chosen:
        return keys_in_force(self._settings, self._actions.values())

    @property
    def _chosen(self) -> Action | None:
        item = self.tree.currentItem()
        return self._actions.get(item.data(0, _ID)) if item is not None else None

    def _on_chosen(self) -> None:
        action = self._chosen
        if action is not None:
            keys = self._in_force[action.id]
            self.key.setKeySequence(QKeySequence(keys[0] if keys else ""))
            self.said.setText("")

    # -- changes ---------------------------------------------------------------------------

    def _assign(self) -> None:
        """Give the command the key that was pressed, unless another has it."""
        action, key = self._chosen, self.key.keySequence().toString()
        if action is None or not key:
            self.said.setText(tr("Choose a command in the list, then press a key."))
            return
        taken = taken_by(key, action, self._actions.values(), self._in_force)
        if taken is not None:
            text = tr("{key} is the key of “{other}”. Choose another, or take it away there.")
            self.said.setText(text.format(key=key, other=tr(taken.text)))
            return
        self._set((key,))

    def _set(self, keys: tuple[str, ...] | None) -> None:
        """Keep these keys; None: those that the command came with."""
        action = self._chosen
        if action is None:
            return
        chosen = dict(chosen_keys(self._settings))
        chosen.pop(action.id, None)
        came = keys_that_came(action, profile_of(self._settings))
        if keys is None:
            for key in came:
                taken = taken_by(key, action, self._actions.values(), self._in_force)
                if taken is not None:
                    text = tr("{key} is the key of “{other}” now.", key=key, other=tr(taken.text))
                    self.said.setText(text)
                    return
        elif [same(key) for key in keys] != [same(key) for key in came]:
            chosen[action.id] = keys
        self._app.preferences.change(shortcuts=entries(chosen))
        self.said.setText(tr("“{command}” changed.", command=tr(action.text)))

    def _reset(self) -> None:
        self._app.preferences.change(
            shortcuts=(),
            left_drag=LEFT_DRAG_FIRST,
            right_drag="",
            middle_drag="",
            reverse_level=False,
        )
        self._show_buttons()
        self.reverse.setChecked(False)
        self.said.setText(tr("All keys are as they came."))

    def _on_profile(self, place: int) -> None:
        """Take the keys of a profile; say which of them the reader's own choice keeps out."""
        self._app.preferences.change(profile=self.profile.itemData(place))
        self.about.setText(tr(profile_of(self._settings).tip))
        lost = keys_lost(self._settings, self._actions.values())
        told = ", ".join(f"{key_text((key,), '')} ({tr(each.text)})" for each, key in lost)
        text = tr("Your own keys stay. This profile would use some for others: {keys}", keys=told)
        self.said.setText(text if lost else tr("These keys are in force now."))

    def _on_left(self, place: int) -> None:
        tool = self.left.itemData(place)
        self._app.preferences.change(left_drag=tool)
        self._app.window.use_tool(tool)

    def _on_settings(self) -> None:
        """Show the keys that are in force now, where the list is."""
        action = self._chosen
        at = self.tree.verticalScrollBar().value()
        said = self.said.text()
        self._fill()
        if action is not None:
            self.choose(action.id)
        self.tree.verticalScrollBar().setValue(at)
        self.said.setText(said)


LEFT_DRAG_FIRST = "window"


def _children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    found = (item.child(n) for n in range(item.childCount()))
    return [each for each in found if each is not None]
