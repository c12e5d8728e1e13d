"""Why a command is not possible now, in one sentence."""

from __future__ import annotations

from medview.ui import commands
from medview.ui.action import Action, Ask, has_findings, has_image, has_maps, has_study
from medview.ui.app import App

NO_IMAGE = "Open a study first."
OTHERWISE = "This is not possible with what is on screen."
_BY_ASK: dict[Ask, str] = {
    has_image: NO_IMAGE,
    has_study: NO_IMAGE,
    has_maps: "There is no map: run a model first.",
    has_findings: "There is no finding: run a model first.",
    commands.has_series: NO_IMAGE,
    commands.has_stack: "This is a single image, no stack.",
    commands.has_times: "This series has one time point only.",
}
_BY_ID: dict[str, str] = {
    "view.link": "All panes show one series: choose a grid first.",
    "view.alone": "No panes scroll together: choose a grid and link it first.",
    "edit.undo": "There is nothing to take back.",
    "edit.redo": "There is nothing to do again.",
    "edit.delete": "No drawing is chosen: click one first.",
    "edit.delete_all": "There is no drawing on this series.",
    "analysis.run": "No model that fits this series can be started now.",
    "analysis.cancel": "Nothing is running.",
    "analysis.blink": "There is no map: run a model first.",
    "analysis.versions": "No model is being trained further.",
    "analysis.read_done": "Nothing is held back: First reader is off, or your read is done.",
    "file.save_movie": "This is a single image, no stack.",
    "plane.straighten": "No plane is turned.",
}
_BY_START = {"window.preset_": "This kind of image has no window on this key."}


def why_not(app: App, action: Action) -> str:
    """Why a command cannot be used now; empty when it can."""
    if action.enabled(app):
        return ""
    said = action.refusal(app) if action.refusal is not None else ""
    if said:
        return said
    needs_image = action.enabled not in (has_study, commands.has_series)
    if needs_image and app.session.volume is None and action.id not in _ALWAYS_SAID:
        return NO_IMAGE
    by_start = (text for start, text in _BY_START.items() if action.id.startswith(start))
    return _BY_ASK.get(action.enabled) or _BY_ID.get(action.id) or next(by_start, OTHERWISE)


# About something else than images.
_ALWAYS_SAID = {"analysis.cancel", "edit.undo", "edit.redo"}
