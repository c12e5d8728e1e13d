"""The menu of folders and files that were opened last."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QMenu, QWidget

from medview.ui.app import App
from medview.ui.autosave import open_known
from medview.ui.controls import name
from medview.ui.words import plain_tip, tr


class RecentMenu(QMenu):
    """Filled anew whenever it is opened."""

    def __init__(self, app: App, parent: QWidget) -> None:
        super().__init__(tr("Recent"), parent)
        name(self, "menu_recent", tr("Recent folders and files"))
        self._app = app
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        self.clear()
        if self._app.session.private:
            # Names of folders may be those of patients.
            self.addAction(tr("Hidden in private mode")).setEnabled(False)
            return
        for path in self._app.preferences.settings.recent:
            act = self.addAction(Path(path).name)
            act.setToolTip(plain_tip(path))
            act.triggered.connect(lambda _=False, at=Path(path): open_known(self._app, (at,)))
        if self.isEmpty():
            self.addAction(tr("Nothing opened yet")).setEnabled(False)
