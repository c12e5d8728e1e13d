"""What the mouse does in a pane: one class a tool, and the table of gestures.

A tool is given the hand it acts with and where the mouse is; its button, shortcut and menu
entry come from its fields. Which button with a modifier means which tool stands in `gestures`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt

from medview.domain.volume import Window
from medview.imaging.reslice import cut_of
from medview.services import tilting
from medview.services.measuring import Measuring
from medview.services.session import Session
from medview.services.session_values import Message
from medview.services.viewing import Viewing
from medview.ui.pointer import Pointer
from medview.ui.probe import probe, probe_lines
from medview.ui.slice_pane import SlicePane
from medview.ui.words import tr

# Nearer to the crosshair than this a pixel would be a large angle.
_NEAREST_PX = 12.0
# Dragging over so many pixels zooms by e.
_ZOOM_DRAG_PX = 180.0
# Dragging over so many pixels scrolls one image.
_SCROLL_DRAG_PX = 8.0
# Fewer pixels than this are a click, not a box.
_SMALLEST_BOX_PX = 5.0
_BOX_TAILS = (1.0, 99.0)


@dataclass(frozen=True, slots=True)
class Hand:
    """What a tool acts with: the services and the pane under the mouse."""

    session: Session
    viewing: Viewing
    pane: SlicePane
    measuring: Measuring


class Tool:
    """Base of all tools: does nothing. One instance lives as long as one drag."""

    id: ClassVar[str] = ""
    text: ClassVar[str] = ""
    icon: ClassVar[str] = ""
    shortcut: ClassVar[str] = ""
    tip: ClassVar[str] = ""
    cursor: ClassVar[Qt.CursorShape] = Qt.CursorShape.ArrowCursor

    def press(self, hand: Hand, at: Pointer) -> None:
        """A button went down at this place."""

    def move(self, hand: Hand, at: Pointer, before: Pointer) -> None:
        """The mouse went on with the button down."""

    def release(self, hand: Hand, at: Pointer) -> None:
        """The button came up."""

    def hover(self, hand: Hand, at: Pointer | None) -> None:
        """The mouse went on with no button down; None: it left the pane."""


class WindowTool(Tool):
    """Drag: right is wider, up is a lower level."""

    id = "window"
    text = "Window"
    icon = "circle-half"
    shortcut = "W"
    tip = "Drag to change contrast (sideways) and brightness (up and down)"

    def move(self, hand: Hand, at: Pointer, before: Pointer) -> None:
        """Window width by x, level by y."""
        hand.viewing.drag_window(hand.pane.key, at.x - before.x, at.y - before.y)


class PanTool(Tool):
    """Drag the image along."""

    id = "pan"
    text = "Pan"
    icon = "hand"
    shortcut = "T"
    tip = "Drag to move the image"
    cursor = Qt.CursorShape.OpenHandCursor

    def move(self, hand: Hand, at: Pointer, before: Pointer) -> None:
        """As far as the mouse went."""
        right, down = (at.x - before.x) * at.mm_per_px, (at.y - before.y) * at.mm_per_px
        hand.viewing.pan(hand.pane.key, right, down)


class ZoomTool(Tool):
    """Drag up to enlarge about the place that was pressed."""

    id = "zoom"
    text = "Zoom"
    icon = "magnifying-glass"
    shortcut = "Z"
    tip = "Drag up to enlarge, down to reduce"
    cursor = Qt.CursorShape.SizeVerCursor

    def __init__(self) -> None:
        self._from: Pointer | None = None

    def press(self, hand: Hand, at: Pointer) -> None:
        """Remember what stays in place."""
        self._from = at

    def move(self, hand: Hand, at: Pointer, before: Pointer) -> None:
        """Zoom by how far up the mouse went."""
        factor = math.exp((before.y - at.y) / _ZOOM_DRAG_PX)
        zoom_about(hand, self._from or at, factor)


class ScrollTool(Tool):
    """Drag down for later images."""

    id = "scroll"
    text = "Scroll"
    icon = "stack"
    shortcut = "S"
    tip = "Drag down for the next images, up for the earlier ones"
    cursor = Qt.CursorShape.SizeVerCursor

    def __init__(self) -> None:
        self._rest = 0.0

    def move(self, hand: Hand, at: Pointer, before: Pointer) -> None:
        """One image every few pixels."""
        self._rest += (at.y - before.y) / _SCROLL_DRAG_PX
        steps = int(self._rest)
        self._rest -= steps
        if steps:
            hand.viewing.scroll(hand.pane.key, steps)


class CrosshairTool(Tool):
    """Put the crosshair where the mouse is, in all planes."""

    id = "crosshair"
    text = "Crosshair"
    icon = "crosshair"
    shortcut = "Shift+X"
    tip = "Click or drag to place the crosshair; the other planes follow"
    cursor = Qt.CursorShape.CrossCursor

    def press(self, hand: Hand, at: Pointer) -> None:
        """Jump there."""
        if at.point_lps is not None:
            hand.viewing.set_point(at.point_lps, hand.pane.key)

    def move(self, hand: Hand, at: Pointer, before: Pointer) -> None:
        """Go along."""
        self.press(hand, at)


class TiltTool(Tool):
    """Drag round the crosshair: the planes of the other panes turn with the mouse."""

    id = "tilt"
    text = "Tilt planes"
    icon = "arrow-clockwise"
    shortcut = "Shift+T"
    tip = "Drag round the crosshair to turn the other two planes about it"
    cursor = Qt.CursorShape.SizeAllCursor

    def press(self, hand: Hand, at: Pointer) -> None:
        """Say why, where nothing can be turned."""
        why = tilting.refusal(hand.session)
        if why:
            hand.session.message = Message(tr(why), "warning")

    def move(self, hand: Hand, at: Pointer, before: Pointer) -> None:
        """By the angle that the mouse went round."""
        frame = hand.pane.frame_shown
        if frame is None:
            return
        middle = hand.pane.pixel_of(*frame.cursor)
        one, other = (QPointF(each.x, each.y) - middle for each in (before, at))
        if min(math.hypot(one.x(), one.y()), math.hypot(other.x(), other.y())) < _NEAREST_PX:
            return
        angle = math.atan2(other.y(), other.x()) - math.atan2(one.y(), one.x())
        # The way round that is the shorter one.
        angle = math.remainder(angle, math.tau)
        tilting.tilt(hand.session, hand.pane.key, math.degrees(angle))


class ProbeTool(Tool):
    """Read values beside the mouse while the button is down."""

    id = "probe"
    text = "Probe"
    icon = "eyedropper"
    shortcut = "P"
    tip = "Press to read the place and the value of every layer"
    cursor = Qt.CursorShape.CrossCursor

    def press(self, hand: Hand, at: Pointer) -> None:
        """Show the values."""
        known = at.point_lps is not None
        read = probe(hand.session, at.point_lps, hand.pane.key) if known else None  # type: ignore[arg-type]  # known
        hand.pane.set_reading(() if read is None else probe_lines(read), at.x, at.y)

    def move(self, hand: Hand, at: Pointer, before: Pointer) -> None:
        """Take them along."""
        self.press(hand, at)

    def release(self, hand: Hand, at: Pointer) -> None:
        """Take them away."""
        hand.pane.set_reading((), at.x, at.y)


class BoxWindowTool(Tool):
    """Draw a box: the window is made for what is in it."""

    id = "box_window"
    text = "Window of a box"
    icon = "rectangle"
    shortcut = "Shift+W"
    tip = "Drag a box: the window is made for what is in it"
    cursor = Qt.CursorShape.CrossCursor

    def __init__(self) -> None:
        self._from: Pointer | None = None

    def press(self, hand: Hand, at: Pointer) -> None:
        """One corner."""
        self._from = at

    def move(self, hand: Hand, at: Pointer, before: Pointer) -> None:
        """The other corner."""
        hand.pane.set_box(self._box(at))

    def release(self, hand: Hand, at: Pointer) -> None:
        """Set the window of what is inside."""
        hand.pane.set_box(None)
        box = self._box(at)
        if min(box.width(), box.height()) < _SMALLEST_BOX_PX:
            return
        window = box_window(hand, box)
        if window is not None:
            hand.viewing.set_window(hand.pane.key, window)

    def _box(self, at: Pointer) -> QRectF:
        start = self._from or at
        left, top = min(start.x, at.x), min(start.y, at.y)
        return QRectF(left, top, abs(at.x - start.x), abs(at.y - start.y))


TOOLS: tuple[type[Tool], ...] = (
    WindowTool,
    BoxWindowTool,
    PanTool,
    ZoomTool,
    ScrollTool,
    CrosshairTool,
    TiltTool,
    ProbeTool,
)


def zoom_about(hand: Hand, at: Pointer, factor: float) -> None:
    """Zoom so that what lies under `at` stays there."""
    view = hand.session.views.get(hand.pane.key)
    if view is not None:
        # The zoom of the view, not of the screen: several moves may come before one redraw.
        scale = hand.pane.px_per_mm(view.zoom)
        right, down = (at.x - at.size[0] / 2) / scale, (at.y - at.size[1] / 2) / scale
        hand.viewing.zoom(hand.pane.key, factor, (right, down))


def box_window(hand: Hand, box: QRectF) -> Window | None:
    """The window from percentile 1 to 99 of the values in a box of the pane."""
    values = _values_in(hand, box)
    if values is None or not values.size:
        return None
    low, high = (float(value) for value in np.percentile(values, _BOX_TAILS))
    if high <= low:
        return None
    return Window(high - low, (low + high) / 2, "LINEAR_EXACT", "Box")


def _values_in(hand: Hand, box: QRectF) -> NDArray[np.float32] | None:
    held, view = hand.session.content(hand.pane.key), hand.session.views.get(hand.pane.key)
    volume = held.volume if held is not None else None
    if volume is None or view is None or volume.is_colour:
        return None
    plane = cut_of(volume.geometry, view).take(volume.array, skip=volume.missing_slices)
    left, top = (max(round(n), 0) for n in hand.pane.to_pixel(box.left(), box.top()))
    right, bottom = (max(round(n) + 1, 0) for n in hand.pane.to_pixel(box.right(), box.bottom()))
    inside = plane[top:bottom, left:right]
    numbers = np.asarray(inside, dtype=np.float32)
    return np.asarray(numbers[np.isfinite(numbers)])
