"""Every command once: menu, tool bar, keys, tips and the page of shortcuts come from here."""

from __future__ import annotations

from medview.imaging.intensity import PRESETS
from medview.ui import commands
from medview.ui.action import Action, has_findings, has_image, has_maps, has_study
from medview.ui.autosave import save_workspace
from medview.ui.display_actions import CINE, SLAB
from medview.ui.drawing_tools import DRAWING_TOOLS
from medview.ui.hanging_actions import HANGING
from medview.ui.keyboard_actions import BY_KEYBOARD
from medview.ui.layout_actions import LAYOUT
from medview.ui.leaving import LEAVING, TRAIL
from medview.ui.report_leaving import REPORT_LEAVING
from medview.ui.state_actions import STATES
from medview.ui.tools import TOOLS, Tool


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


def _scroll(key: str, text: str, steps: int, shortcut: str) -> Action:
    return Action(
        f"go.{key}",
        text,
        lambda app: app.viewing.scroll(app.session.active_pane, steps),
        "Go",
        shortcut,
        tip=text,
        enabled=has_image,
    )


def _preset(key: str) -> Action:
    tissue = next((each.title for each in PRESETS["HU"] if each.key == key), "")
    text = "Automatic window" if key == "0" else f"Window preset {key} (CT: {tissue.lower()})"
    return Action(
        f"window.preset_{key}",
        text,
        lambda app: app.viewing.use_preset(app.session.active_pane, key),
        "Image/Presets",
        key,
        tip=f"{text.partition(' (')[0]} of this kind of image",
        enabled=lambda app: commands.has_preset(app, key),
    )


_FILE = (
    Action(
        "file.open_folder", "Open folder …", commands.open_folder, "File",
        "Ctrl+O", "folder-open", "Open a folder of images",
    ),
    Action(
        "file.open_file", "Open file …", commands.open_file, "File",
        "Ctrl+Shift+O", "file", "Open one or several image files",
    ),
    Action(
        "file.export_report", "Export report …", lambda app: app.window.export_report(), "File",
        "Ctrl+P", "file-pdf", "Write the report as a PDF", has_study,
    ),
    Action(
        "file.preview_report", "Report preview", lambda app: app.window.toggle_preview(), "File",
        "Ctrl+Shift+R", tip="Show the pages of the report beside the images", enabled=has_study,
        checked=lambda app: not app.window.preview.isHidden(),
    ),
    *REPORT_LEAVING,
    Action(
        "file.save", "Save workspace", save_workspace, "File",
        "Ctrl+S", tip="Keep layout, views and drawings of this study now", enabled=has_image,
    ),
    Action(
        "file.forget", "Forget workspace …", commands.forget_workspace, "File",
        tip="Delete what is kept of this study's layout, views and drawings", enabled=has_image,
    ),
    Action(
        "file.forget_study", "Forget study …", commands.forget_study, "File",
        tip="Delete all that is kept of this study: results, report, layout, drawings",
        enabled=has_image,
    ),
    Action(
        "file.save_picture", "Save picture …", commands.save_picture, "File",
        "Ctrl+Shift+S", tip="Write the active pane with all that is drawn on it as a PNG",
        enabled=has_image,
    ),
    *LEAVING,
    Action(
        "file.private", "Private", commands.toggle_private, "File",
        "Ctrl+Shift+P", "shield-check", "Hide names, ids and dates",
        checked=lambda app: app.session.private,
    ),
    Action(
        "file.quit", "Quit", lambda app: app.window.close(), "File",
        "Ctrl+Q", tip="Close the window",
    ),
)  # fmt: skip

