"""Commands for layouts, planes, linked scrolling and the study before; part of ``actions``."""

from __future__ import annotations

from medview.domain.geometry import Plane
from medview.services import tilting
from medview.services.layouts import LAYOUTS, MPR
from medview.ui.action import Action, has_image
from medview.ui.app import App

_KEYS = {MPR: "M", "1x1": "Alt+1", "1x2": "Alt+2", "2x2": "Alt+4", "2x3": "Alt+6", "3x3": "Alt+9"}
_PLANES = (
    (Plane.AXIAL, "From below, the patient's right on the left"),
    (Plane.CORONAL, "From the front"),
    (Plane.SAGITTAL, "From the side"),
)


def _layout(key: str) -> Action:
    layout = LAYOUTS[key]
    if layout.is_mpr:
        text, tip = "Three planes (MPR)", "Axial, coronal and sagittal planes of one series"
    else:
        text = f"{layout.rows} × {layout.columns}"
        tip = f"{layout.rows * layout.columns} panes, each with a series of its own"
    return Action(
        f"layout.{key}",
        text,
        lambda app: app.arranging.use(key),
        "View/Layout",
        _KEYS.get(key, ""),
        tip="One pane" if key == "1x1" else tip,
        enabled=(lambda app: not app.arranging.mpr_refusal) if layout.is_mpr else has_image,
        checked=lambda app: app.session.layout == key,
        refusal=(lambda app: app.arranging.mpr_refusal) if layout.is_mpr else None,
    )


def _plane(plane: Plane, tip: str) -> Action:
    def is_on(app: App) -> bool:
        view = app.session.views.get(app.session.active_pane)
        return view is not None and view.plane is plane

    return Action(
        f"plane.{plane.value}",
        plane.value.capitalize(),
        lambda app: app.viewing.set_plane(app.session.active_pane, plane),
        "View/Plane",
        tip=f"{tip}, in the active pane",
        enabled=lambda app: has_image(app) and not app.arranging.mpr_refusal,
        checked=is_on,
        refusal=lambda app: app.arranging.mpr_refusal,
    )


def _tilt(key: str, text: str, degrees: float) -> Action:
    return Action(
        f"plane.{key}",
        text,
        lambda app: tilting.tilt(app.session, app.session.active_pane, degrees),
        "View/Plane",
        tip="Turn the planes of the other panes about the crosshair of the active one",
        enabled=lambda app: not tilting.refusal(app.session),
        refusal=lambda app: tilting.refusal(app.session),
    )


LAYOUT: tuple[Action, ...] = (
    *(_layout(key) for key in LAYOUTS),
    *(_plane(*row) for row in _PLANES),
    _tilt("tilt", "Tilt by 5°", 5.0),
    _tilt("tilt_back", "Tilt back by 5°", -5.0),
    Action(
        "plane.straighten", "Straighten planes", lambda app: tilting.straighten(app.session),
        "View/Plane", tip="Set turned planes straight again",
        enabled=lambda app: tilting.is_tilted(app.session),
    ),
    Action(
        "view.compare", "Compare with prior", lambda app: app.arranging.compare(), "View",
        "Ctrl+Shift+C", "columns", "Set the earlier study of this patient beside this one",
        has_image,
    ),
    Action(
        "view.link", "Link scrolling", lambda app: app.viewing.toggle_link(), "View",
        "L", "link-simple", "Let panes scroll (in millimetres), zoom and pan together",
        lambda app: bool(app.session.shown), lambda app: app.session.linked,
    ),
    Action(
        "view.alone", "This pane for itself",
        lambda app: app.viewing.toggle_alone(app.session.active_pane), "View",
        "Shift+L", tip="Take the active pane out of linked scrolling, or back in",
        enabled=lambda app: bool(app.session.shown) and app.session.linked,
        checked=lambda app: app.session.active_pane in app.session.alone,
    ),
)  # fmt: skip
