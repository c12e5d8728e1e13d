"""Commands for playing images and for slabs; part of the table in ``actions``."""

from __future__ import annotations

from medview.imaging.view import SlabMode
from medview.ui import commands
from medview.ui.action import Action
from medview.ui.app import App
from medview.ui.cine import RATES

_THICK_MM = (5, 10, 20, 40)
_MODES: tuple[tuple[SlabMode, str, str], ...] = (
    ("mip", "Maximum (MIP)", "The brightest value through the slab"),
    ("minip", "Minimum (MinIP)", "The darkest value through the slab"),
    ("mean", "Mean", "The mean through the slab"),
)


def _rate(rate: int) -> Action:
    return Action(
        f"cine.rate_{rate}",
        f"{rate} images a second",
        lambda app: app.window.cine.set_rate(rate),
        "Go/Cine",
        tip=f"Play {rate} images or time points a second",
        checked=lambda app: app.preferences.settings.cine_rate == rate,
    )


def _slab(app: App) -> tuple[float, SlabMode]:
    """Thickness and way of the active pane."""
    view = app.session.views.get(app.session.active_pane)
    return (0.0, "mip") if view is None else (view.slab_mm, view.slab_mode)


def _thickness(mm: int) -> Action:
    return Action(
        f"slab.{mm}_mm",
        f"{mm} mm",
        lambda app: app.viewing.set_slab(app.session.active_pane, mm, _slab(app)[1]),
        "Image/Slab",
        tip=f"Show a slab of {mm} mm in the active pane",
        enabled=commands.has_stack,
        checked=lambda app: _slab(app)[0] == mm,
    )


def _mode(mode: SlabMode, text: str, tip: str) -> Action:
    return Action(
        f"slab.{mode}",
        text,
        lambda app: app.viewing.use_slab_mode(app.session.active_pane, mode),
        "Image/Slab",
        tip=tip,
        enabled=commands.has_stack,
        checked=lambda app: _slab(app)[0] > 0 and _slab(app)[1] == mode,
    )


CINE: tuple[Action, ...] = (
    Action(
        "cine.play", "Play images", lambda app: app.window.cine.toggle("images"), "Go/Cine",
        "C", "film-reel", "Play the images of the active pane, or stop", commands.has_stack,
        lambda app: app.window.cine.reel == "images",
    ),
    Action(
        "cine.times", "Play time points", lambda app: app.window.cine.toggle("times"), "Go/Cine",
        "Alt+C", "clock", "Play the time points of the series, or stop", commands.has_times,
        lambda app: app.window.cine.reel == "times",
    ),
    Action(
        "cine.loops", "Begin again at the end",
        lambda app: app.window.cine.set_loops(on=not app.preferences.settings.cine_loops),
        "Go/Cine", tip="Play round and round, or stop at the last image",
        checked=lambda app: app.preferences.settings.cine_loops,
    ),
    *(_rate(rate) for rate in RATES),
)  # fmt: skip

SLAB: tuple[Action, ...] = (
    Action(
        "slab.cycle", "Next kind of slab",
        lambda app: app.viewing.cycle_slab(app.session.active_pane), "Image/Slab",
        "Ctrl+Alt+B", "stack", "Single image, maximum, minimum and mean of a slab in turn",
        commands.has_stack,
    ),
    Action(
        "slab.off", "Single image", lambda app: app.viewing.set_slab(app.session.active_pane, 0.0),
        "Image/Slab", tip="No slab in the active pane", enabled=commands.has_stack,
        checked=lambda app: not _slab(app)[0],
    ),
    *(_mode(*row) for row in _MODES),
    *(_thickness(mm) for mm in _THICK_MM),
)  # fmt: skip
