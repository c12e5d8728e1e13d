"""What hands on the keyboard need beside the mouse: zoom, move, menu, far jumps in the list."""

from __future__ import annotations

from PySide6.QtCore import QPoint

from medview.services.browsing import Unit, end_of_study, neighbour
from medview.ui import commands
from medview.ui.action import Action, has_image
from medview.ui.app import App
from medview.ui.tools import TOOLS

_ZOOM = 1.25
_STEP_PX = 10.0


def _zoom(key: str, text: str, factor: float, shortcut: str, icon: str) -> Action:
    return Action(
        f"image.zoom_{key}",
        text,
        lambda app: app.viewing.zoom(app.session.active_pane, factor),
        "Image",
        shortcut,
        icon,
        f"{text} about the middle of the active pane",
        has_image,
    )


def _move(way: str, right: int, down: int) -> Action:
    def run(app: App) -> None:
        pane = app.window.grid.panes.get(app.session.active_pane)
        if pane is not None:
            mm = _STEP_PX / pane.px_per_mm()
            app.viewing.pan(pane.key, right * mm, down * mm)

    return Action(
        f"image.move_{way.lower()}",
        f"Move {way.lower()}",
        run,
        "Image/Move",
        f"Alt+{way}",
        tip=f"Move the image {way.lower()} in the active pane",
        enabled=has_image,
    )


def _far(unit: Unit, steps: int, shortcut: str) -> Action:
    def run(app: App) -> None:
        found = neighbour(app.session.catalogue, app.session.series, unit, steps)
        if found is not None:
            app.library.show(found)

    where = "Next" if steps > 0 else "Previous"
    return Action(
        f"go.{where.lower()}_{unit}",
        f"{where} {unit}",
        run,
        "Go",
        shortcut,
        tip=f"Show the {unit} {'after' if steps > 0 else 'before'} this one in the list",
        enabled=commands.has_series,
    )


def _end(where: str, *, last: bool) -> Action:
    def run(app: App) -> None:
        found = end_of_study(app.session.catalogue, app.session.series, last=last)
        if found is not None:
            app.library.show(found)

    return Action(
        f"go.{where}_series",
        f"{where.capitalize()} series",
        run,
        "Go",
        tip=f"Show the {where} series of this study",
        enabled=commands.has_series,
    )


def _open_menu(app: App) -> None:
    """The menu of the active pane, at its middle."""
    pane = app.window.grid.panes.get(app.session.active_pane)
    if pane is None:
        return
    middle = QPoint(pane.width() // 2, pane.height() // 2)
    app.window.mouse.menu_wanted(pane.mapToGlobal(middle))


def _next_tool(app: App) -> None:
    keys = [tool.id for tool in TOOLS]
    here = app.window.mouse.tool
    place = keys.index(here) + 1 if here in keys else 0
    app.window.use_tool(keys[place % len(keys)])


BY_KEYBOARD: tuple[Action, ...] = (
    _zoom("in", "Zoom in", _ZOOM, "Ctrl++ | Ctrl+=", "plus"),
    _zoom("out", "Zoom out", 1 / _ZOOM, "Ctrl+-", "minus"),
    _move("Left", -1, 0),
    _move("Right", 1, 0),
    _move("Up", 0, -1),
    _move("Down", 0, 1),
    Action(
        "view.menu", "Menu of the image", _open_menu, "View",
        "Shift+F10 | Menu", tip="What a right click in the active pane offers",
        enabled=has_image, in_panes=True,
    ),
    Action(
        "tool.next", "Next tool", _next_tool, "Tools",
        tip="Give the left button the next of the tools for looking",
    ),
    Action(
        "edit.give_up", "Stop, or give up the drawing", commands.give_up, "Tools",
        tip="Stop what plays, or end a drag or drawing under way; nothing else changes",
    ),
    _end("first", last=False),
    _end("last", last=True),
    _far("study", -1, "Ctrl+Left"),
    _far("study", 1, "Ctrl+Right"),
    _far("patient", -1, "Ctrl+Up"),
    _far("patient", 1, "Ctrl+Down"),
)  # fmt: skip
