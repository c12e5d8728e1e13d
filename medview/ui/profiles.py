"""Keys and mouse of programs that hands may know already: one table each, by command.

A table says only where it differs from ACTIONS; an empty text takes the key away. What the
reader has changed stands on top of it. Weasis: nroduit.github.io, basics/shortcuts and
dicom-2d-viewer (version 4.7). OHIF: hotkeyBindings.js and initToolGroups.js (version 3).
Windows keep this program's values: a key goes to the preset whose tissue it means there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from medview.services.settings import ProfileKey
from medview.ui.gestures import OWN, WEASIS, MouseMap


@dataclass(frozen=True, slots=True)
class Profile:
    """Keys by the id of a command, several with " | " between them, and what the mouse does."""

    key: ProfileKey
    title: str
    tip: str
    keys: Mapping[str, str] = field(default_factory=dict)
    mouse: MouseMap = OWN


_WEASIS_KEYS = {
    # Series and studies by arrows; 4-D series go on in time first.
    "go.previous_series": "Alt+PgUp",
    "go.next_series": "Alt+PgDown",
    "go.first_series": "PgUp",
    "go.last_series": "PgDown",
    # Its presets, by tissue: 1 and 2 are those of the file.
    "window.file": "1 | 2 | `",
    "window.preset_5": "3",
    "window.preset_1": "4",
    "window.preset_6": "5",
    "window.preset_4": "6",
    "window.preset_2": "7",
    "window.preset_9": "8",
    "window.preset_3": "9",
    "window.preset_7": "",
    "window.preset_8": "",
    "tool.crosshair": "H",
    "tool.length": "D | M",
    "tool.next": "Ctrl+Space",
    "layout.mpr": "Shift+M",
    "image.flip_h": "Alt+F",
    "image.fit": "Ctrl+Return | =",
    "image.invert": "Shift+I",
    "view.annotations": "Space | I",
    "view.menu": "Q | Shift+F10 | Menu",
    "view.maximise": "F | Ctrl+M",
}
_OHIF_KEYS = {
    "image.zoom_in": "+ | Ctrl++",
    "image.zoom_out": "- | Ctrl+-",
    "image.rotate_right": "R | Alt+R",
    "image.rotate_left": "L | Alt+L",
    "image.reset": "Space",
    "edit.give_up": "Esc",
    "edit.delete": "Backspace | Del",
    "view.annotations": "Shift+Space",
    "view.link": "Ctrl+L",
    # Arrows go from pane to pane there.
    "view.next_pane": "Right | Tab",
    "view.previous_pane": "Left | Shift+Tab",
    "go.left": "Shift+Left",
    "go.right": "Shift+Right",
}

PROFILES: dict[str, Profile] = {
    profile.key: profile
    for profile in (
        Profile("medview", "medview", "The keys and buttons that this program came with"),
        Profile(
            "weasis",
            "Weasis-like",
            "Keys and buttons as in Weasis: arrows change series, 3 is the brain window, the "
            "right button opens the menu only, Ctrl makes dragging faster",
            _WEASIS_KEYS,
            WEASIS,
        ),
        Profile(
            "ohif",
            "OHIF-like",
            "Keys and buttons as in the OHIF viewer: R and L rotate, Space resets, + and - zoom, "
            "arrows go from pane to pane",
            _OHIF_KEYS,
        ),
    )
}
