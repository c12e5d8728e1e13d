import pytest
from services.stubs import catalogue_of, on_screen, result_about, series_of

from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.domain.measurement import Measurement
from medview.domain.prediction import Finding, Opinion
from medview.services.marking import marked_of
from medview.services.report_inserts import insertions
from medview.services.session import Session

AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


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
    assert insertions(session, "measurement") == ()


def test_what_can_be_inserted_says_value_place_and_answer(session):
    shown = on_screen(session, uid="1.1")
    middle = tuple(float(mm) for mm in shown.volume.geometry.to_mm((8, 10, 12)))
    end = (middle[0] + 5.0, middle[1], middle[2])
    session.drawings = {"1.1#0": (Measurement(1, "length", (middle, end), *AXES),)}
    session.key_images = {"1.1#0": (image(8),)}
    finding = Finding(1, "score", middle, 8, 3.2, 14.1)
    result = result_about(shown.id, shown.volume, findings=(finding,))
    session.predictions = {shown.id: (result,)}
    (length,) = insertions(session, "measurement")
    assert length.text.startswith("length 5.0 mm (")
    (key,) = insertions(session, "key image")
    assert key.label == "Key image 1: axial 9, T1 1.1"
    assert key.text == "(key image 1, axial 9)"
    found = insertions(session, "result")[0]
    assert found.text.endswith("3.2 ml, peak 14.1; reader: not answered.")
    session.opinions = {(shown.id, result.model): (Opinion("finding 1", "rejected"),)}
    assert insertions(session, "result")[0].text.endswith("reader: rejected.")