_VIEW = (
    Action(
        "view.maximise", "One pane", lambda app: app.viewing.maximise(app.session.active_pane),
        "View", "F", "frame-corners", "Let the active pane fill the room (double-click)", has_image,
        lambda app: app.session.maximised is not None,
    ),
    Action(
        "view.crosshair", "Crosshair", lambda app: app.viewing.toggle_crosshair(), "View",
        "X", "crosshair-simple", "Show or hide the crosshair", has_image, commands.shows_crosshair,
    ),
    Action(
        "view.reference", "Reference lines", lambda app: app.viewing.toggle_reference(), "View",
        "Shift+R", "intersect", "Show or hide where the other planes run", commands.has_stack,
        lambda app: app.session.reference_on,
    ),
    Action(
        "view.annotations", "Corner texts", lambda app: app.viewing.cycle_annotations(), "View",
        "Space", "text-t", "All corner texts, few, or none", has_image,
    ),
    Action(
        "view.magnify", "Magnifying glass", commands.magnify, "View",
        "G", "magnifying-glass", "Enlarge what is under the mouse while the key is held, or until "
        "it is pressed again", has_image, lambda app: app.window.mouse.magnifies, is_peek=True,
    ),
    Action(
        "view.curve", "Curve at the mouse", lambda app: app.window.curve.toggle(), "View",
        "J", "line-segments", "The value under the mouse through the slices, or over time",
        has_image, lambda app: not app.window.curve.isHidden(),
    ),
    Action(
        "view.next_pane", "Next pane", lambda app: app.viewing.next_pane(1), "View",
        "Tab", tip="Make the next pane the active one", enabled=has_image, in_panes=True,
    ),
    Action(
        "view.previous_pane", "Previous pane", lambda app: app.viewing.next_pane(-1), "View",
        "Shift+Tab", tip="Make the pane before the active one", enabled=has_image, in_panes=True,
    ),
    Action(
        "view.next_region", "Next region", lambda app: app.window.next_region(), "View",
        "F6", tip="Move the keyboard to list, images or side panel",
    ),
    Action(
        "view.volume", "3-D view", lambda app: app.window.toggle_volume(), "View",
        "Alt+3", "cube", "Show or hide the volume seen from outside", has_image,
        lambda app: not app.window.volume.isHidden(),
    ),
    Action(
        "view.tags", "Header of the image …",
        lambda app: app.headers.read(app.session.active_pane), "View",
        "Ctrl+I", "list-bullets", "Look through the tags of the file behind this image", has_image,
    ),
    Action(
        "view.studies", "Studies", lambda app: app.window.toggle_studies(), "View",
        "F7", "list-bullets", "Show or hide the list of studies",
        checked=lambda app: app.window.shows_studies,
    ),
    Action(
        "view.side", "Side panel", lambda app: app.window.toggle_side(), "View",
        "F8", "columns", "Show or hide the panel on the right",
        checked=lambda app: app.window.shows_side,
    ),
    Action(
        "view.find", "Find in studies", lambda app: app.window.find_study(), "View",
        "Ctrl+F", "magnifying-glass", "Find a patient, study or series in the list",
    ),
    Action(
        "view.theme", "Light theme", commands.toggle_theme, "View",
        "Ctrl+Shift+L", "sun", "Change between the dark and the light theme",
        checked=lambda app: app.preferences.settings.theme == "light",
    ),
    Action(
        "view.full_screen", "Full screen", lambda app: app.window.toggle_full_screen(), "View",
        "F11", "arrows-out", "Use the whole screen",
        checked=lambda app: app.window.isFullScreen(),
    ),
)  # fmt: skip

_GO = (
    _scroll("previous_image", "Previous image", -1, "Up"),
    _scroll("next_image", "Next image", 1, "Down"),
    _scroll("back_10", "10 images back", -10, "Shift+Up"),
    _scroll("on_10", "10 images on", 10, "Shift+Down"),
    Action(
        "go.first_image", "First image",
        lambda app: app.viewing.go_to_end(app.session.active_pane, last=False), "Go",
        "Home", tip="First image of the stack", enabled=has_image,
    ),
    Action(
        "go.last_image", "Last image",
        lambda app: app.viewing.go_to_end(app.session.active_pane, last=True), "Go",
        "End", tip="Last image of the stack", enabled=has_image,
    ),
    Action(
        "go.previous_series", "Previous series", lambda app: app.library.show_next(-1), "Go",
        "PgUp", "skip-back", "Show the series before in the list", commands.has_series,
    ),
    Action(
        "go.next_series", "Next series", lambda app: app.library.show_next(1), "Go",
        "PgDown", "skip-forward", "Show the next series of the list", commands.has_series,
    ),
    Action(
        "go.left", "Earlier time or previous series", lambda app: commands.step(app, -1), "Go",
        "Left", tip="Time point before, or the series before", enabled=commands.has_series,
    ),
    Action(
        "go.right", "Later time or next series", lambda app: commands.step(app, 1), "Go",
        "Right", tip="Next time point, or the next series", enabled=commands.has_series,
    ),
    Action(
        "go.next_finding", "Next finding", lambda app: app.viewing.next_finding(1), "Go",
        "N", "caret-right", "Go to the next finding of the model", has_findings,
    ),
    Action(
        "go.previous_finding", "Previous finding", lambda app: app.viewing.next_finding(-1), "Go",
        "Shift+N", "caret-left", "Go to the finding before", has_findings,
    ),
    Action(
        "go.slice", "Go to slice …", commands.go_to_slice, "Go",
        "Ctrl+G", tip="Type the number of an image", enabled=has_image,
    ),
)  # fmt: skip

