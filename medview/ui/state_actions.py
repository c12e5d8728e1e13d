"""Commands for presentation states; part of the table in ``actions``."""

from __future__ import annotations

from PySide6.QtWidgets import QInputDialog

from medview.domain.presentation import Look
from medview.services import presenting
from medview.ui.action import Action
from medview.ui.app import App
from medview.ui.words import date, tr

_NONE = "No presentation state lies beside the images of this series."


def title_of(app: App, look: Look) -> str:
    """What a state is called in a list: its label, and the day it was made."""
    day = look.state.made[:8]
    if app.session.private or len(day) < 8:
        return look.state.label
    return f"{look.state.label} · {date(f'{day[:4]}-{day[4:6]}-{day[6:]}')}"


def choose(app: App) -> None:
    """Ask by which state the active pane is to be shown, or as stored."""
    session, pane = app.session, app.session.active_pane
    looks = presenting.looks_in(session, pane)
    if not looks:
        return
    titles = [tr("As stored"), *(title_of(app, look) for look in looks)]
    uids = [presenting.STORED, *(look.state.uid for look in looks)]
    here = presenting.look_in(session, pane)
    place = uids.index(here.state.uid) if here is not None else 0
    chosen, done = QInputDialog.getItem(
        app.window, tr("Presentation state"), tr("Show the images by"), titles, place, False
    )
    if done:
        presenting.show_by(session, pane, uids[titles.index(chosen)])


def _has_states(app: App) -> bool:
    return bool(presenting.looks_in(app.session, app.session.active_pane))


def _refusal(app: App) -> str:
    return "" if _has_states(app) else _NONE


STATES: tuple[Action, ...] = (
    Action(
        "state.on", "By presentation state",
        lambda app: presenting.toggle(app.session, app.session.active_pane),
        "Image/Presentation state", "Shift+P",
        tip="Show the images as a presentation state asks, or as they are stored",
        enabled=_has_states, refusal=_refusal,
        checked=lambda app: presenting.look_in(app.session, app.session.active_pane) is not None,
    ),
    Action(
        "state.next", "Next presentation state",
        lambda app: presenting.show_next(app.session, app.session.active_pane),
        "Image/Presentation state", "Alt+P",
        tip="The next state in time, then as stored", enabled=_has_states, refusal=_refusal,
    ),
    Action(
        "state.choose", "Choose presentation state …", choose, "Image/Presentation state",
        tip="Choose among the states by name and day", enabled=_has_states, refusal=_refusal,
    ),
)  # fmt: skip
