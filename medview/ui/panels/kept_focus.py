"""The keyboard stays where it is when cards are made anew."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QWidget


class KeptFocus:
    """Gives the keyboard to the part of the same name once its card has been made again.

    Until then `meanwhile` has it. Without that a reader who works without a mouse would be at the
    other end of the window after each run.
    """

    def __init__(self, holder: QWidget, meanwhile: QWidget) -> None:
        self._holder, self._meanwhile = holder, meanwhile
        self._name = ""

    def before(self) -> None:
        """Remember where the keyboard is; to be called while the old cards are still there."""
        here = QApplication.focusWidget()
        if here is not None and self._holder.isAncestorOf(here):
            self._name = here.objectName()
        elif here is not self._meanwhile:
            self._name = ""

    def after(self) -> None:
        """Give it back, where it was among the cards that are gone."""
        if not self._name:
            return
        found = self._holder.findChild(QWidget, self._name)
        if found is None or not found.isEnabled():
            self._meanwhile.setFocus()
            return
        found.setFocus()
        self._name = ""
