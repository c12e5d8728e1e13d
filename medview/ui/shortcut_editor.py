"""Choose other keys, and what the left button does; a key that is taken is refused."""

from __future__ import annotations

from typing import get_args

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
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

from medview.services.settings import LeftDrag
from medview.ui.action import Action
from medview.ui.app import App
from medview.ui.controls import Row, button, label, name
from medview.ui.mouse import tool_named
from medview.ui.shortcuts import chosen_keys, entries, key_text, keys_of, same, taken_by
from medview.ui.words import tr

_ID = int(Qt.ItemDataRole.UserRole)


class ShortcutEditor(QDialog):
    """A list of all commands with their keys; below it the keys of the one that is chosen."""

    def __init__(self, parent: QWidget, app: App, actions: tuple[Action, ...]) -> None:
        super().__init__(parent)
        name(self, "shortcut_editor", tr("Change keys and mouse"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Change keys and mouse"))
        self.resize(620, 720)
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
        rows.addWidget(self.search)
        rows.addWidget(self.tree, 1)
        rows.addLayout(self._key_row())
        rows.addWidget(self.said)
        rows.addLayout(self._mouse_row())
        rows.addLayout(self._end_row())
        app.preferences.changed.connect(self._on_settings)
        self.finished.connect(lambda _: app.preferences.changed.disconnect(self._on_settings))
        self._fill()

    # -- built once ------------------------------------------------------------------------

    def _search_box(self) -> QLineEdit:
        made = QLineEdit()
        name(made, "shortcut_search", tr("Find a command"))
        made.setPlaceholderText(tr("Find a command or a key"))
        made.setToolTip(tr("Show only commands that have these words"))
        made.textChanged.connect(self._filter)
        return made

    def _list(self) -> QTreeWidget:
        made = QTreeWidget()
        name(made, "shortcut_list", tr("Commands and their keys"))
        made.setColumnCount(2)
        made.setHeaderLabels([tr("Command"), tr("Keys")])
        made.setColumnWidth(0, 360)
        made.currentItemChanged.connect(lambda *_: self._on_chosen())
        return made

    def _key_row(self) -> Row:
        assign = button(tr("Use this key"), "shortcut_assign", look="primary")
        clear = button(tr("No key"), "shortcut_clear", tip=tr("Take its keys away"))
        back = button(tr("As before"), "shortcut_back", tip=tr("The key that it came with"))
        assign.clicked.connect(self._assign)
        clear.clicked.connect(lambda: self._set(()))
        back.clicked.connect(lambda: self._set(None))
        row = Row(self.key, assign, clear, back, gap=8)
        row.setStretch(0, 1)
        return row

    def _mouse_row(self) -> Row:
        settings = self._app.preferences.settings
        self.left = QComboBox()
        name(self.left, "mouse_left", tr("Left button"))
        self.left.setToolTip(tr("What dragging with the left button does at the start"))
        for key in get_args(LeftDrag):
            self.left.addItem(tr(tool_named(key).text), key)
        self.left.setCurrentIndex(self.left.findData(settings.left_drag))
        self.left.activated.connect(self._on_left)
        self.reverse = QCheckBox(tr("Dragging up raises the level"))
        name(self.reverse, "mouse_reverse", self.reverse.text())
        self.reverse.setToolTip(tr("Turn the direction of the level round"))
        self.reverse.setChecked(settings.reverse_level)
        self.reverse.toggled.connect(lambda on: self._app.preferences.change(reverse_level=on))
        return Row(label(tr("Left button"), "strong"), self.left, 16, self.reverse, 1, gap=8)

    def _end_row(self) -> Row:
        reset = button(tr("All as they came"), "shortcut_reset", tip=tr("Forget all changes"))
        reset.clicked.connect(self._reset)
        close = button(tr("Close"), "shortcut_close")
        close.clicked.connect(self.close)
        return Row(reset, 1, close, gap=8)

    # -- the list --------------------------------------------------------------------------

    def _fill(self) -> None:
        self.tree.clear()
        chosen = chosen_keys(self._app.preferences.settings)
        menus: dict[str, QTreeWidgetItem] = {}
        for each in self._actions.values():
            title = each.menu.partition("/")[0]
            if title not in menus:
                menus[title] = QTreeWidgetItem([tr(title), ""])
                menus[title].setFlags(Qt.ItemFlag.ItemIsEnabled)
                self.tree.addTopLevelItem(menus[title])
            item = QTreeWidgetItem([tr(each.text), key_text(keys_of(each, chosen), ", ")])
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
    def _chosen(self) -> Action | None:
        item = self.tree.currentItem()
        return self._actions.get(item.data(0, _ID)) if item is not None else None

    def _on_chosen(self) -> None:
        action = self._chosen
        if action is not None:
            keys = keys_of(action, chosen_keys(self._app.preferences.settings))
            self.key.setKeySequence(QKeySequence(keys[0] if keys else ""))
            self.said.setText("")

    # -- changes ---------------------------------------------------------------------------

    def _assign(self) -> None:
        """Give the command the key that was pressed, unless another has it."""
        action, key = self._chosen, self.key.keySequence().toString()
        if action is None or not key:
            self.said.setText(tr("Choose a command in the list, then press a key."))
            return
        chosen = chosen_keys(self._app.preferences.settings)
        taken = taken_by(key, action, tuple(self._actions.values()), chosen)
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
        chosen = dict(chosen_keys(self._app.preferences.settings))
        chosen.pop(action.id, None)
        own = tuple(same(key) for key in action.keys)
        if keys is None:
            others = tuple(self._actions.values())
            for key in action.keys:
                taken = taken_by(key, action, others, chosen)
                if taken is not None:
                    text = tr("{key} is the key of “{other}” now.", key=key, other=tr(taken.text))
                    self.said.setText(text)
                    return
        elif tuple(same(key) for key in keys) != own:
            chosen[action.id] = keys
        self._app.preferences.change(shortcuts=entries(chosen))
        self.said.setText(tr("“{command}” changed.", command=tr(action.text)))

    def _reset(self) -> None:
        self._app.preferences.change(shortcuts=(), left_drag=LEFT_DRAG_FIRST, reverse_level=False)
        self.left.setCurrentIndex(self.left.findData(LEFT_DRAG_FIRST))
        self.reverse.setChecked(False)
        self.said.setText(tr("All keys are as they came."))

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
