from datetime import datetime
from pathlib import Path

import pytest
from services.stubs import catalogue_of, on_screen, result_about, series_of

from medview.domain.errors import WriteError
from medview.domain.exam import Exam
from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.domain.prediction import InputRef
from medview.services.analysis import Analysis
from medview.services.model_library import ModelLibrary
from medview.services.reading import Reading
from medview.services.report_order import Written
from medview.services.session import Session
from medview.services.session_values import TableFile, Unfinished, VolumeId


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def reading(session, jobs, preferences, tmp_path):
    models = ModelLibrary(jobs, session, shipped=tmp_path / "weights")
    analysis = Analysis(jobs, session, preferences, models=models)
    return Reading(jobs, session, preferences, analysis)


def opened(session, uid="1.1"):
    series = series_of(uid)
    session.catalogue = catalogue_of(series)
    return on_screen(session, uid=uid)


def test_words_are_kept_for_each_study(reading, session):
    opened(session)
    reading.write(findings="a cyst", impression="benign")
    assert reading.words.findings == "a cyst"
    session.series = None
    assert reading.words.findings == ""
    opened(session)
    assert reading.words.impression == "benign"


def test_a_verdict_is_kept_and_can_be_taken_back(reading, session):
    opened(session)
    reading.judge(1, "agree")
    reading.judge(2, "rejected")
    assert reading.words.verdicts == {1: "agree", 2: "rejected"}
    reading.judge(1, "")
    assert reading.words.verdicts == {2: "rejected"}


def test_changes_are_told_and_equal_words_are_none(reading, session):
    told = []
    opened(session)
    reading.changed.connect(lambda: told.append(1))
    reading.write(findings="x")
    reading.write(findings="x")
    assert told == [1]


def test_with_nothing_open_there_is_no_report_but_a_message(reading, session, jobs, tmp_path):
    assert reading.export(tmp_path / "r.pdf") is None
    assert "Open a study" in session.message.text
    assert jobs.asked == []


def test_the_report_is_made_of_what_is_on_screen(reading, session, jobs, preferences, tmp_path):
    shown = opened(session)
    result = result_about(shown.id, shown.volume)
    session.predictions = {shown.id: (result,)}
    reading.write(findings="a cyst")
    preferences.change(paper="letter")
    reading.export(tmp_path / "r.pdf")
    number, material, order, path = jobs.last.args
    (held,) = jobs.running("hold")
    assert held.args[0] == number
    assert held.args[1].volume is shown.volume
    assert held.args[1].predictions == (result,)
    # Pixels and maps cross once, not with every word.
    assert material.volume is None
    assert [each.prediction.maps for each in material.outcomes] == [()]
    assert material.exam.name == "A^B"
    assert material.reader.findings == "a cyst"
    assert (path, order.paper, order.report_id) == (tmp_path / "r.pdf", "letter", "")


def test_a_running_model_is_said_to_be_pending(reading, session):
    shown = opened(session)
    session.unfinished = Unfinished(shown.id, "anomaly")
    assert reading.material.pending


def test_private_reports_are_asked_for_as_private(reading, session):
    opened(session)
    session.private = True
    assert reading.material.private


def test_where_it_was_written_is_told(reading, session, jobs, tmp_path):
    told = []
    reading.exported.connect(lambda *what: told.append(what))
    opened(session)
    reading.export(tmp_path / "r.pdf")
    jobs.last.finish(Written(2, "7c1e-0110", "ab" * 32, "DRAFT"))
    assert told == [(tmp_path / "r.pdf", 2)]


def signed(reading, session):
    opened(session)
    reading.write(findings="a cyst", impression="benign")
    assert reading.sign(" Dr A ", "radiologist")


@pytest.mark.parametrize(
    ("name", "impression", "words"),
    [("", "benign", "Write your name"), ("Dr A", " ", "Write an impression")],
)
def test_what_cannot_be_signed_says_why(reading, session, name, impression, words):
    assert not reading.sign("Dr A")
    assert "Open a study first" in session.message.text
    opened(session)
    reading.write(impression=impression)
    assert not reading.sign(name)
    assert words in session.message.text
    assert reading.status == "DRAFT"


def test_signed_it_is_final_and_keeps_its_id_until_it_is_edited(reading, session, jobs, tmp_path):
    signed(reading, session)
    assert reading.status == "FINAL"
    (signature,) = reading.draft.signatures
    assert (signature.by, signature.role) == ("Dr A", "radiologist")
    assert datetime.fromisoformat(signature.at).tzinfo is not None
    reading.export(tmp_path / "r.pdf")
    assert jobs.last.args[2].report_id == signature.report_id
    jobs.last.finish(Written(2, signature.report_id, "ab" * 32, "FINAL"))
    assert reading.draft.signatures[0].content_sha256 == "ab" * 32
    assert not reading.sign("Dr A")
    assert "Nothing was changed" in session.message.text
    reading.write(impression="malignant")
    assert reading.status == "DRAFT AMENDMENT"
    reading.export(tmp_path / "r.pdf")
    assert jobs.last.args[2].report_id == ""
    assert reading.sign("Dr B")
    assert (reading.status, len(reading.draft.signatures)) == ("AMENDED", 2)


def test_a_signature_is_about_the_pixels_it_was_given_for(reading, session):
    signed(reading, session)
    opened(session, uid="9.9")
    assert reading.words.findings == "a cyst"  # the same study
    assert reading.status == "DRAFT"


def test_a_preview_is_named_so_and_asks_for_the_chosen_template(reading, session, jobs):
    assert not reading.preview(600, print, print)
    opened(session)
    reading.write(template="images")
    assert reading.preview(600, print, print)
    _, material, order, width = jobs.last.args
    assert (order.template, order.report_id, width) == ("images", "preview", 600)
    assert material.volume is None


def test_marked_images_go_into_the_report(reading, session):
    shown = opened(session)
    session.key_images = {shown.series.key: (KeyImage(Plane.AXIAL, 3),)}
    (marked,) = reading.material.marked
    assert marked.volume is shown.volume
    assert marked.exam.series_description == "T1 1.1"


def test_a_folder_that_cannot_be_written_is_a_message(reading, session, jobs, tmp_path):
    opened(session)
    reading.export(tmp_path / "r.pdf")
    jobs.last.fail(WriteError("the folder may not be written", do="Choose another one."))
    assert session.message.kind == "error"
    assert "r.pdf" in session.message.text


def test_tables_alone_make_a_report_and_keep_their_own_words(reading, session):
    given = InputRef("series", "", "2.25.7", 0, "ab" * 32, (11, 48, 1))
    session.tables = {"series": TableFile("series", Path("stay.csv"), given)}
    session.volume_id = VolumeId("2.25.7#0", given.sha256)
    reading.write(impression="stable")
    material = reading.material
    assert (material.volume, material.exam, material.marked) == (None, Exam(), ())
    assert material.reader.impression == "stable"
    opened(session)
    assert reading.words.impression == ""
