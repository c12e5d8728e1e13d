"""Tools that draw: lengths, angles, regions, arrows and texts, one class each."""

from __future__ import annotations

import math
from typing import ClassVar

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QInputDialog

from medview.domain.measurement import Kind
from medview.ui.pointer import Pointer
from medview.ui.tools import Hand, Tool
from medview.ui.words import tr

# A click so near to the first point of a polygon closes it.
_CLOSES_PX = 10.0
# A hand is not still when it clicks: points nearer than this are one.
_STILL_PX = 3.0


class DrawingTool(Tool):
    """Press for the first point, drag to the second, release to finish."""

    kind: ClassVar[Kind] = "length"
    cursor = Qt.CursorShape.CrossCursor

    def press(self, hand: Hand, at: Pointer) -> None:
        """Two points in one place; the second goes with the mouse."""
        if at.point_lps is not None:
            hand.measuring.begin(hand.pane.key, self.kind, at.point_lps)
            hand.measuring.add_point(at.point_lps)

    def move(self, hand: Hand, at: Pointer, before: Pointer) -> None:
        """Take the newest point along."""
        if at.point_lps is not None:
            hand.measuring.drag(at.point_lps)

    def release(self, hand: Hand, at: Pointer) -> None:
        """Keep it, unless it was a mere click."""
        if _ends_in_one_place(hand, at) or not hand.measuring.finish():
            hand.measuring.give_up()


class ClickedTool(DrawingTool):
    """A drawing whose points may be clicked: between the clicks its line goes with the mouse."""

    def hover(self, hand: Hand, at: Pointer | None) -> None:
        """Draw on to the mouse."""
        point = at.point_lps if at is not None else None
        hand.measuring.point_to(hand.pane.key, self.kind, point)


class LengthTool(DrawingTool):
    """A distance in mm."""

    id = "length"
    text = "Length"
    icon = "ruler"
    shortcut = "D"
    tip = "Drag from end to end"


class EllipseTool(DrawingTool):
    """A region with the statistics of its values."""

    id = "ellipse"
    text = "Ellipse"
    icon = "circle"
    shortcut = "E"
    tip = "Drag a box round the region: area, mean, SD, lowest and highest value"
    kind = "ellipse"


class RectangleTool(DrawingTool):
    """The same with corners."""

    id = "rectangle"
    text = "Rectangle"
    icon = "rectangle"
    shortcut = "Shift+E"
    tip = "Drag from corner to corner: area, mean, SD, lowest and highest value"
    kind = "rectangle"


class ArrowTool(DrawingTool):
    """An arrow that points at its first point."""

    id = "arrow"
    text = "Arrow"
    icon = "arrow-up-right"
    shortcut = "Shift+A"
    tip = "Press where it points to, drag to its tail"
    kind = "arrow"


class AngleTool(ClickedTool):
    """Drag the first arm towards the vertex, then click the end of the second; or three clicks."""

    id = "angle"
    text = "Angle"
    icon = "angle"
    shortcut = "A"
    tip = "Drag the first arm to the vertex, then click the end of the second"
    kind: ClassVar[Kind] = "angle"

    def press(self, hand: Hand, at: Pointer) -> None:
        """Begin, or put the next point."""
        draft = hand.session.draft
        if at.point_lps is None:
            return
        if draft is not None and draft.kind == self.kind:
            hand.measuring.add_point(at.point_lps)
        else:
            super().press(hand, at)

    def release(self, hand: Hand, at: Pointer) -> None:
        """Wait for the next point; an arm without length has no angle, so a click puts one."""
        draft = hand.session.draft
        if draft is None:
            return
        if _ends_in_one_place(hand, at):
            hand.measuring.drop_point()
        elif draft.is_finished:
            hand.measuring.finish()