_IMAGE = (
    Action(
        "window.file", "Window of the file",
        lambda app: app.viewing.use_file_window(app.session.active_pane), "Image",
        "`", tip="The window that the file asks for", enabled=has_image,
    ),
    Action(
        "image.invert", "Invert", lambda app: app.viewing.invert(app.session.active_pane), "Image",
        "I", "drop-half", "Turn black and white round", has_image, commands.is_inverted,
    ),
    Action(
        "image.flip_h", "Flip sideways", lambda app: app.viewing.flip(app.session.active_pane),
        "Image", "H", "flip-horizontal", "Mirror left to right; the letters follow", has_image,
    ),
    Action(
        "image.flip_v", "Flip upside down",
        lambda app: app.viewing.flip(app.session.active_pane, vertical=True),
        "Image", "V", "flip-vertical", "Mirror top to bottom; the letters follow", has_image,
    ),
    Action(
        "image.rotate_right", "Rotate right",
        lambda app: app.viewing.rotate(app.session.active_pane, 1),
        "Image", "Alt+R", "arrow-clockwise", "A quarter turn to the right", has_image,
    ),
    Action(
        "image.rotate_left", "Rotate left",
        lambda app: app.viewing.rotate(app.session.active_pane, -1),
        "Image", "Alt+L", "arrow-counter-clockwise", "A quarter turn to the left", has_image,
    ),
    Action(
        "image.key", "Key image",
        lambda app: app.measuring.toggle_key(app.session.active_pane), "Image",
        "K", "bookmark-simple", "Mark this image to find it again, or take the mark away",
        has_image, lambda app: app.measuring.is_key(app.session.active_pane),
    ),
    Action(
        "image.fit", "Fit", lambda app: app.viewing.fit(app.session.active_pane),
        "Image", "= | Ctrl+Return", "corners-out", "Show the whole image", has_image,
    ),
    Action(
        "image.reset", "Reset", commands.reset, "Image",
        "Esc", tip="Undo zoom, turns and window of the pane", enabled=has_image,
    ),
)  # fmt: skip

_EDIT = (
    Action(
        "edit.undo", "Undo", lambda app: app.measuring.undo(), "Tools",
        "Ctrl+Z", "arrow-u-up-left", "Take the last drawing, key image, deletion or style back",
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

_ANALYSIS = (
    Action(
        "analysis.run", "Run analysis", lambda app: app.window.run_analysis(), "Analysis",
        "F5", "play", "Run the model that fits this series",
        lambda app: app.window.can_run_analysis,
    ),
    Action(
        "analysis.cancel", "Cancel jobs", commands.cancel_jobs, "Analysis",
        "Shift+Esc", "stop-circle", "Stop everything that runs",
        lambda app: bool(app.session.tasks),
    ),
    Action(
        "analysis.overlay", "Overlay", lambda app: app.viewing.maps.toggle_overlay(), "Analysis",
        "O", "eye", "Show or hide the maps; hold to peek", has_maps,
        lambda app: app.session.overlay_on, is_peek=True,
    ),
    Action(
        "analysis.blink", "Blink", lambda app: app.window.toggle_blink(), "Analysis",
        "Shift+B", "swap", "Maps on and off, or old and new version, in turn until pressed again",
        lambda app: has_maps(app) or app.session.swiped is not None,
        lambda app: app.window.blinks,
    ),
    Action(
        "analysis.versions", "Old or new version", lambda app: app.viewing.maps.blink_versions(),
        "Analysis", "Alt+B", "swap",
        "While a model is trained further: the new version alone, the old one, and so on",
        lambda app: app.session.swiped is not None,
    ),
    Action(
        "analysis.first_reader", "First reader",
        lambda app: app.viewing.maps.set_first_reader(on=not app.session.first_reader), "Analysis",
        icon="eye", tip="Hide what models say until your own reading is done",
        checked=lambda app: app.session.first_reader,
    ),
    Action(
        "analysis.read_done", "My read is done", lambda app: app.viewing.maps.finish_reading(),
        "Analysis", "Ctrl+D", tip="Show what the models say of this series",
        enabled=lambda app: app.session.is_waiting and has_image(app),
    ),
    Action(
        "analysis.forget", "Delete results of this study …", commands.forget_results, "Analysis",
        tip="Delete what models said of this study, also from the disk", enabled=has_image,
    ),
    Action(
        "analysis.next_map", "Next map", lambda app: app.viewing.maps.cycle_map(), "Analysis",
        "U", "swap", "Score, residual, epistemic, aleatoric, total", has_maps,
    ),
    Action(
        "analysis.less_opaque", "Less opaque", lambda app: app.viewing.maps.change_opacity(-1),
        "Analysis", "[", "minus", "Overlay more transparent", has_maps,
    ),
    Action(
        "analysis.more_opaque", "More opaque", lambda app: app.viewing.maps.change_opacity(1),
        "Analysis", "]", "plus", "Overlay more opaque", has_maps,
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
    *_FILE,
    *_VIEW,
    *LAYOUT,
    *HANGING,
    *_IMAGE,
    *(_preset(str(key)) for key in range(10)),
    *SLAB,
    *STATES,
    *(_tool(tool) for tool in TOOLS),
    *(_tool(tool, "Tools/Measure") for tool in DRAWING_TOOLS),
    *_EDIT,
    *_GO,
    *BY_KEYBOARD,
    *CINE,
    *_ANALYSIS,
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
