"""The header of an image as a tree that can be searched."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from medview.domain.tag import Tag
from medview.ui.controls import label, name
from medview.ui.find_box import FindBox
from medview.ui.words import tr

_WIDTHS = (120, 280, 48)


class TagBrowser(QDialog):
    """Tag, name, type and value of every entry; it does not block the window."""

    def __init__(self, parent: QWidget, title: str, tags: tuple[Tag, ...]) -> None:
        super().__init__(parent)
        name(self, "tags", tr("Header of the image"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Header of the image"))
        self.resize(860, 720)
        self.search = FindBox(
            "tags_search",
            tr("Find in the header"),
            tr("Find tag, name or value"),
            tr("Show only entries that have all of these words"),
            self.look_for,
        )
        self.tree = QTreeWidget()
        self.tree.setAllColumnsShowFocus(True)
        name(self.tree, "tags_tree", tr("Entries of the header"))
        self.tree.setColumnCount(4)
        self.tree.setHeaderLabels([tr("Tag"), tr("Name"), tr("Type"), tr("Value")])
        self.tree.setUniformRowHeights(True)
        for column, wide in enumerate(_WIDTHS):
            self.tree.setColumnWidth(column, wide)
        self.tree.header().setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        self._count = label("", "quiet")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(14, 12, 14, 12)
        rows.setSpacing(8)
        rows.addWidget(label(title, "strong", wraps=True))
        rows.addWidget(self.search)
        rows.addWidget(self.tree, 1)
        rows.addWidget(self._count)
        self._fill(tags)
        self.look_for("")
        self.search.setFocus()

    def _fill(self, tags: tuple[Tag, ...]) -> None:
        holders: dict[int, QTreeWidgetItem] = {}
        for tag in tags:
            item = QTreeWidgetItem([tag.tag, tag.name, tag.kind, tag.value])
            item.setToolTip(3, tag.value)
            above = holders.get(tag.level - 1)
            if above is None:
                self.tree.addTopLevelItem(item)
            else:
                above.addChild(item)
            holders[tag.level] = item

    def look_for(self, text: str) -> None:
        """Show entries that have all the words, and what they lie in."""
        words = text.lower().split()
        shown = sum(
            _keep(self.tree.topLevelItem(n), words) for n in range(self.tree.topLevelItemCount())
        )
        if words:
            self.tree.expandAll()
        counted = tr("{n} entries", n=shown) if shown != 1 else tr("1 entry")
        self._count.setText(counted if shown else tr("Nothing has these words."))

    def shown(self) -> list[str]:
        """Names of the entries that can be seen."""
        return [
            item.text(1) for item in _walk(self.tree.invisibleRootItem()) if not item.isHidden()
        ]


def _walk(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    found = (item.child(n) for n in range(item.childCount()))
    children = [each for each in found if each is not None]
    return [each for child in children for each in (child, *_walk(child))]


def _keep(item: QTreeWidgetItem | None, words: list[str]) -> int:
    """Show or hide an entry and what lies in it; say how many of them match."""
    if item is None:
        return 0
    text = " ".join(item.text(column) for column in range(4)).lower()
    is_match = all(word in text for word in words)
    below = sum(_keep(item.child(n), words) for n in range(item.childCount()))
    item.setHidden(not (is_match or below))
    return below + is_match
