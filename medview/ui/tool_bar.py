"""The bar of buttons above the images, from the tables; words go where there is no room."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolBar, QToolButton, QWidget

from medview.ui.action_table import ActionTable
from medview.ui.actions import BAR_LEFT, BAR_MENUS, BAR_RIGHT, BAR_TEXTS, action
from medview.ui.controls import label, name
from medview.ui.words import tr

_BAR_PX = 40
_WITH_TEXT = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
_ICON = Qt.ToolButtonStyle.ToolButtonIconOnly
_LOOKS = {"analysis.run": "primary", "file.export_report": "outlined"}


def _brand() -> QWidget:
    """The program's name, in its two colours."""
    whole = QWidget()
    name(whole, "brand", "medview")
    row = QHBoxLayout(whole)
    row.setContentsMargins(10, 0, 12, 0)
    row.setSpacing(0)
    row.addWidget(label("med", "brand"))
    row.addWidget(label("view", "brand-end"))
    return whole


class ToolBar(QToolBar):
    """Tools on the left of a gap, what is done with a study on the right."""

    def __init__(self, table: ActionTable) -> None:
        super().__init__()
        name(self, "tools", tr("Tools"))
        self._table = table
        self._buttons: dict[str, QToolButton] = {}
        self.setMovable(False)
        self.setFixedHeight(_BAR_PX)
        self.setIconSize(QSize(16, 16))
        self.setToolButtonStyle(_WITH_TEXT)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.addWidget(_brand())
        self._fill(BAR_LEFT)
        gap = QWidget()
        gap.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(gap)
        self._fill(BAR_RIGHT)

    def fold(self, *, is_wide: bool) -> None:
        """Leave the words of the tools away where the window is narrow."""
        for key in BAR_LEFT:
            if key in self._buttons:
                self._buttons[key].setToolButtonStyle(_WITH_TEXT if is_wide else _ICON)

    def _fill(self, keys: tuple[str, ...]) -> None:
        for key in keys:
            if not key:
                self.addSeparator()
            elif "/" in key:
                self._buttons[key] = self._table.menu_button(key, *BAR_MENUS[key])
                self.addWidget(self._buttons[key])
            else:
                self._add(key)

    def _add(self, key: str) -> None:
        made, look = self._table[key], _LOOKS.get(key, "")
        text = f" {tr(BAR_TEXTS.get(key, action(key).text))}"
        if look == "primary":
            button: QWidget = self._table.strong_button(key)
            self.addWidget(button)
        else:
            self.addAction(made)
            button = self.widgetForAction(made)
        if isinstance(button, QToolButton):
            name(button, f"bar_{key}", made.text())
            made.setIconText(text)
            button.setText(text)
            button.setToolButtonStyle(_WITH_TEXT)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setProperty("look", look)
            self._buttons[key] = button