class CobbTool(AngleTool):
    """The angle between two lines that need not meet."""

    id = "cobb"
    text = "Cobb angle"
    icon = "line-segments"
    shortcut = "Shift+C"
    tip = "Drag along one end plate, then along the other"
    kind = "cobb"

    def press(self, hand: Hand, at: Pointer) -> None:
        """Begin, begin the second line, or put the end of one."""
        draft = hand.session.draft
        super().press(hand, at)
        is_second = draft is not None and draft.kind == self.kind and len(draft.points) == 2
        if is_second and at.point_lps is not None:
            hand.measuring.add_point(at.point_lps)


class PolygonTool(ClickedTool):
    """Click from corner to corner; a click on the first one closes the region."""

    id = "polygon"
    text = "Polygon"
    icon = "polygon"
    shortcut = "Y"
    tip = "Click the corners one by one, the first one again to close it"
    kind = "polygon"

    def press(self, hand: Hand, at: Pointer) -> None:
        """Another corner, or the end."""
        draft = hand.session.draft
        if at.point_lps is None:
            return
        if draft is None or draft.kind != self.kind:
            hand.measuring.begin(hand.pane.key, self.kind, at.point_lps)
        elif draft.is_finished and self._is_first(hand, at):
            hand.measuring.finish()
        else:
            hand.measuring.add_point(at.point_lps)

    def move(self, hand: Hand, at: Pointer, before: Pointer) -> None:
        """The corner that was just put goes along until the button comes up."""
        draft = hand.session.draft
        if draft is not None and len(draft.points) > 1:
            super().move(hand, at, before)

    def release(self, hand: Hand, at: Pointer) -> None:
        """Wait for the next corner."""

    @staticmethod
    def _is_first(hand: Hand, at: Pointer) -> bool:
        frame, draft = hand.pane.frame_shown, hand.session.draft
        shape = (
            next((s for s in frame.shapes if draft and s.id == draft.id), None) if frame else None
        )
        if shape is None:
            return False
        first = hand.pane.pixel_of(*shape.handles[0])
        away = first - QPointF(at.x, at.y)
        return bool(away.manhattanLength() <= _CLOSES_PX)


class TextTool(DrawingTool):
    """Words at a place."""

    id = "text"
    text = "Text"
    icon = "text-t"
    shortcut = "B"
    tip = "Click where the words shall stand"
    kind = "text"

    def press(self, hand: Hand, at: Pointer) -> None:
        """Where it will be."""
        if at.point_lps is not None:
            hand.measuring.begin(hand.pane.key, self.kind, at.point_lps)

    def release(self, hand: Hand, at: Pointer) -> None:
        """Ask for the words."""
        words, agreed = QInputDialog.getText(hand.pane, tr("Text"), tr("What shall stand there?"))
        if not (agreed and words.strip() and hand.measuring.finish(words.strip())):
            hand.measuring.give_up()


class HandleTool(Tool):
    """Takes a point of a drawing elsewhere; a mere click chooses the drawing."""

    def __init__(self, number: int, place: int) -> None:
        self._number, self._place = number, place
        self._from: Pointer | None = None
        self._moves = False

    def press(self, hand: Hand, at: Pointer) -> None:
        """Choose it."""
        self._from = at
        hand.session.chosen_drawing = self._number

    def move(self, hand: Hand, at: Pointer, before: Pointer) -> None:
        """Take the point along, once the hand meant it."""
        start = self._from
        if start is None or at.point_lps is None:
            return
        if not self._moves and math.hypot(at.x - start.x, at.y - start.y) <= _STILL_PX:
            return
        begins, self._moves = not self._moves, True
        hand.measuring.move_point(self._number, self._place, at.point_lps, begins=begins)


def _ends_in_one_place(hand: Hand, at: Pointer) -> bool:
    """Whether the two newest points of the draft are so near that the hand meant one."""
    draft = hand.session.draft
    if draft is None or len(draft.points) < 2:
        return False
    return math.dist(*draft.points[-2:]) <= _STILL_PX * at.mm_per_px


DRAWING_TOOLS: tuple[type[Tool], ...] = (
    LengthTool,
    AngleTool,
    CobbTool,
    EllipseTool,
    RectangleTool,
    PolygonTool,
    ArrowTool,
    TextTool,
)
