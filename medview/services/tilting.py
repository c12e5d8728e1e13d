"""Turning the three planes of a volume about the crosshair, and setting them straight again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from medview.imaging.oblique import STRAIGHT, Tilt, turned
from medview.imaging.reslice import cut_of
from medview.services.layouts import layout_of, mpr_refusal
from medview.services.session import Session


def refusal(session: Session) -> str:
    """Why planes cannot be turned now, as a sentence; empty when they can."""
    if session.volume is None:
        return "No series is open."
    if not layout_of(session).is_mpr:
        return "Planes are turned where all three are seen: choose Three planes (MPR)."
    return mpr_refusal(session.volume)


def tilt(session: Session, pane: str, degrees: float) -> None:
    """Turn the planes of the other panes about the line of sight of this one.

    Degrees are clockwise as the pane is seen; its own image stays as it is. The crosshair
    stays where it is, and the planes stay at right angles to each other.
    """
    held, view = session.content(pane), session.views.get(pane)
    if held is None or view is None or refusal(session):
        return
    to_lps = cut_of(held.volume.geometry, view).pixel_to_lps
    sight = np.cross(to_lps[:3, 0], to_lps[:3, 1])
    use(session, turned(view.tilt, sight, degrees))


def use(session: Session, tilted: Tilt, panes: Collection[str] | None = None) -> None:
    """Give panes this turn; None: all of them."""
    session.views = {
        pane: replace(view, tilt=tilted) if panes is None or pane in panes else view
        for pane, view in session.views.items()
    }


def straighten(session: Session) -> None:
    """Set the planes of all panes straight."""
    if is_tilted(session):
        use(session, STRAIGHT)


def is_tilted(session: Session) -> bool:
    """Whether the planes of any pane are turned."""
    return any(view.tilt for view in session.views.values())
