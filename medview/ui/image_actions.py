"""Commands for the image in the active pane, and for going through images; part of ``actions``."""

from __future__ import annotations

from medview.imaging.intensity import PRESETS
from medview.ui import commands
from medview.ui.action import Action, has_findings, has_image


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


GO: tuple[Action, ...] = (
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

IMAGE: tuple[Action, ...] = (
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

PRESET_KEYS = tuple(_preset(str(key)) for key in range(10))
