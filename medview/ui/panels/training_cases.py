"""The cases that were held out, old against new; a click opens one with both versions on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from medview.services.case_table import CaseLine
from medview.ui.controls import name
from medview.ui.words import number, tr

_ROW_PX, _MOST_ROWS = 24, 8


class CaseTable(QTreeWidget):
    """A row a case: truth, old and new; those that moved away from the truth come first."""

    def __init__(self, open_case: Callable[[Path], object]) -> None:
        super().__init__()
        name(self, "training_case_table", tr("Cases, before and after"))
        self._open = open_case
        self._lines: tuple[CaseLine, ...] = ()
        self.setRootIsDecorated(False)
        self.setAllColumnsShowFocus(True)
        self.setHeaderLabels([tr("Case"), tr("true"), tr("before"), tr("after")])
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2, 3):
            self.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.header().setStretchLastSection(False)
        self.itemActivated.connect(self._on_chosen)
        self.itemClicked.connect(self._on_chosen)

    def show_lines(self, lines: tuple[CaseLine, ...]) -> None:
        """Show these; none hides the table."""
        self.setVisible(bool(lines))
        if lines == self._lines:
            return
        self._lines = lines
        self.clear()
        for line in lines:
            cells = [line.case, *(number(value) for value in (line.truth, line.old, line.new))]
            row = QTreeWidgetItem(cells)
            tip = tr("Open this case with both versions") if line.file else tr("A row of a table")
            row.setToolTip(0, tip)
            self.addTopLevelItem(row)
        self.setFixedHeight(_ROW_PX * (min(len(lines), _MOST_ROWS) + 1) + 8)

    def _on_chosen(self, row: QTreeWidgetItem) -> None:
        line = self._lines[self.indexOfTopLevelItem(row)]
        if line.file is not None:
            self._open(line.file)
