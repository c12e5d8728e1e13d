"""Commands for models and what they say; part of the table in ``actions``."""

from __future__ import annotations

from medview.ui import commands
from medview.ui.action import Action, has_image, has_maps

ANALYSIS: tuple[Action, ...] = (
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
        "analysis.blink", "Blink", lambda app: app.window.blink.toggle(), "Analysis",
        "Shift+B", "swap", "Maps on and off, or old and new version, in turn until pressed again",
        lambda app: has_maps(app) or app.session.swiped is not None,
        lambda app: app.window.blink.is_on,
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
