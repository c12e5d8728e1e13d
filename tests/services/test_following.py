"""Which panes go along with the one that is pointed at, and how far."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of, phantom_on
from services.stubs import series_of

from medview.domain.geometry import Plane
from medview.imaging.oblique import STRAIGHT, turned
from medview.imaging.view import View
from medview.services.following import point_at, together
from medview.services.session import Session
from medview.services.session_values import Shown

HERE = (0.0, 0.0, 0.0)


def held(uid, frame, code="LPS", shape=(12, 10, 10)):
    grid = replace(geometry_of(code, shape, (4.0, 4.0, 4.0)), frame_of_reference=frame)
    return Shown(series_of(uid, geometry=grid), phantom_on(grid))


def session_with(other, *, plane=Plane.AXIAL, linked=True, alone=()):
    session = Session()
    session.layout = "1x2"
    session.shown = {"main": held("1.1", "1.9"), "upper": other}
    session.views = {"main": View(Plane.AXIAL, HERE), "upper": View(plane, HERE)}
    session.linked, session.alone = linked, frozenset(alone)
    return session


def moved(session, to=(8.0, 0.0, 12.0)):
    point_at(session, np.array(to), "main")
    assert session.views["main"].point_lps == to
    return session.views["upper"].point_lps


def test_panes_of_one_space_cut_at_the_same_point():
    assert moved(session_with(held("1.2", "1.9"))) == (8.0, 0.0, 12.0)


def test_panes_of_other_series_go_on_by_as_many_millimetres_along_their_slices():
    assert moved(session_with(held("2.1", "1.8"))) == (0.0, 0.0, 12.0)


def test_slices_that_lie_across_stay():
    assert moved(session_with(held("2.1", "1.8"), plane=Plane.SAGITTAL)) == HERE


@pytest.mark.parametrize("how", [{"linked": False}, {"alone": ("upper",)}, {"alone": ("main",)}])
@pytest.mark.parametrize("frame", ["1.9", "1.8"])
def test_who_does_not_go_along_stays(how, frame):
    assert moved(session_with(held("2.1", frame), **how)) == HERE


@pytest.mark.parametrize("code", ["LPI", "RAS", "PLS"])
def test_the_way_is_that_of_the_patient_whichever_way_slices_are_counted(code):
    assert moved(session_with(held("2.1", "1.8", code))) == pytest.approx((0.0, 0.0, 12.0))


@pytest.mark.parametrize(("degrees", "goes"), [(20.0, True), (-20.0, True), (30.0, False)])
def test_slices_that_lean_go_along_by_their_own_way_up_to_25_degrees(degrees, goes):
    session = session_with(held("2.1", "1.8"))
    leaning = replace(session.views["upper"], tilt=turned(STRAIGHT, (1.0, 0.0, 0.0), degrees))
    session.views = session.views | {"upper": leaning}
    found = np.array(moved(session, (0.0, 0.0, 12.0)))
    along = 12 * np.cos(np.radians(degrees)) if goes else 0.0
    assert np.linalg.norm(found) == pytest.approx(along)
    assert found[2] == pytest.approx(along * np.cos(np.radians(degrees)))


def test_without_any_other_series_all_panes_go_to_the_point():
    session = session_with(held("2.1", "1.8"))
    session.shown = {}
    assert moved(session) == (8.0, 0.0, 12.0)


def test_nothing_follows_a_film():
    session = session_with(held("2.1", "1.8"))
    session.shown = session.shown | {"main": held("1.1", "1.9", shape=(1, 10, 10))}
    assert moved(session, (4.0, 4.0, 0.0)) == HERE


def test_a_film_stays():
    assert moved(session_with(held("2.1", "1.8", shape=(1, 10, 10)))) == HERE


def test_the_planes_of_one_series_always_go_along(session):
    point_at(session, np.array((4.0, 5.0, 6.0)), "main")
    assert {view.point_lps for view in session.views.values()} == {(4.0, 5.0, 6.0)}


@pytest.mark.parametrize("first", [(12, 10, 10), (1, 10, 10)])
@pytest.mark.parametrize("second", [(12, 10, 10), (1, 10, 10)])
def test_films_are_enlarged_with_films_and_slices_with_slices(first, second):
    session = session_with(held("2.1", "1.8", shape=second))
    session.shown = session.shown | {"main": held("1.1", "1.9", shape=first)}
    expected = ("main", "upper") if first == second else ("main",)
    assert together(session, "main") == expected


@pytest.mark.parametrize(
    "how", [{"linked": False}, {"alone": ("upper",)}, {"plane": Plane.SAGITTAL}]
)
def test_panes_that_are_not_linked_or_lie_across_keep_their_size(how):
    assert together(session_with(held("2.1", "1.8"), **how), "main") == ("main",)


def test_planes_of_one_series_are_enlarged_each_for_itself():
    session = session_with(held("1.1", "1.9"))
    session.shown = {}
    assert together(session, "upper") == ("upper",)
