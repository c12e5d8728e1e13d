"""The panels on the right: a tab for each, made when it is first looked at."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from medview.ui.app import App
from medview.ui.controls import name
from medview.ui.panels import PANELS
from medview.ui.words import tr

_FIRST = "results"


class Side(QTabWidget):
    """Every panel reads the session when it is made, so one made late has missed nothing.

    `made` is told of each new one: a window starts, and changes its colours, without those that
    nobody has looked at.
    """

    made = Signal(QWidget)

    def __init__(self, app: App) -> None:
        super().__init__()
        name(self, "side", tr("Panels"))
        self._app = app
        self._made: dict[str, QWidget] = {}
        self._rooms: dict[str, QVBoxLayout] = {}
        self.setProperty("look", "panel")
        self.setDocumentMode(True)
        self.tabBar().setAccessibleName(tr("Panels"))
        self.tabBar().setExpanding(False)
        self.tabBar().setDrawBase(False)
        for place, entry in enumerate(PANELS):
            page = QWidget()
            self._rooms[entry.key] = QVBoxLayout(page)
            self._rooms[entry.key].setContentsMargins(0, 0, 0, 0)
            self.addTab(page, tr(entry.title))
            self.setTabToolTip(place, tr(entry.tip))
        self.show_panel(_FIRST)
        self.currentChanged.connect(lambda place: self.panel(PANELS[place].key))

    def panel(self, key: str) -> QWidget:
        """The panel of that key; it is made now if nobody has asked for it before."""
        if key not in self._made:
            self._made[key] = PANELS[_place_of(key)].make(self._app)
            self._rooms[key].addWidget(self._made[key])
            self.made.emit(self._made[key])
        return self._made[key]

    def show_panel(self, key: str) -> None:
        """Bring a panel to the front."""
        self.panel(key)
        self.setCurrentIndex(_place_of(key))

    @property
    def shown(self) -> QWidget:
        """The panel in front."""
        return self.panel(PANELS[self.currentIndex()].key)


def _place_of(key: str) -> int:
    return [entry.key for entry in PANELS].index(key)
