"""Series come back as they were left."""

from dataclasses import replace

import pytest
from services.stubs import on_screen, series_of

from medview.services.first_views import first_views
from medview.services.layouts import MAIN_PANE
from medview.services.seen import Seen
from medview.services.session import Session


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def shown(session):
    return on_screen(session)


@pytest.fixture
def seen(session, shown):
    return Seen(session)


def zoomed(session, pane, factor):
    session.views = {**session.views, pane: replace(session.views[pane], zoom=factor)}


def test_a_series_that_was_never_left_is_shown_as_it_is_first(seen, shown):
    assert seen.of(shown) == first_views(shown.volume)


def test_every_plane_comes_back_as_it_was_left(seen, session, shown):
    zoomed(session, MAIN_PANE, 2.0)
    zoomed(session, "upper", 3.0)
    seen.keep()
    assert [seen.of(shown)[pane].zoom for pane in (MAIN_PANE, "upper", "lower")] == [2.0, 3.0, 1.0]


def test_a_pane_of_a_grid_says_how_its_series_is_looked_at_and_the_other_planes_go_there(
    seen, session, shown
):
    session.shown = {"upper": shown}
    at = (1.0, 2.0, 3.0)
    session.views = {"upper": replace(session.views["upper"], point_lps=at, zoom=5.0)}
    seen.keep()
    views = seen.of(shown)
    assert views[MAIN_PANE].zoom == 5.0
    assert {view.point_lps for view in views.values()} == {at}


def test_what_is_forgotten_is_shown_as_if_for_the_first_time(seen, session, shown):
    other = series_of("1.11")
    seen.recall(other, session.views)
    zoomed(session, MAIN_PANE, 2.0)
    seen.keep()
    seen.forget(shown.series.uid)
    assert seen.of(shown) == first_views(shown.volume)
    assert set(seen.views) == {other.key}
