"""The cases that were held out, old against new; a click opens one with both versions on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from medview.services.case_table import CaseLine
from medview.ui.controls import name
from medview.ui.words import decimals_of, fixed, tr

_ROW_PX, _MOST_ROWS = 24, 8
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


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
            self.headerItem().setTextAlignment(column, _RIGHT)
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
        decimals = decimals_of(*(value for line in lines for value in (line.old, line.new)))

        def said(line: CaseLine) -> tuple[str, str]:
            return fixed(line.old, decimals), fixed(line.new, decimals)

        for line in lines:
            row = QTreeWidgetItem([line.case, truth_words(line, decimals), *said(line)])
            for column in (1, 2, 3):
                row.setTextAlignment(column, _RIGHT)
            tip = tr("Open this case with both versions") if line.file else tr("A row of a table")
            row.setToolTip(0, tip)
            self.addTopLevelItem(row)
        self.setFixedHeight(_ROW_PX * (min(len(lines), _MOST_ROWS) + 1) + 8)

    def _on_chosen(self, row: QTreeWidgetItem) -> None:
        line = self._lines[self.indexOfTopLevelItem(row)]
        if line.file is not None:
            self._open(line.file)


def truth_words(line: CaseLine, decimals: int) -> str:
    """What is true of a case: its outcome in words, a whole number as it is, else as a figure."""
    outcomes = {
        "severe": (tr("mild"), tr("severe")),
        "mortality": (tr("survived"), tr("died")),
        "icu_admission": (tr("no"), tr("yes")),
    }
    labels = {"0": tr("normal"), "1": tr("abnormal")}
    if line.label:
        return labels.get(line.label, line.label)
    if line.score in outcomes and line.truth in (0, 1):
        return outcomes[line.score][int(line.truth)]
    if line.truth is not None and line.truth == round(line.truth):
        return f"{line.truth:.0f}"
    return fixed(line.truth, decimals)
