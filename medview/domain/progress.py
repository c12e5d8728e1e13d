"""How work that may take long speaks back, wherever it runs."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Handed to every long-running function as its first argument."""

    def report(self, done: int, total: int, text: str = "") -> None:
        """Tell how much is done; `text` is a short phrase such as "slice 96 / 155"."""

    def check(self) -> None:
        """Raise ``Cancelled`` if the user asked to stop. Cheap; call it often."""

    def partial(self, payload: object) -> None:
        """Hand over a part of the answer before the end (slices of a map, an epoch)."""


class Silent:
    """A Progress that nobody listens to: for tests and for direct calls."""

    def report(self, done: int, total: int, text: str = "") -> None:
        """Ignore the figure."""

    def check(self) -> None:
        """Never cancelled."""

    def partial(self, payload: object) -> None:
        """Ignore the part."""
