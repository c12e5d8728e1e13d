"""Space and Return press the button that has the keyboard, also where they are shortcuts."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

_RETURN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_PRESS = (Qt.Key.Key_Space, *_RETURN)
_ARROWS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right)


class ButtonKeys(QObject):
    """Watches a window: Qt asks every widget up to it before a key becomes a shortcut.

    Arrows go on among buttons of which one is on; of others they stay shortcuts of the images.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's hook
        """Keep a key for the button, or press it by Return, which Qt does in dialogs alone."""
        if not isinstance(event, QKeyEvent):
            return False
        here, key = QApplication.focusWidget(), Qt.Key(event.key())
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if not isinstance(here, QAbstractButton) or not plain:
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            if key in _PRESS or (key in _ARROWS and _is_one_of_several(here)):
                event.accept()
                return True
        elif event.type() == QEvent.Type.KeyPress and key in _RETURN:
            here.click()
            return True
        return False


def _is_one_of_several(one: QAbstractButton) -> bool:
    return one.autoExclusive() or one.group() is not None
