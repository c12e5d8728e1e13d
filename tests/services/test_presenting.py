"""Which presentation state a pane shows: the newest first, then what the reader chooses."""

from dataclasses import replace

import pytest
from dicom_files import image, marked_slice, only, save, stack
from services.stubs import on_screen
from states import annotation, graphic, item, state_of

from medview.domain.geometry import Plane
from medview.domain.volume import Window
from medview.imaging.frame import compose_frame
from medview.services import presenting
from medview.services.layouts import MAIN_PANE
from medview.services.session import Session
from medview.services.viewing import Viewing

OLD, NEW = "20260101", "20260102"


def session_with(folder, images, *states):
    session = Session()
    _, volume = only(save([*images, *states], folder))
    on_screen(session, volume=volume)
    return session


@pytest.fixture
def film(tmp_path):
    ds = image(marked_slice(0))
    turned = state_of([ds], ImageRotation=90, ImageHorizontalFlip="Y", ContentLabel="TURNED",
                      PresentationCreationDate=NEW)  # fmt: skip
    grey = state_of([ds], ContentLabel="GREY", PresentationCreationDate=OLD,
                    SoftcopyVOILUTSequence=[item(WindowCenter=40, WindowWidth=80)])  # fmt: skip
    return session_with(tmp_path, [ds], turned, grey)


def label(session, pane=MAIN_PANE):
    look = presenting.look_in(session, pane)
    return None if look is None else look.state.label


def frame(session, pane=MAIN_PANE):
    return compose_frame(session.volume, (), session.views[pane])


def test_the_newest_state_is_shown_first_and_the_next_ones_in_turn(film):
    shapes = {}
    for expected in ("TURNED", None, "GREY", "TURNED"):
        assert label(film) == expected
        shapes[expected] = frame(film).image.shape
        presenting.show_next(film, MAIN_PANE)
    assert shapes == {"TURNED": (9, 6), None: (6, 9), "GREY": (6, 9)}


def test_the_switch_goes_between_the_newest_state_and_as_stored(film):
    letters = frame(film).labels
    presenting.toggle(film, MAIN_PANE)
    assert label(film) is None
    assert frame(film).labels.right == "L"
    presenting.toggle(film, MAIN_PANE)
    assert (label(film), frame(film).labels) == ("TURNED", letters)


def test_reset_goes_back_to_what_the_state_asks_for(film):
    viewing = Viewing(film)
    before = film.views
    viewing.rotate(MAIN_PANE)
    viewing.zoom(MAIN_PANE, 3.0)
    viewing.set_window(MAIN_PANE, Window(10, 5))
    viewing.reset(MAIN_PANE)
    assert film.views == before


def test_the_window_that_is_dragged_is_the_one_of_the_state(film):
    presenting.show_by(film, MAIN_PANE, presenting.looks_in(film, MAIN_PANE)[0].state.uid)
    viewing = Viewing(film)
    assert viewing.window(MAIN_PANE).width == 80
    viewing.drag_window(MAIN_PANE, 30, 0)
    assert 80 < frame(film).window.width < 100


def test_a_state_with_drawings_shows_the_slices_as_stored_and_others_their_grey(tmp_path):
    images = stack((0.0, 1.0, 0.0, 0.0, 0.0, -1.0))
    state = state_of(images, [annotation(graphic("POINT", [(4.5, 3.5)]))],
                     PresentationLUTShape="INVERSE")  # fmt: skip
    session = session_with(tmp_path, images, state)
    assert session.views[MAIN_PANE].plane is Plane.SAGITTAL
    assert len(frame(session).tints) == 1
    for pane in ("upper", "lower"):
        assert frame(session, pane).tints == ()
        assert frame(session, pane).image.max() == 255
    session.views = {pane: replace(view, plane=Plane.AXIAL) for pane, view in session.views.items()}
    presenting.show_by(session, "upper", session.volume.looks[0].state.uid)
    assert session.views["upper"].plane is Plane.ACQUIRED


def test_without_states_nothing_happens(tmp_path):
    session = session_with(tmp_path, [image(marked_slice(0))])
    before = session.views
    presenting.toggle(session, MAIN_PANE)
    presenting.show_next(session, MAIN_PANE)
    assert session.views == before
    assert label(session) is None
