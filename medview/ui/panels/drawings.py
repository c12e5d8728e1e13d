"""The list of the reader's drawings: what each says, jump to it, delete it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout

from medview.ui.app import App
from medview.ui.containers import Card, Row
from medview.ui.controls import button, clear, label
from medview.ui.words import tr

_TITLES = {
    "length": "Length",
    "angle": "Angle",
    "cobb": "Cobb angle",
    "ellipse": "Ellipse",
    "rectangle": "Rectangle",
    "polygon": "Polygon",
    "arrow": "Arrow",
    "text": "Text",
}


class DrawingsCard(Card):
    """A row for each drawing on the series on screen; a click goes to its slice."""

    def __init__(self, app: App) -> None:
        super().__init__("drawings", tr("Measurements"))
        self._app = app
        self._empty = label(
            tr("None yet. D measures a length, E the values in a region."), "quiet", wraps=True
        )
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        self.add(label(tr("Measurements"), "strong"), self._empty, self._rows)
        for field in ("drawings", "series", "volume", "time", "chosen_drawing"):
            getattr(app.session.events, field).connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """List them again."""
        clear(self._rows)
        here = self._app.measuring.here
        self._empty.setVisible(not here)
        for each in here:
            words = self._app.measuring.words(each.id)
            called = f"{each.id}  {tr(_TITLES[each.kind])}"
            text = called
            if words:
                # A line each, as in the pane: a button is no wider than its panel.
                text = "\n".join((called, *words))
            go = button(text, f"drawing_{each.id}", look="row", tip=tr("Go to its slice"))
            go.setCheckable(True)
            go.setChecked(each.id == self._app.session.chosen_drawing)
            go.clicked.connect(lambda _, n=each.id: self._app.measuring.jump(n))
            here_only = Qt.ShortcutContext.WidgetShortcut
            delete = QShortcut(QKeySequence.StandardKey.Delete, go, context=here_only)
            delete.activated.connect(lambda n=each.id: self._app.measuring.remove(n))
            gone = button("×", f"drawing_delete_{each.id}", look="link", tip=tr("Delete"))
            gone.setAccessibleName(tr("Delete {drawing}", drawing=called))
            gone.clicked.connect(lambda _, n=each.id: self._app.measuring.remove(n))
            self._rows.addWidget(Row(go, gone, grow=(0,)))
