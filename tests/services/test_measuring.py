"""Drawings and key images of a series: made, chosen, taken away, undone, found again."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of, phantom_on
from services.stubs import on_screen, series_of

from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.domain.measurement import Measurement
from medview.imaging.oblique import STRAIGHT, turned
from medview.imaging.reslice import cut_of
from medview.services.layouts import MPR
from medview.services.measuring import Measuring
from medview.services.session import Session
from medview.services.settings import Preferences
from medview.services.viewing import Viewing

GRID = geometry_of("LPS", (20, 22, 24), (3.0, 2.0, 1.0))
ACROSS, DOWN = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
START, END = (0.0, 0.0, 1.5), (6.0, 8.0, 1.5)


@pytest.fixture
def session():
    made = Session()
    on_screen(made, volume=phantom_on(GRID, modality="CT", quantity="HU"))
    made.layout = MPR
    return made


@pytest.fixture
def measuring(session, tmp_path):
    return Measuring(session, Viewing(session, Preferences(tmp_path / "settings.json")))


def draw(measuring, kind="length", points=(START, END), text=""):
    measuring.begin("main", kind, points[0])
    for point in points[1:]:
        measuring.add_point(point)
    return measuring.finish(text)


def numbers(measuring):
    return [each.id for each in measuring.here]


def test_a_drawing_lies_on_the_plane_of_its_pane(session, measuring):
    assert draw(measuring)
    (made,) = measuring.here
    assert (made.id, made.kind, made.points, made.time) == (1, "length", (START, END), 0)
    matrix = cut_of(GRID, session.views["main"]).pixel_to_lps
    for axis, column in ((made.right, 0), (made.down, 1)):
        assert axis == pytest.approx(matrix[:3, column] / np.linalg.norm(matrix[:3, column]))
    assert (session.draft, session.chosen_drawing) == (None, 1)
    assert measuring.words(1) == ("10.0 mm",)
    (told,) = measuring.figures
    assert (told.drawing, told.figures[0].value) == (made, pytest.approx(10.0))


def test_without_an_image_nothing_is_drawn(session, measuring):
    measuring.begin("no such pane", "length", START)
    assert session.draft is None
    measuring.drag(END)
    measuring.add_point(END)
    assert session.draft is None
    assert not measuring.finish()
    session.volume = None
    assert (measuring.words(1), measuring.figures, measuring.key_slices) == ((), (), ())


def test_while_it_is_dragged_only_the_newest_point_moves(session, measuring):
    measuring.begin("main", "angle", START)
    for at in ((1.0, 0.0, 1.5), END):
        measuring.drag(at)
        assert session.draft.points == (START, at)
    measuring.add_point((9.0, 0.0, 1.5))
    measuring.drag((9.0, 9.0, 1.5))
    assert session.draft.points == (START, END, (9.0, 9.0, 1.5))


def test_a_draft_that_is_not_complete_stays_and_a_mere_click_is_nothing(session, measuring):
    measuring.begin("main", "angle", START)
    measuring.add_point(END)
    assert not measuring.finish()
    assert session.draft is not None
    assert measuring.give_up()
    assert not measuring.give_up()
    assert not draw(measuring, points=(START, START))
    assert (session.draft, measuring.here, measuring.can_undo) == (None, (), False)
    assert draw(measuring, "text", (START,), "cyst?")
    assert measuring.words(1) == ("cyst?",)


def test_drawings_are_numbered_on_and_the_chosen_one_is_taken_away(session, measuring):
    for _ in range(3):
        draw(measuring)
    measuring.remove(2)
    assert (numbers(measuring), session.chosen_drawing) == ([1, 3], 0)
    measuring.remove(7)
    draw(measuring)
    assert (numbers(measuring), session.chosen_drawing) == ([1, 3, 4], 4)
    measuring.remove()
    assert numbers(measuring) == [1, 3]
    measuring.remove_all()
    assert (numbers(measuring), session.chosen_drawing) == ([], 0)


def test_each_edit_is_taken_back_and_made_again_one_by_one(session, measuring):
    draw(measuring)
    draw(measuring)
    measuring.toggle_key("main")
    measuring.remove_all()
    assert not measuring.can_redo
    measuring.remove_all()  # nothing is there: no step
    measuring.undo()
    assert (numbers(measuring), measuring.is_key("main")) == ([1, 2], True)
    measuring.undo()
    assert (numbers(measuring), measuring.is_key("main")) == ([1, 2], False)
    measuring.undo()
    measuring.undo()
    assert (numbers(measuring), measuring.can_undo, measuring.can_redo) == ([], False, True)
    for _ in range(3):
        measuring.redo()
    assert (numbers(measuring), measuring.is_key("main")) == ([1, 2], True)


def test_drawings_belong_to_their_series_and_time(session, measuring):
    draw(measuring)
    session.time = 1
    assert numbers(measuring) == []
    draw(measuring)
    assert [(each.id, each.time) for each in measuring.here] == [(2, 1)]
    session.time = 0
    assert numbers(measuring) == [1]
    session.series = series_of("9.9")
    assert numbers(measuring) == []
    draw(measuring)
    assert {key: len(each) for key, each in session.drawings.items()} == {"1.1#0": 2, "9.9#0": 1}


def test_another_series_leaves_the_draft(session, measuring):
    measuring.begin("main", "length", START)
    session.series = series_of("9.9")
    assert session.draft is None


def test_the_way_to_a_drawing_leads_to_its_middle(session, measuring):
    draw(measuring)
    draw(measuring)
    measuring.jump(1)
    assert session.chosen_drawing == 1
    assert {view.point_lps for view in session.views.values()} == {(3.0, 4.0, 1.5)}
    measuring.jump(9)
    assert session.chosen_drawing == 1
    assert measuring.words(9) == ()


def kept(number):
    return Measurement(number, "length", (START, END), ACROSS, DOWN)


def mark(index, plane=Plane.AXIAL, **fields):
    return KeyImage(plane, index, **fields)


def test_what_was_kept_comes_in_behind_what_is_newer_and_is_no_step(session, measuring):
    draw(measuring)
    measuring.adopt({"1.1#0": (kept(5),), "2.2#0": (kept(1),)}, {"2.2#0": (mark(3),)})
    assert numbers(measuring) == [1]  # newer than what was kept
    assert session.drawings["2.2#0"] == (kept(1),)
    assert session.key_images == {"2.2#0": (mark(3),)}
    measuring.undo()
    # Before the own drawing there is what was kept: no step leads to before that.
    assert (numbers(measuring), "2.2#0" in session.drawings) == ([5], True)


def test_of_marked_series_both_stay_with_numbers_of_their_own(session, measuring):
    draw(measuring, points=(END, START))
    draw(measuring, points=(END, START))
    measuring.set_key(mark(4), on=True)
    found = {"1.1#0": (mark(4), mark(2))}
    measuring.adopt({"1.1#0": (kept(1), kept(5))}, found, marked=["1.1#0"])
    assert numbers(measuring) == [1, 5, 6, 7]
    measuring.adopt({"1.1#0": measuring.here}, {}, marked=["1.1#0"])
    assert numbers(measuring) == [1, 5, 6, 7]  # what is there already is not there twice
    assert session.key_images["1.1#0"] == (mark(4), mark(2))


def test_a_mark_is_that_of_the_slice_wherever_the_crosshair_is(session, measuring):
    here = measuring.key_image("main")
    cut = cut_of(GRID, session.views["main"])
    assert (here.plane, here.slice, here.tilt) == (session.views["main"].plane, cut.index, ())
    assert here.point_lps == session.views["main"].point_lps
    measuring.toggle_key("main")
    x, y, z = session.views["main"].point_lps
    session.views = {
        **session.views,
        "main": replace(session.views["main"], point_lps=(x + 5, y, z)),
    }
    assert measuring.is_key("main")
    measuring.set_key(here, on=True)  # it is there already: no step
    measuring.toggle_key("main")
    assert (measuring.is_key("main"), measuring.key_images) == (False, ())
    measuring.undo()
    measuring.undo()
    assert not measuring.can_undo
    measuring.toggle_key("no such pane")
    assert measuring.key_image("no such pane") is None


def test_marks_are_told_in_order_and_stored_slices_by_their_number(measuring):
    for image in (
        mark(7),
        mark(2),
        mark(3, Plane.CORONAL),
        mark(1, time=1),
        mark(5, tilt=(1.0,) * 9),
    ):
        measuring.set_key(image, on=True)
    assert [(each.time, each.plane, each.slice) for each in measuring.key_images] == [
        (0, Plane.AXIAL, 2),
        (0, Plane.AXIAL, 5),
        (0, Plane.AXIAL, 7),
        (0, Plane.CORONAL, 3),
        (1, Plane.AXIAL, 1),
    ]
    assert measuring.key_slices == (2, 7)  # neither cut across, nor of another time, nor turned
    measuring.set_key(mark(7), on=False)
    assert measuring.key_slices == (2,)


def test_the_way_to_a_mark_leads_to_its_place_in_a_pane_of_its_plane(session, measuring):
    tilt = turned(STRAIGHT, (1.0, 0.0, 0.0), 20.0)
    measuring.jump_to_key(mark(3, Plane.CORONAL, point_lps=(1.0, -9.0, 2.0), tilt=tilt))
    assert session.active_pane == "upper"
    assert {view.tilt for view in session.views.values()} == {tilt}
    assert session.views["upper"].plane is Plane.CORONAL
    assert session.views["upper"].point_lps == (1.0, -9.0, 2.0)
    assert session.views["main"].plane is Plane.AXIAL


def test_where_no_pane_cuts_so_the_active_one_is_turned_for_a_mark(session, measuring):
    straight = {pane: replace(view, plane=Plane.AXIAL) for pane, view in session.views.items()}
    session.views, session.active_pane = straight, "upper"
    measuring.jump_to_key(mark(3, Plane.CORONAL, point_lps=(1.0, -9.0, 2.0)))
    planes = {pane: view.plane for pane, view in session.views.items()}
    assert planes == {"main": Plane.AXIAL, "upper": Plane.CORONAL, "lower": Plane.AXIAL}
    assert session.active_pane == "upper"


@pytest.mark.parametrize(("maximised", "after"), [(None, None), ("lower", "upper")])
def test_a_pane_that_fills_the_window_makes_room_for_the_one_of_a_mark(
    session, measuring, maximised, after
):
    session.maximised = maximised
    measuring.jump_to_key(mark(3, Plane.CORONAL))
    assert session.maximised == after
