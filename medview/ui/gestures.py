"""What buttons and wheel of the mouse mean: one table a profile, and how it is said.

A button with a modifier means a tool, or the one that was chosen; the wheel with a modifier
means a way of turning. The reader's own choice of a button stands on top of the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from PySide6.QtCore import Qt

from medview.services.settings import Settings
from medview.ui.tools import (
    BoxWindowTool,
    CrosshairTool,
    PanTool,
    ScrollTool,
    Tool,
    WindowTool,
    ZoomTool,
)

Turn = Literal["scroll", "scroll_fast", "scroll_faster", "zoom", "slab"]
Press = tuple[Qt.MouseButton, Qt.KeyboardModifier]

LEFT, RIGHT, MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)
NONE, SHIFT, CONTROL, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)
#: Images to a notch of the wheel.
IMAGES_A_NOTCH: dict[Turn, int] = {"scroll": 1, "scroll_fast": 5, "scroll_faster": 10}


@dataclass(frozen=True, slots=True)
class Gesture:
    """Dragging with a button: `tool` None is the chosen one; the mouse counts `faster` times."""

    tool: type[Tool] | None = None
    faster: float = 1.0


@dataclass(frozen=True, slots=True)
class MouseMap:
    """What dragging with each button and turning the wheel mean."""

    drags: Mapping[Press, Gesture] = field(default_factory=dict)
    wheel: Mapping[Qt.KeyboardModifier, Turn] = field(default_factory=dict)


#: The program's own, which is OHIF's with what that leaves free.
OWN = MouseMap(
    {
        (LEFT, NONE): Gesture(),
        (LEFT, CONTROL): Gesture(BoxWindowTool),
        (LEFT, SHIFT): Gesture(PanTool),
        (RIGHT, NONE): Gesture(ZoomTool),
        (MIDDLE, NONE): Gesture(PanTool),
    },
    {NONE: "scroll", CONTROL: "zoom", ALT: "slab"},
)
#: Weasis: the right button is for the menu alone, Ctrl makes any action faster.
WEASIS = MouseMap(
    {
        (LEFT, NONE): Gesture(),
        (LEFT, CONTROL): Gesture(faster=5),
        (LEFT, CONTROL | SHIFT): Gesture(faster=10),
        (LEFT, SHIFT): Gesture(PanTool),
        (MIDDLE, NONE): Gesture(PanTool),
    },
    {
        NONE: "scroll",
        CONTROL: "scroll_fast",
        CONTROL | SHIFT: "scroll_faster",
        ALT: "slab",
    },
)

#: What the reader may put on the right and the middle button.
CHOICES: dict[str, type[Tool]] = {
    tool.id: tool for tool in (WindowTool, PanTool, ZoomTool, ScrollTool, CrosshairTool)
}

_BUTTONS = {LEFT: "left", RIGHT: "right", MIDDLE: "middle"}
_MODIFIERS = {
    NONE: "",
    SHIFT: "Shift + ",
    CONTROL: "Ctrl + ",
    ALT: "Alt + ",
    CONTROL | SHIFT: "Ctrl + Shift + ",
}
_TURNS: dict[Turn, str] = {
    "scroll": "Scroll one image",
    "scroll_fast": "Scroll five images",
    "scroll_faster": "Scroll ten images",
    "zoom": "Zoom at the mouse",
    "slab": "Thickness of the slab",
}
_DRAGS: dict[type[Tool], str] = {
    WindowTool: "Contrast (sideways) and brightness (up and down)",
    PanTool: "Move the image",
    ZoomTool: "Zoom",
    ScrollTool: "Scroll",
    CrosshairTool: "Crosshair",
    BoxWindowTool: "Window for what is in the box",
}
_ALWAYS: tuple[tuple[str, str], ...] = (
    ("Right click", "Menu"),
    ("Shift + move", "Crosshair in all planes"),
    ("Drag a point of a drawing", "Move the point"),
    ("Double click", "One pane, and back"),
    ("Click on the score strip", "Go to that slice"),
)


def with_own(table: MouseMap, settings: Settings) -> MouseMap:
    """A table with the buttons that the reader has given another meaning."""
    chosen = {RIGHT: settings.right_drag, MIDDLE: settings.middle_drag}
    own = {(button, NONE): Gesture(CHOICES[tool]) for button, tool in chosen.items() if tool}
    return MouseMap({**table.drags, **own}, table.wheel)


def mouse_rows(table: MouseMap) -> list[tuple[str, str]]:
    """Every gesture in words, in the order of the table: what to do, what it does."""
    rows: dict[str, list[str]] = {}
    for (button, modifiers), gesture in table.drags.items():
        rows.setdefault(_said(gesture), []).append(
            f"{_MODIFIERS[modifiers]}{_BUTTONS[button]} drag"
        )
    made = [(_capital(", ".join(ways)), does) for does, ways in rows.items()]
    for modifiers, turn in table.wheel.items():
        made.append((_capital(f"{_MODIFIERS[modifiers]}wheel"), _TURNS[turn]))
    return [*made, *_ALWAYS]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _said(gesture: Gesture) -> str:
    if gesture.faster != 1:
        return f"The same, {gesture.faster:.0f} times as fast"
    if gesture.tool is None:
        return f"{_DRAGS[WindowTool]}, or the chosen tool"
    return _DRAGS[gesture.tool]
