"""Words that can be put into a report: what was measured, marked, found and answered."""

from dataclasses import replace

import pytest
from services.stubs import catalogue_of, on_screen, result_about, series_of

from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.domain.measurement import Measurement
from medview.domain.prediction import Finding, Opinion, Score
from medview.services.report_inserts import insertions
from medview.services.session import Session

AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


@pytest.fixture
def session():
    made = Session()
    made.catalogue = catalogue_of(series_of("1.1"), series_of("2.2"))
    return made


@pytest.fixture
def shown(session):
    """What is on screen."""
    return on_screen(session, uid="1.1")


@pytest.fixture
def result(session, shown):
    """A result on screen with a finding, a score, and one that has no value."""
    middle = tuple(float(mm) for mm in shown.volume.geometry.to_mm((8, 10, 12)))
    finding = Finding(1, "score", middle, 8, 3.2, 14.1)
    made = result_about(shown.id, shown.volume, findings=(finding,))
    scores = (Score("brain_age", 67.2, 61.0, 73.4, unit="years"), Score("gap", None))
    made = replace(made, scores=scores)
    session.predictions = {shown.id: (made,)}
    return made


def test_of_nothing_there_is_nothing_to_insert(session):
    for kind in ("measurement", "key image", "result"):
        assert insertions(session, kind) == ()


def test_a_measurement_says_its_value_and_place(session, shown):
    begin = tuple(float(mm) for mm in shown.volume.geometry.to_mm((8, 10, 12)))
    end = (begin[0] + 5.0, begin[1], begin[2])
    session.drawings = {"1.1#0": (Measurement(1, "length", (begin, end), *AXES),)}
    (length,) = insertions(session, "measurement")
    assert length.label == "Length 5.0 mm"
    assert length.text.startswith("length 5.0 mm (")
    # Of a series that is not on screen the pixels are not there.
    session.drawings = {"2.2#0": session.drawings["1.1#0"]}
    (unknown,) = insertions(session, "measurement")
    assert unknown.text.startswith("length not available (")


def test_key_images_are_numbered_as_in_the_report(session, shown):
    session.key_images = {
        "1.1#0": (KeyImage(Plane.AXIAL, 8, 0),),
        "2.2#0": (KeyImage(Plane.CORONAL, 3, 0),),
    }
    first, second = insertions(session, "key image")
    assert (first.label, first.text) == ("Key image 1: axial 9, T1 1.1", "(key image 1, axial 9)")
    assert second.text == "(key image 2, coronal 4)"


def test_findings_and_scores_come_with_what_the_reader_answered(session, shown, result):
    finding, score = insertions(session, "result")  # a score without a value says nothing
    assert finding.text.endswith("3.2 ml, peak 14.1; reader: not answered.")
    assert finding.label.endswith("peak 14.1 – not answered")
    assert score.text.startswith("brain age 67.2 y (95 % interval 61.0 – 73.4), ")
    said = (Opinion("finding 1", "rejected"), Opinion("score brain_age", "agree"))
    session.opinions = {(shown.id, result.key): said}
    told = [each.text.rpartition("; ")[2] for each in insertions(session, "result")]
    assert told == ["reader: rejected.", "reader: agree."]


def test_an_answer_to_one_version_of_a_model_is_none_to_another(session, shown, result):
    own = replace(result, version="ward-2")
    session.predictions = {shown.id: (result, own)}
    session.opinions = {(shown.id, own.key): (Opinion("finding 1", "rejected"),)}
    findings = [each.text for each in insertions(session, "result") if "Finding" in each.text]
    assert [text.rpartition("; ")[2] for text in findings] == [
        "reader: not answered.",
        "reader: rejected.",
    ]
