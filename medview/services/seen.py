"""How series were looked at when they were left, for when they come back."""

from __future__ import annotations

from dataclasses import replace

from medview.domain.study import Series
from medview.imaging.view import View
from medview.services.first_views import first_views
from medview.services.layouts import MAIN_PANE
from medview.services.session import Session
from medview.services.session_values import Shown


class Seen:
    """Views of the panes by the keys of series; in `views`, for who keeps them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.views: dict[str, dict[str, View]] = {}

    def recall(self, series: Series, views: dict[str, View]) -> None:
        """Show a series so when it comes on screen."""
        self.views[series.key] = views

    def forget(self, series_uid: str) -> None:
        """Show a series as if for the first time, whatever stacks it is read as."""
        self.views = {
            key: view for key, view in self.views.items() if key.partition("#")[0] != series_uid
        }

    def keep(self) -> None:
        """Remember how every series on screen is looked at."""
        session = self._session
        for pane, each in session.shown.items():
            if pane in session.views:
                views = self.views.get(each.series.key, {})
                self.views[each.series.key] = {**views, MAIN_PANE: session.views[pane]}
        if not session.shown and session.series is not None and session.views:
            self.views[session.series.key] = session.views

    def of(self, shown: Shown) -> dict[str, View]:
        """How a series was looked at last; else as it is first."""
        first, kept = first_views(shown.volume), self.views.get(shown.series.key, {})
        if MAIN_PANE not in kept:
            return first
        here = kept[MAIN_PANE].point_lps
        others = {pane: replace(view, point_lps=here) for pane, view in first.items()}
        return {pane: kept.get(pane, view) for pane, view in others.items()}
