"""An eye on the window: parts of it that flash up as windows of their own."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QMainWindow, QWidget


class Windows(QObject):
    """Notes widgets that are shown as windows of their own though nobody meant them to be."""

    def __init__(self):
        super().__init__()
        self.stray = []

    def eventFilter(self, watched, event):  # noqa: N802  # Qt's hook
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget):
            plain = watched.windowType() in (Qt.WindowType.Widget, Qt.WindowType.Window)
            if plain and watched.isWindow() and not isinstance(watched, QMainWindow):
                self.stray.append(f"{type(watched).__name__} {watched.objectName()}")
        return False
