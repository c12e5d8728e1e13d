"""What the reader may decide about a series where its files leave it open (R15, R34)."""

from __future__ import annotations

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from medview.domain.study import Choice, Series
from medview.ui.app import App
from medview.ui.controls import name
from medview.ui.words import tr

_FORMS = {
    "sform": "Position by the sform",
    "qform": "Position by the qform",
}


def series_menu(app: App, series: Series, parent: QWidget) -> QMenu | None:
    """Which position is used, and by what volumes are told apart; None with nothing to decide."""
    forms = series.forms if len(series.forms) > 1 else ()
    keys = series.split_keys if len(series.split_keys) > 1 else ()
    if not forms and not keys:
        return None
    menu = QMenu(parent)
    name(menu, "series_menu", tr("Series"))
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
    return menu


def _by_form(series: Series, value: str) -> Choice:
    return Choice(series.uid, form=value)


def _by_key(series: Series, value: str) -> Choice:
    return Choice(series.uid, split_by=value)


def _chooser(app: App, choice: Choice) -> object:
    return lambda: app.library.choose(choice)
