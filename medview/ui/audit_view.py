"""The audit trail: what was done here, and whether that record is whole."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from medview.domain.wording import time_words
from medview.services.audit import in_words
from medview.ui.containers import Row
from medview.ui.controls import button, label, name
from medview.ui.words import tr

_WIDTHS = (190, 110, 110)
# The number of a line stands first, though it is the last column.
_LINE, _LINE_PX = 4, 56
# The beginning tells hashes apart; the tip has them whole.
_HASH = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{24,}\b")


class AuditView(QDialog):
    """The newest lines, the newest first; the first line of the window says whether all hold.

    `last` is the number of the newest line in the file, 0 for as many as there are entries.
    """

    def __init__(
        self,
        parent: QWidget,
        entries: Sequence[Mapping[str, Any]],
        verdict: str,
        *,
        holds: bool,
        last: int = 0,
    ) -> None:
        super().__init__(parent)
        name(self, "audit", tr("Audit trail"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Audit trail"))
        self.resize(920, 560)
        self.tree = QTreeWidget()
        self.tree.setAllColumnsShowFocus(True)
        name(self.tree, "audit_lines", tr("What was done"))
        self.tree.setColumnCount(5)
        titles = ("When", "Account", "What", "Details", "Line")
        self.tree.setHeaderLabels([tr(each) for each in titles])
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        for column, wide in enumerate(_WIDTHS):
            self.tree.setColumnWidth(column, wide)
        self.tree.header().setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        self.tree.header().setStretchLastSection(False)
        self.tree.setColumnWidth(_LINE, _LINE_PX)
        self.tree.header().moveSection(_LINE, 0)
        self.verdict = label(verdict, "strong" if holds else "warning")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(14, 12, 14, 12)
        rows.setSpacing(8)
        rows.addWidget(self.verdict)
        rows.addWidget(self.tree, 1)
        # In its place: rows that are filled in before take the height of another style.
        number = last or len(entries)
        for below, entry in enumerate(reversed(entries)):
            self.tree.addTopLevelItem(_row(entry, number - below))
        said = label(tr("Pixels, models and reports are named by hashes and ids."), "quiet")
        close = button(tr("Close"), "audit_close")
        close.clicked.connect(self.close)
        rows.addWidget(Row(said, 1, close))
        close.setFocus()  # Enter closes a page that was read


def _row(entry: Mapping[str, Any], line: int) -> QTreeWidgetItem:
    detail = in_words(dict(entry.get("detail", {})))
    brief = _HASH.sub(r"\1…", detail)
    when = time_words(str(entry.get("when", "")))
    words = (when, entry.get("who"), entry.get("what"), brief, line)
    item = QTreeWidgetItem([str(each or "") for each in words])
    item.setToolTip(3, detail)
    return item
