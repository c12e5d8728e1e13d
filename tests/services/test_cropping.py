"""The crop box of the 3-D view: off at first, a box for every series, and steps back."""

import pytest
from phantoms import geometry_of, phantom_on
from services.stubs import on_screen

from medview.domain.crop import CropBox
from medview.services.measuring import Measuring
from medview.services.session import Session
from medview.services.viewing import Viewing

GRID = geometry_of("LPS", (20, 24, 22), (2.0, 2.0, 2.0))
LEFT, HEAD = 1, 5


@pytest.fixture
def session():
    made = Session()
    on_screen(made, volume=phantom_on(GRID))
    return made


@pytest.fixture
def measuring(session):
    return Measuring(session, Viewing(session))


@pytest.fixture
def crop(measuring):
    return measuring._viewing.crop


def test_it_is_off_at_first_and_around_all_of_the_volume_when_it_is_on(crop, session):
    assert crop.box is None
    crop.toggle()
    assert crop.box == CropBox.around(GRID)
    assert not crop.is_changed
    crop.toggle()
    assert crop.box is None


def test_off_it_does_nothing_and_keeps_its_faces(crop, session):
    crop.move(LEFT, -5.0)
    assert session.crops == {}
    crop.toggle()
    crop.move(LEFT, -5.0)
    crop.toggle()
    crop.toggle()
    assert crop.box.high[0] == CropBox.around(GRID).high[0] - 5.0


def test_a_drag_is_one_step_back_and_a_reset_another(crop, measuring):
    crop.toggle()
    drag, whole = object(), crop.box
    for _ in range(3):
        crop.move(LEFT, -2.0, drag)
    cut = crop.box
    crop.move(HEAD, -4.0, object())
    crop.reset()
    assert crop.box == whole
    measuring.undo()
    assert crop.box.high[2] == whole.high[2] - 4.0
    measuring.undo()
    assert crop.box == cut
    measuring.undo()
    assert crop.box == whole
    measuring.redo()
    assert crop.box == cut
    assert cut.high[0] == whole.high[0] - 6.0


def test_a_face_that_cannot_go_further_is_no_step(crop, measuring):
    crop.toggle()
    crop.move(LEFT, -5.0)
    crop.move(LEFT, -500.0)
    crop.move(LEFT, -500.0)
    crop.reset()
    crop.reset()
    steps = 0
    while measuring.can_undo:
        measuring.undo()
        steps += 1
    assert steps == 3


def test_every_series_has_its_own_box(crop, session):
    crop.toggle()
    crop.move(LEFT, -5.0)
    first = session.series.key
    on_screen(session, uid="7.7", volume=phantom_on(GRID))
    assert session.series.key != first
    assert crop.box == CropBox.around(GRID)
    assert set(session.crops) == {first}


def test_without_a_volume_there_is_none(crop, session):
    crop.toggle()
    session.volume = session.series = None
    crop.move(LEFT, -5.0)
    crop.reset()
    assert crop.box is None
    assert crop.whole is None
