"""The rules of hanging that fit a study, in a list: hang by one, delete one's own."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout

from medview.services.hanging_rules import Rule
from medview.services.layouts import LAYOUTS
from medview.ui.app import App
from medview.ui.containers import Row
from medview.ui.controls import button, label, name
from medview.ui.words import tr

_ROW_PX = 26


class HangingDialog(QDialog):
    """Name, layout and origin of each rule; the one the study hangs by is chosen at first."""

    def __init__(self, app: App, rules: Sequence[Rule]) -> None:
        super().__init__(app.window)
        name(self, "hangings", tr("Hang the study"))
        self.setWindowTitle(tr("Hang the study"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(560, 380)
        self._app, self._rules = app, list(rules)
        self.list = self._made_list()
        self._delete = button(
            tr("Delete"), "hangings_delete", tip=tr("Take this rule of your own away")
        )
        self._hang = button(
            tr("Hang"), "hangings_hang", look="primary", tip=tr("Hang the study by this rule")
        )
        close = button(tr("Close"), "hangings_close", tip=tr("Leave the study as it hangs"))
        self._hang.setDefault(True)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(14, 12, 14, 12)
        rows.setSpacing(8)
        rows.addWidget(label(tr("Rules that fit this study"), "strong"))
        rows.addWidget(self.list, 1)
        rows.addWidget(Row(self._delete, 1, self._hang, close))
        self._hang.clicked.connect(self.hang)
        self._delete.clicked.connect(self.delete)
        close.clicked.connect(self.close)
        self.list.itemActivated.connect(self.hang)
        self.list.currentItemChanged.connect(self._on_chosen)
        self._fill()
        self.list.setFocus()

    def _made_list(self) -> QTreeWidget:
        made = QTreeWidget()
        made.setAllColumnsShowFocus(True)
        name(made, "hangings_list", tr("Rules that fit this study"))
        made.setColumnCount(3)
        made.setHeaderLabels([tr("Rule"), tr("Layout"), tr("From")])
        made.setRootIsDecorated(False)
        made.setUniformRowHeights(True)
        header = made.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        return made

    def _fill(self) -> None:
        here = self._app.hanging.here
        for rule in self._rules:
            origin = tr("your own") if self._is_own(rule) else tr("medview")
            item = QTreeWidgetItem([rule.name, layout_words(rule.layout), origin])
            item.setSizeHint(0, QSize(0, _ROW_PX))
            item.setToolTip(0, rule.name)
            self.list.addTopLevelItem(item)
        item_here = self.list.topLevelItem(self._rules.index(here) if here in self._rules else 0)
        if item_here is not None:
            self.list.setCurrentItem(item_here)

    @property
    def chosen(self) -> Rule | None:
        """The rule that is chosen in the list."""
        place = self.list.currentIndex().row()
        return self._rules[place] if 0 <= place < len(self._rules) else None

    def hang(self) -> None:
        """Hang the study by the chosen rule and leave."""
        if self.chosen is not None:
            self._app.hanging.choose(self.chosen)
            self.close()

    def delete(self) -> None:
        """Take the chosen rule away, where it is the reader's own."""
        rule = self.chosen
        if rule is None or not self._is_own(rule):
            return
        self._app.hanging.own.delete(rule.name)
        place = self._rules.index(rule)
        del self._rules[place]
        self.list.takeTopLevelItem(place)
        self._on_chosen()

    def _on_chosen(self) -> None:
        rule = self.chosen
        self._hang.setEnabled(rule is not None)
        self._delete.setEnabled(rule is not None and self._is_own(rule))

    def _is_own(self, rule: Rule) -> bool:
        return rule in self._app.hanging.own.rules()


def layout_words(key: str) -> str:
    """A layout as it is called on screen, such as "2 × 2"."""
    layout = LAYOUTS[key]
    if layout.is_mpr:
        return tr("three planes")
    return f"{layout.rows} × {layout.columns}"
