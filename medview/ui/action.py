"""The record of one command, and the questions whether it is possible now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from medview.ui.app import App

Run = Callable[[App], object]
Ask = Callable[[App], bool]


def always(app: App) -> bool:
    """Every state of the program allows it."""
    return True


def has_image(app: App) -> bool:
    """A volume is on screen."""
    return app.session.volume is not None


def has_study(app: App) -> bool:
    """There is something to report about: an image, or tables alone."""
    return app.session.volume is not None or bool(app.session.tables)


def has_maps(app: App) -> bool:
    """There is a map to show."""
    return bool(app.session.maps)


def has_findings(app: App) -> bool:
    """A result with findings is on screen."""
    return bool(app.session.findings)


@dataclass(frozen=True, slots=True)
class Action:
    """One command.

    `shortcut` holds one key sequence or several with " | " between them. `enabled` and
    `checked` look at the program's state; `checked` None is no switch. `is_peek` marks a
    switch that goes back when its key was held down; `in_panes` a key that means this only
    while a pane has the keyboard. `menu` is "Menu" or "Menu/Submenu". `refusal` says why it is
    not possible now, for the tip; empty when it is.
    """

    id: str
    text: str
    run: Run
    menu: str
    shortcut: str = ""
    icon: str = ""
    tip: str = ""
    enabled: Ask = always
    checked: Ask | None = None
    is_peek: bool = False
    in_panes: bool = False
    refusal: Callable[[App], str] | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The key sequences."""
        return split_keys(self.shortcut)


def split_keys(text: str) -> tuple[str, ...]:
    """The key sequences of a text with " | " between them."""
    return tuple(key.strip() for key in text.split(" | ") if key.strip())
