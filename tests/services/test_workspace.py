"""What is kept of a study that is left."""

from dataclasses import replace

import pytest
from services.stubs import series_of

from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.domain.measurement import Measurement
from medview.domain.overlay import LayerStyle
from medview.services.layouts import MAIN_PANE
from medview.services.session_values import Shown
from medview.services.workspace import Held, Looked, hashed, workspace_of

RULER = Measurement(1, "length", ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)), (1.0, 0, 0), (0, 1.0, 0))
MARK = KeyImage(Plane.AXIAL, 3)


@pytest.fixture
def own(session):
    return session.series


def kept(session, *series, before=None):
    return workspace_of(session, series or (session.series,), before or {})


def test_of_three_planes_one_pane_is_told_and_all_views(session, own):
    made = kept(session)
    assert made.panes == (Held(MAIN_PANE, hashed(own.key)),)
    assert {each.pane for each in made.views} == {"main", "upper", "lower"}
    assert {each.series for each in made.views} == {hashed(own.key)}


def test_only_what_is_drawn_on_this_study_is_kept(session, own):
    session.drawings = {own.key: (RULER, RULER), "9.9#0": (RULER,)}
    session.key_images = {"9.9#0": (MARK,), own.key: (MARK,)}
    made = kept(session)
    assert [each.series for each in made.drawings] == [hashed(own.key)] * 2
    assert [each.series for each in made.key_images] == [hashed(own.key)]


def test_views_of_its_series_that_were_left_are_kept_and_those_on_screen_are_newer(session, own):
    other, stranger = series_of("1.2"), series_of("9.9")
    view = replace(session.views[MAIN_PANE], zoom=7.0)
    before = {key: {MAIN_PANE: view} for key in (own.key, other.key, stranger.key)}
    made = kept(session, own, other, before=before)
    assert Looked(hashed(other.key), MAIN_PANE, view) in made.views
    assert Looked(hashed(own.key), MAIN_PANE, session.views[MAIN_PANE]) in made.views
    assert hashed(stranger.key) not in {each.series for each in made.views}


def test_one_series_in_two_panes_has_a_view_in_each(session, own):
    held = Shown(own, session.volume)
    prior = Shown(series_of("2.1"), session.volume, 1)
    session.layout, session.shown = "2x2", {"main": held, "upper": held, "lower": prior}
    panes = {each.pane: each for each in kept(session).panes}
    assert panes["main"].view is session.views["main"]
    assert panes["upper"].view is session.views["upper"]
    assert (panes["lower"].view, panes["lower"].time) == (None, 1)


def test_where_only_another_study_is_on_screen_nothing_is_told_of_the_panes(session):
    assert kept(session, series_of("5.5")).panes == ()


def test_styles_are_kept_but_not_what_was_drawn(session):
    session.styles = {"score": LayerStyle(visible=True, opacity=0.3)}
    session.alone = frozenset(("upper", "lower"))
    made = kept(session)
    assert [(each.map, each.style) for each in made.styles] == [("score", LayerStyle(opacity=0.3))]
    assert made.alone == ("lower", "upper")


def test_files_without_a_study_are_a_study_each_and_no_hash_tells_a_key():
    loose = replace(series_of("7.7"), study_uid="")
    assert (loose.study_key, series_of("7.7").study_key) == ("7.7", "1.2")
    assert "7.7" not in hashed("7.7")
    assert (len(hashed("7.7")), hashed("7.7") == hashed("7.8")) == (32, False)
