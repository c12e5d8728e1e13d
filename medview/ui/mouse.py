"""From mouse events in a pane to tools: buttons, wheel, double click and menu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent

from medview.services.measuring import Measuring
from medview.services.session import Session
from medview.services.viewing import Viewing
from medview.ui.drawing_tools import DRAWING_TOOLS, HandleTool
from medview.ui.gestures import IMAGES_A_NOTCH, OWN, Gesture, MouseMap
from medview.ui.pointer import Listener, Pointer
from medview.ui.slice_pane import SlicePane
from medview.ui.tools import TOOLS, Hand, Tool, zoom_about

# A right press that moves less is a click and opens the menu.
CLICK_PX = 4.0
_NOTCH = 120
_ZOOM_NOTCH = 1.15
_KNOWN_MODIFIERS = (
    Qt.KeyboardModifier.ShiftModifier
    | Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
)


class Mouse(Listener):
    """Holds the chosen tool and the drag that goes on."""

    def __init__(
        self, session: Session, viewing: Viewing, measuring: Measuring, tool: str = "window"
    ) -> None:
        self._session, self._viewing, self._measuring = session, viewing, measuring
        self.tool = tool
        self.map: MouseMap = OWN
        self.menu_wanted: Callable[[QPoint], object] = lambda at: None
        self.hovered: Callable[[], object] = lambda: None
        self.series_dropped: Callable[[str, str], object] = lambda series, pane: None
        self._hover: tuple[SlicePane, QPointF] | None = None
        self._running: Tool | None = None
        self._faster = 1.0
        self._start: Pointer | None = None
        self._last: Pointer | None = None
        self._is_click = False
        self._on_strip = self._on_divider = False
        self._wheel_rest = 0.0
        #: Whether the magnifying glass goes with the mouse.
        self.magnifies = False

    @property
    def is_dragging(self) -> bool:
        """True while a button is held down."""
        return self._last is not None

    @property
    def under(self) -> Pointer | None:
        """What is under the mouse in the images as they are drawn now; None beside them."""
        if self._hover is None:
            return None
        pane, position = self._hover
        return pane.pointer(position)

    def magnify(self, otherwise: SlicePane | None, *, on: bool) -> None:
        """Hold the magnifying glass under the mouse, or over the crosshair of that other pane."""
        self.magnifies = on
        if self._hover is not None:
            pane, position = self._hover
            pane.set_loupe(position if on else None)
        elif otherwise is not None and otherwise.frame_shown is not None:
            cursor = otherwise.pixel_of(*otherwise.frame_shown.cursor)
            otherwise.set_loupe(cursor if on else None)

    def _hover_at(self, pane: SlicePane, position: QPointF) -> None:
        self._hover = (pane, position)
        pane.set_loupe(position if self.magnifies else None)
        self.hovered()

    def give_up(self) -> None:
        """End the drag as if it had ended before."""
        self._running = self._start = self._last = None
        self._on_strip = self._on_divider = False

    def pressed(self, pane: SlicePane, event: QMouseEvent) -> None:
        """Start the tool that the button and modifier mean."""
        if self.is_dragging:
            return
        at = pane.pointer(event.position())
        pane.setFocus(Qt.FocusReason.MouseFocusReason)
        self._viewing.activate(pane.key)
        self._start = self._last = at
        self._is_click = True
        is_left = event.button() == Qt.MouseButton.LeftButton
        self._on_divider = is_left and pane.is_on_divider(at.x)
        self._on_strip = is_left and not self._on_divider and self._go_on_strip(pane, at)
        is_taken = self._on_divider or self._on_strip
        self._running = None if is_taken else self._tool_for(pane, event, at)
        if self._running is not None:
            self._running.press(self._hand(pane), at)

    def _tool_for(self, pane: SlicePane, event: QMouseEvent, at: Pointer) -> Tool | None:
        """What a press begins: the point of a drawing under it, else what button and keys mean."""
        is_plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
        # What is being drawn has points of its own to click.
        held = pane.handle_at(at.x, at.y) if is_plain and self._session.draft is None else None
        if held is not None:
            self._faster = 1.0
            return HandleTool(*held)
        gesture = self._gesture_for(event)
        if gesture is None:
            return None
        self._faster = gesture.faster
        return (gesture.tool or tool_named(self.tool))()

    def moved(self, pane: SlicePane, event: QMouseEvent) -> None:
        """Let the tool go on; without a button, Shift moves the crosshair."""
        at = pane.pointer(event.position())
        self._hover_at(pane, event.position())
        if self._last is None or self._start is None:
            tool_named(self.tool)().hover(self._hand(pane), at)
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and at.point_lps is not None:
                self._viewing.set_point(at.point_lps, pane.key)
            return
        if self._on_divider:
            self._viewing.maps.move_divider(pane.share_at(at.x))
            return
        if self._on_strip:
            self._go_on_strip(pane, at, anywhere=True)
            return
        if self._is_click and _away(at, self._start) <= CLICK_PX:
            if event.buttons() & Qt.MouseButton.RightButton:
                return
        else:
            self._is_click = False
        if self._running is not None:
            self._running.move(self._hand(pane), at, _further(self._last, at, self._faster))
        self._last = at

    def released(self, pane: SlicePane, event: QMouseEvent) -> None:
        """End the drag; a right click opens the menu."""
        if self._running is not None:
            self._running.release(self._hand(pane), pane.pointer(event.position()))
        was_click = self._is_click and self._last is not None
        self.give_up()
        if was_click and event.button() == Qt.MouseButton.RightButton:
            self.menu_wanted(event.globalPosition().toPoint())

    def double_clicked(self, pane: SlicePane, event: QMouseEvent) -> None:
        """Let the pane fill the window, or all come back."""
        if event.button() == Qt.MouseButton.LeftButton and not event.modifiers():
            self._viewing.activate(pane.key)
            self._viewing.maximise(pane.key)

    def wheeled(self, pane: SlicePane, event: QWheelEvent) -> None:
        """Scroll, zoom at the mouse or change the slab, as the table of the mouse says."""
        notches = (event.angleDelta().y() or event.angleDelta().x()) / _NOTCH
        self._viewing.activate(pane.key)
        turn = self.map.wheel.get(event.modifiers() & _KNOWN_MODIFIERS, "scroll")
        if turn == "zoom":
            zoom_about(self._hand(pane), pane.pointer(event.position()), _ZOOM_NOTCH**notches)
            return
        # Touch pads send parts of a notch.
        self._wheel_rest -= notches
        steps = int(self._wheel_rest)
        self._wheel_rest -= steps
        if steps and turn == "slab":
            self._viewing.change_slab(pane.key, -steps)
        elif steps:
            self._viewing.scroll(pane.key, steps * IMAGES_A_NOTCH[turn])
        self._hover_at(pane, event.position())

    def left(self, pane: SlicePane) -> None:
        """Nothing is under the mouse any more."""
        self._hover = None
        pane.set_loupe(None)
        tool_named(self.tool)().hover(self._hand(pane), None)
        self.hovered()

    def dropped(self, pane: SlicePane, series: str) -> None:
        """Hand on which series is to be shown where."""
        self.series_dropped(series, pane.key)

    def _hand(self, pane: SlicePane) -> Hand:
        return Hand(self._session, self._viewing, pane, self._measuring)

    def _gesture_for(self, event: QMouseEvent) -> Gesture | None:
        return self.map.drags.get((event.button(), event.modifiers() & _KNOWN_MODIFIERS))

    def _go_on_strip(self, pane: SlicePane, at: Pointer, *, anywhere: bool = False) -> bool:
        """Go to the slice under the mouse on the score strip; False beside it."""
        index = pane.strip_slice_at(at.x, at.y, anywhere=anywhere)
        if index is not None:
            self._viewing.go_to(pane.key, index)
        return index is not None


def tool_named(key: str) -> type[Tool]:
    """The tool of that id; the first one when there is none."""
    return next((tool for tool in (*TOOLS, *DRAWING_TOOLS) if tool.id == key), TOOLS[0])


def _further(before: Pointer, at: Pointer, times: float) -> Pointer:
    """Where the mouse would have been, had it gone so many times as far to get here."""
    if times == 1:
        return before
    x, y = at.x - times * (at.x - before.x), at.y - times * (at.y - before.y)
    return replace(before, x=x, y=y)


def _away(a: Pointer, b: Pointer) -> float:
    return float(((a.x - b.x) ** 2 + (a.y - b.y) ** 2) ** 0.5)
