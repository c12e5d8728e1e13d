"""What the reader may do with a series: decide what its files leave open (R15, R31, R34), or lay
an object of another program over the image.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from medview.domain.presentation import Look
from medview.domain.study import Choice, Series
from medview.services import presenting
from medview.ui.app import App
from medview.ui.controls import name
from medview.ui.state_actions import title_of
from medview.ui.words import tr

_FORMS = {
    "sform": "Position by the sform",
    "qform": "Position by the qform",
}


def series_menu(app: App, series: Series, parent: QWidget) -> QMenu | None:
    """Whether it lies over the image, its position and state, and by what volumes are told apart.

    None where there is nothing to choose.
    """
    forms = series.forms if len(series.forms) > 1 else ()
    keys = series.split_keys if len(series.split_keys) > 1 else ()
    pane = app.session.active_pane
    is_shown = app.session.series is not None and app.session.series.key == series.key
    looks = presenting.looks_in(app.session, pane) if is_shown else ()
    can_lay = app.library.laying.can_lay(series)
    if not forms and not keys and not looks and not can_lay:
        return None
    menu = QMenu(parent)
    name(menu, "series_menu", tr("Series"))
    if can_lay:
        over = QAction(tr("Lay over the image on screen"), menu)
        over.setObjectName("series_menu_lay")
        over.setEnabled(app.session.volume_id is not None)
        over.triggered.connect(lambda: app.library.laying.lay(series))
        menu.addAction(over)
    for values, used, words, wish in (
        (forms, series.form, _FORMS, _by_form),
        (keys, series.split_by, {}, _by_key),
    ):
        group = QActionGroup(menu)
        for value in values:
            action = QAction(tr(words.get(value, "Volumes by {key}"), key=value), menu)
            action.setObjectName(f"series_menu_{value}")
            action.setCheckable(True)
            action.setChecked(value == used)
            action.triggered.connect(_chooser(app, wish(series, value)))
            group.addAction(action)
            menu.addAction(action)
    if looks:
        _add_states(app, menu, looks, pane)
    return menu


def _add_states(app: App, menu: QMenu, looks: Sequence[Look], pane: str) -> None:
    """The states about the series on screen, and none of them."""
    here = presenting.look_in(app.session, pane)
    group = QActionGroup(menu)
    stored = (presenting.STORED, tr("As stored"))
    for n, (uid, text) in enumerate(
        (stored, *((look.state.uid, title_of(app, look)) for look in looks))
    ):
        action = QAction(text, menu)
        action.setObjectName(f"series_menu_state_{n}")
        action.setCheckable(True)
        action.setChecked(uid == (here.state.uid if here is not None else presenting.STORED))
        action.triggered.connect(_shower(app, pane, uid))
        group.addAction(action)
        menu.addAction(action)


def _shower(app: App, pane: str, uid: str) -> object:
    return lambda: presenting.show_by(app.session, pane, uid)


def _by_form(series: Series, value: str) -> Choice:
    return Choice(series.uid, form=value)


def _by_key(series: Series, value: str) -> Choice:
    return Choice(series.uid, split_by=value)


def _chooser(app: App, choice: Choice) -> object:
    return lambda: app.library.choose(choice)
