"""What a pane tells of mouse and wheel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtGui import QMouseEvent, QWheelEvent

if TYPE_CHECKING:
    from medview.ui.slice_pane import SlicePane

_Place = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the mouse is: the pane's key, pixels in it, LPS mm, and mm to one pixel."""

    pane: str
    x: float
    y: float
    point_lps: _Place | None
    mm_per_px: float = 1.0
    size: tuple[int, int] = (1, 1)


class Listener:
    """What a pane tells of mouse and wheel; the base class listens to nothing."""

    def pressed(self, pane: SlicePane, event: QMouseEvent) -> None:
        """A button went down in a pane."""

    def moved(self, pane: SlicePane, event: QMouseEvent) -> None:
        """The mouse moved over a pane."""

    def released(self, pane: SlicePane, event: QMouseEvent) -> None:
        """A button came up."""

    def double_clicked(self, pane: SlicePane, event: QMouseEvent) -> None:
        """A button was pressed twice."""

    def wheeled(self, pane: SlicePane, event: QWheelEvent) -> None:
        """The wheel turned."""

    def left(self, pane: SlicePane) -> None:
        """The mouse left the pane."""

    def dropped(self, pane: SlicePane, series: str) -> None:
        """A series of the list, by its key, was let go over a pane."""
