"""Which presentation state a pane shows its series by (R31)."""

from __future__ import annotations

from dataclasses import replace

from medview.domain.presentation import Look
from medview.imaging.looks import look_of, newest_look, presented
from medview.services.first_views import stored_view
from medview.services.session import Session

#: What is chosen instead of a state: the images as their files have them.
STORED = ""


def looks_in(session: Session, pane: str) -> tuple[Look, ...]:
    """The states about what a pane shows, the oldest first."""
    held = session.content(pane)
    return () if held is None else held.volume.looks


def look_in(session: Session, pane: str) -> Look | None:
    """The state that a pane shows its series by; None when it shows it as stored."""
    held, view = session.content(pane), session.views.get(pane)
    return None if held is None or view is None else look_of(held.volume, view)


def show_by(session: Session, pane: str, uid: str) -> None:
    """Show a pane by a state, or as stored; others of the same series take only its grey.

    Zoom, turn and window of the pane are the state's afterwards; the crosshair stays.
    """
    held, view = session.content(pane), session.views.get(pane)
    if held is None or view is None:
        return
    look = next((each for each in held.volume.looks if each.state.uid == uid), None)
    plane = stored_view(held.volume, pane).plane
    kept = replace(
        view, plane=plane, flip_h=False, flip_v=False, rotate=0, zoom=1.0, pan_mm=(0.0, 0.0)
    )
    shown = {
        other: replace(session.views[other], look=uid, window=None)
        for other in session.panes_of(held.series.key)
    }
    session.views = {**session.views, **shown, pane: presented(held.volume, kept, look)}


def toggle(session: Session, pane: str) -> None:
    """The newest state, or as stored where there is one already."""
    held = session.content(pane)
    newest = None if held is None else newest_look(held.volume)
    if newest is not None:
        is_on = look_in(session, pane) is not None
        show_by(session, pane, STORED if is_on else newest.state.uid)


def show_next(session: Session, pane: str) -> None:
    """The next state, then as stored, and the first state again."""
    uids = [STORED, *(look.state.uid for look in looks_in(session, pane))]
    here = look_in(session, pane)
    place = uids.index(here.state.uid) if here is not None else 0
    if len(uids) > 1:
        show_by(session, pane, uids[(place + 1) % len(uids)])
