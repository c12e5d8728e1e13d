"""Every command once: menu, tool bar, keys, tips and the page of shortcuts come from here."""

from __future__ import annotations

from medview.ui.action import Action
from medview.ui.analysis_actions import ANALYSIS
from medview.ui.display_actions import CINE, SLAB
from medview.ui.drawing_tools import DRAWING_TOOLS
from medview.ui.file_actions import FILE
from medview.ui.hanging_actions import HANGING
from medview.ui.image_actions import GO, IMAGE, PRESET_KEYS
from medview.ui.keyboard_actions import BY_KEYBOARD
from medview.ui.layout_actions import LAYOUT
from medview.ui.leaving import TRAIL
from medview.ui.state_actions import STATES
from medview.ui.tools import TOOLS, Tool
from medview.ui.view_actions import VIEW


def _tool(tool: type[Tool], menu: str = "Tools") -> Action:
    return Action(
        f"tool.{tool.id}",
        tool.text,
        lambda app: app.window.use_tool(tool.id),
        menu,
        tool.shortcut,
        tool.icon,
        tool.tip,
        checked=lambda app: app.window.mouse.tool == tool.id,
    )


_EDIT = (
    Action(
        "edit.undo", "Undo", lambda app: app.measuring.undo(), "Tools",
        "Ctrl+Z", "arrow-u-up-left",
        "Take the last drawing, key image, deletion, style or crop box back",
        lambda app: app.measuring.can_undo,
    ),
    Action(
        "edit.redo", "Redo", lambda app: app.measuring.redo(), "Tools",
        "Ctrl+Y | Ctrl+Shift+Z", "arrow-u-up-right", "Do it again",
        lambda app: app.measuring.can_redo,
    ),
    Action(
        "edit.delete", "Delete drawing", lambda app: app.measuring.remove(), "Tools",
        "Del", "trash", "Delete the drawing that was chosen last",
        lambda app: bool(app.session.chosen_drawing), in_panes=True,
    ),
    Action(
        "edit.delete_all", "Delete all drawings", lambda app: app.measuring.remove_all(), "Tools",
        tip="Delete every drawing on this series; Undo brings them back",
        enabled=lambda app: bool(app.measuring.here),
    ),
)  # fmt: skip

_HELP = (
    Action(
        "help.palette", "Find a command …", lambda app: app.window.find_command(), "Help",
        "Ctrl+K | F3", "magnifying-glass", "Type to find any command, with its key",
    ),
    Action(
        "help.shortcuts", "Mouse and keys", lambda app: app.window.show_shortcuts(), "Help",
        "F1", "keyboard", "List what mouse and keys do",
    ),
    Action(
        "help.edit_keys", "Change keys and mouse …",
        lambda app: app.window.edit_shortcuts(), "Help",
        "Ctrl+F1", "keyboard", "Choose other keys, and what the left button does",
    ),
    TRAIL,
    Action(
        "help.about", "About medview", lambda app: app.window.show_about(), "Help",
        icon="info", tip="Version, models, licence",
    ),
)  # fmt: skip

ACTIONS: tuple[Action, ...] = (
    *FILE,
    *VIEW,
    *LAYOUT,
    *HANGING,
    *IMAGE,
    *PRESET_KEYS,
    *SLAB,
    *STATES,
    *(_tool(tool) for tool in TOOLS),
    *(_tool(tool, "Tools/Measure") for tool in DRAWING_TOOLS),
    *_EDIT,
    *GO,
    *BY_KEYBOARD,
    *CINE,
    *ANALYSIS,
    *_HELP,
)

#: The tool bar, left and right of its gap; "" is a line, "Menu/Submenu" a button with that menu.
BAR_LEFT = (
    "file.open_folder", "", "tool.window", "tool.pan", "tool.zoom",
    "tool.length", "tool.angle", "tool.ellipse", "tool.probe", "",
    "View/Layout",
)  # fmt: skip
BAR_RIGHT = ("analysis.overlay", "file.private", "analysis.run", "file.export_report")
#: Icons and tips of buttons with a menu.
BAR_MENUS = {"View/Layout": ("squares-four", "How panes lie beside each other")}
#: Where a button says less than the menu.
BAR_TEXTS = {"file.open_folder": "Open", "file.export_report": "Report"}

#: What a right click in a pane offers.
CONTEXT = (
    "window.preset_0", "window.file", "Image/Presets", "", "image.invert", "image.flip_h",
    "image.flip_v", "image.rotate_right", "image.rotate_left", "image.fit", "",
    "Image/Presentation state", "image.key", "cine.play", "",
    "view.maximise", "View/Layout", "View/Plane", "view.compare", "view.link", "",
    "view.crosshair", "view.reference", "view.annotations", "", "analysis.overlay",
    "analysis.next_map", "analysis.run", "file.export_report", "file.save_picture",
)  # fmt: skip


def action(key: str) -> Action:
    """The action of that id. Raises KeyError."""
    return _BY_ID[key]


_BY_ID = {each.id: each for each in ACTIONS}
