"""A line to type into that finds what has all the words."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QLineEdit, QToolButton

from medview.ui.controls import name
from medview.ui.words import tr


class FindBox(QLineEdit):
    """Calls `find` with the words at every change; a cross clears them.

    `key` and `title` name it, `hint` stands in it while it is empty, `tip` says what it does.
    """

    def __init__(
        self, key: str, title: str, hint: str, tip: str, find: Callable[[str], object]
    ) -> None:
        super().__init__()
        name(self, key, title)
        self.setPlaceholderText(hint)
        self.setToolTip(tip)
        self.setClearButtonEnabled(True)
        for cross in self.findChildren(QToolButton):
            name(cross, f"{key}_clear", tr("Clear"))
            cross.setToolTip(tr("Clear"))
        self.textChanged.connect(find)
