"""Type to find any command: with its key, those used last first, and why one is not possible."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

from medview.ui.action import Action
from medview.ui.action_table import ActionTable
from medview.ui.app import App
from medview.ui.controls import label, name
from medview.ui.find_box import FindBox
from medview.ui.reasons import why_not
from medview.ui.shortcuts import key_text
from medview.ui.theme import current
from medview.ui.words import tr

SELF = "help.palette"
_ID = int(Qt.ItemDataRole.UserRole)
_WHY = _ID + 1
_MOST_RECENT = 8
_SIZE = (640, 460)
_TOP_PX = 72
_ROW_PX = 24
_MOVES = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -10, Qt.Key.Key_PageDown: 10}


class Palette(QDialog):
    """A field and the list of what fits; Return uses the chosen one, Esc goes back."""

    def __init__(self, app: App, table: ActionTable, actions: Sequence[Action]) -> None:
        super().__init__(app.window, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        name(self, "palette", tr("Find a command"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Find a command"))
        self._app, self._table = app, table
        self._actions = {each.id: each for each in actions if each.id != SELF}
        self.field = self._field()
        self.list = self._list()
        self.said = label("", "quiet", wraps=True)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(12, 12, 12, 10)
        rows.setSpacing(8)
        for part in (self.field, self.list, self.said):
            rows.addWidget(part)
        self.resize(min(_SIZE[0], app.window.width()), _SIZE[1])
        self.move(app.window.mapToGlobal(QPoint((app.window.width() - self.width()) // 2, _TOP_PX)))
        self._look_for("")
        self.field.setFocus()

    def _field(self) -> FindBox:
        made = FindBox(
            "palette_field",
            tr("Find a command"),
            tr("What do you want to do?"),
            tr("Type words of a command, or its key; Return uses it"),
            self._look_for,
        )
        made.installEventFilter(self)
        return made

    def _list(self) -> QTreeWidget:
        made = QTreeWidget()
        name(made, "palette_list", tr("Commands that fit"))
        made.setProperty("look", "palette")
        made.setColumnCount(3)
        made.setHeaderHidden(True)
        made.setRootIsDecorated(False)
        made.setUniformRowHeights(True)
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        header = made.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        made.itemClicked.connect(lambda *_: self._use())
        made.currentItemChanged.connect(lambda *_: self._tell())
        return made

    # -- the list --------------------------------------------------------------------------

    def _look_for(self, text: str) -> None:
        self.list.clear()
        for each in self._found(text):
            self.list.addTopLevelItem(self._row(each))
        self._choose(0)
        self._tell()

    def _choose(self, place: int) -> None:
        item = self.list.topLevelItem(place)
        if item is not None:
            self.list.setCurrentItem(item)

    def _found(self, text: str) -> list[Action]:
        """What has all the words: at its beginning first, then used last, then in table order."""
        words = text.lower().split()
        used = [key for key in self._app.preferences.settings.used if key in self._actions]
        ranked = []
        for place, each in enumerate(self._actions.values()):
            rank = self._rank(each, words)
            if rank is not None:
                recent = used.index(each.id) if each.id in used else len(used)
                ranked.append((rank, recent, place, each))
        return [each for *_, each in sorted(ranked, key=lambda row: row[:3])]

    def _rank(self, each: Action, words: list[str]) -> int | None:
        """How well a command fits, 0 best; None when a word stands nowhere."""
        text = tr(each.text).lower()
        keys = key_text(self._table.keys[each.id], " ").lower()
        around = f"{tr(each.menu).lower()} {tr(each.tip).lower()}"
        if all(word in text for word in words):
            begins = [part.startswith(word) for word in words for part in [text, *text.split()]]
            return 0 if not words or text.startswith(words[0]) else 1 if any(begins) else 2
        if words and "".join(words) in keys.split():
            return 0
        return 3 if all(word in f"{text} {keys} {around}" for word in words) else None

    def _row(self, each: Action) -> QTreeWidgetItem:
        why = why_not(self._app, each)
        is_on = each.checked is not None and each.checked(self._app)
        menu = " › ".join(tr(part) for part in each.menu.split("/"))
        about = tr("on") if is_on else menu
        item = QTreeWidgetItem(
            [tr(each.text), tr(why) or about, key_text(self._table.keys[each.id], ", ")]
        )
        item.setData(0, _ID, each.id)
        item.setData(0, _WHY, why)
        item.setToolTip(0, tr(each.tip))
        item.setSizeHint(1, QSize(0, _ROW_PX))
        quiet = QColor(current().quiet)
        for column in (0, 1, 2) if why else (1,):
            item.setForeground(column, quiet)
        item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        spoken = (item.text(0), tr("not possible now") if why else "", item.text(1), item.text(2))
        text = ", ".join(part for part in spoken if part)
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, text)
        return item

    def _tell(self) -> None:
        """What the chosen command does, or why it cannot; a screen reader hears it, too."""
        item = self.list.currentItem()
        if item is None:
            self.said.setText(tr("No command has these words."))
            return
        why = str(item.data(0, _WHY))
        self.said.setText(tr(why) or tr(self._actions[item.data(0, _ID)].tip))
        self.field.setAccessibleDescription(str(item.data(0, Qt.ItemDataRole.AccessibleTextRole)))

    # -- the keyboard ----------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's hook
        """Arrows of the field move in the list."""
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._use()
            return True
        steps, item = _MOVES.get(Qt.Key(event.key())), self.list.currentItem()
        count = self.list.topLevelItemCount()
        if steps is None or item is None:
            return False
        here = self.list.indexOfTopLevelItem(item)
        # One step goes round, ten hold at the ends.
        place = (here + steps) % count if abs(steps) == 1 else min(max(here + steps, 0), count - 1)
        self._choose(place)
        return True

    def _use(self) -> None:
        """Use the chosen command; one that is not possible says why and nothing else happens."""
        item = self.list.currentItem()
        if item is None or item.data(0, _WHY):
            return
        key = str(item.data(0, _ID))
        used = self._app.preferences.settings.used
        self.close()
        others = tuple(each for each in used if each != key)
        self._app.preferences.change(used=(key, *others)[:_MOST_RECENT])
        self._table[key].trigger()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802  # Qt's hook
        """Go when another window is used."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self.close()
