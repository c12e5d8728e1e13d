"""Commands for what the window shows; part of the table in ``actions``."""

from __future__ import annotations

from medview.ui import commands
from medview.ui.action import Action, has_image

VIEW: tuple[Action, ...] = (
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
        "view.crop", "Crop box in 3-D", commands.toggle_crop, "View",
        "Alt+X", "corners-out", "Cut the 3-D view by a box whose faces are drawn by the mouse; "
        "lines in the panes show where it is", commands.has_stack,
        lambda app: app.session.crop_on,
    ),
    Action(
        "view.crop_reset", "Whole crop box", lambda app: app.viewing.crop.reset(), "View",
        tip="Put all faces of the crop box back to the edges of the volume",
        enabled=lambda app: app.viewing.crop.is_changed,
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
