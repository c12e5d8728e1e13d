"""What widgets lie in: rows, cards, folds, columns that scroll."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from medview.ui.controls import button, name

GAP = 8
_SETTLING_MS = 300


def beside(
    owner: QWidget, *parts: QWidget | int, gap: int = GAP, grow: Sequence[int] = ()
) -> QHBoxLayout:
    """Lay parts out from left to right in a widget; an int among them is a stretch.

    The parts at the places in `grow` share the free room. The layout has its widget before it
    holds anything: PySide gives each item of a filled layout that is put into another, or onto a
    widget, a Python object that outlives the item (`itemAt` and `takeAt` do the same). When a
    layout is made later at the same address, the end of that layout ends the program.
    """
    row = QHBoxLayout(owner)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(gap)
    for part in parts:
        if isinstance(part, int):
            row.addStretch(part)
        else:
            row.addWidget(part)
    for place in grow:
        row.setStretch(place, 1)
    return row


class Row(QWidget):
    """Widgets beside each other."""

    def __init__(self, *parts: QWidget | int, gap: int = GAP, grow: Sequence[int] = ()) -> None:
        super().__init__()
        beside(self, *parts, gap=gap, grow=grow)


def _add(rows: QVBoxLayout, parts: Sequence[QWidget | QLayout]) -> None:
    for part in parts:
        if isinstance(part, QLayout):
            rows.addLayout(part)
        else:
            rows.addWidget(part)


class Card(QFrame):
    """A rounded box with rows below each other."""

    def __init__(self, key: str, accessible: str) -> None:
        super().__init__()
        name(self, key, accessible)
        self.setProperty("look", "card")
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(12, 10, 12, 12)
        self.rows.setSpacing(GAP)

    def add(self, *parts: QWidget | QLayout) -> None:
        """Put rows at the end; a layout among them is still empty."""
        _add(self.rows, parts)


class Fold(QWidget):
    """Rows that are there when asked for: a link that opens and closes them."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__()
        self._text = text
        self.link = button(text, key, look="link")
        self.link.clicked.connect(lambda: self.set_open(on=not self.is_open))
        self._body = QWidget()
        self._rows = QVBoxLayout(self._body)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(GAP)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(GAP)
        rows.addWidget(Row(self.link, 1))
        rows.addWidget(self._body)
        self.set_open(on=False)

    @property
    def is_open(self) -> bool:
        """Whether its rows are to be seen."""
        return not self._body.isHidden()

    def set_open(self, *, on: bool) -> None:
        """Show or hide the rows."""
        self._body.setVisible(on)
        self.link.setText(f"{self._text} {'▾' if on else '▸'}")

    def add(self, *parts: QWidget | QLayout) -> None:
        """Put rows at the end; a layout among them is still empty."""
        _add(self._rows, parts)


class Column(QScrollArea):
    """Cards below each other that scroll when there is no room."""

    def __init__(self, key: str, accessible: str) -> None:
        super().__init__()
        name(self, key, accessible)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._left_at = -1
        inner = QWidget()
        self.rows = QVBoxLayout(inner)
        self.rows.setContentsMargins(12, 12, 12, 12)
        self.rows.setSpacing(10)
        self.rows.addStretch(1)
        self.setWidget(inner)

    def add(self, part: QWidget) -> None:
        """Put a widget below the others."""
        self.rows.insertWidget(self.rows.count() - 1, part)

    def bring_into_sight(self, part: QWidget) -> None:
        """Scroll until all of a part is seen, or its top where it is higher than the column."""
        bar = self.verticalScrollBar()

        def scroll() -> None:
            edge = self.rows.contentsMargins().top()
            top = part.y() - edge
            bottom = part.geometry().bottom() + edge - self.viewport().height()
            if not bottom <= bar.value() <= top:
                bar.setValue(min(top, bottom) if bar.value() < bottom else top)
            self._left_at = bar.value()

        scroll()
        # What is new takes its room in several steps.
        bar.rangeChanged.connect(scroll)
        QTimer.singleShot(_SETTLING_MS, self, lambda: bar.rangeChanged.disconnect(scroll))

    def keep_in_sight(self, part: QWidget) -> None:
        """The same of a part that grows, unless the reader has scrolled since."""
        if self.verticalScrollBar().value() == self._left_at:
            self.bring_into_sight(part)
