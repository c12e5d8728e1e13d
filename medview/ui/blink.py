"""Maps on and off, or old and new version, in turn."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from medview.ui.app import App

_EVERY_MS = 500


class Blink(QObject):
    """Changes what is drawn twice a second while it is on; ``changed`` tells of on and off."""

    changed = Signal()

    def __init__(self, app: App, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._maps = app.session, app.viewing.maps
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._on_turn)

    @property
    def is_on(self) -> bool:
        """What is drawn changes by itself."""
        return self._timer.isActive()

    def toggle(self) -> None:
        """Begin; a second time end with maps, or both versions, shown."""
        if self.is_on:
            self._timer.stop()
            if self._session.swiped is not None:
                self._maps.move_divider(self._session.swiped.share)
            elif not self._session.overlay_on:
                self._maps.toggle_overlay()
        else:
            self._timer.start()
        self.changed.emit()

    def _on_turn(self) -> None:
        if self._session.swiped is not None:
            self._maps.blink_versions()
        elif self._session.maps:
            self._maps.toggle_overlay()
        else:
            self._timer.stop()
            self.changed.emit()
