import pytest
from services.stubs import catalogue_of, on_screen, series_of

from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.services.marking import marked_of
from medview.services.session import Session


@pytest.fixture
def session():
    made = Session()
    made.catalogue = catalogue_of(series_of("1.1"), series_of("2.2"))
    return made


def image(slice_, time=0):
    return KeyImage(Plane.AXIAL, slice_, time)


def test_marks_of_every_series_are_numbered_through_those_on_screen_first(session):
    shown = on_screen(session, uid="2.2")
    session.key_images = {
        "1.1#0": (image(4),),
        "2.2#0": (image(9), image(3), image(1, time=2)),
    }
    found = marked_of(session)
    assert [(each.uid, each.time, each.number) for each in found] == [
        *(("2.2", 0, 1), ("2.2", 2, 3), ("1.1", 0, 4))
    ]
    assert [each.slice for each in found[0].images] == [3, 9]
    assert found[0].volume is shown.volume
    assert [each.series and each.series.uid for each in found] == [None, "2.2", "1.1"]


def test_with_nothing_open_nothing_is_marked(session):
    assert marked_of(session) == ()
