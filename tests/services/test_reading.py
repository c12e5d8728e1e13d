from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from services.stubs import catalogue_of, finding_at, on_screen, result_about, series_of

from medview.domain.errors import WriteError
from medview.domain.exam import Exam
from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.domain.prediction import InputRef
from medview.domain.record import Record
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
    assert reading.sign(" Dr A ", " radiologist ")


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
    assert session.message.kind == "warning"
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
    opened(session)
    assert reading.status == "FINAL"
    on_screen(session, sha256="def")  # the same series, with other pixels
    assert reading.status == "DRAFT"


def test_what_is_written_first_under_a_signature_is_noted_with_it_and_told(
    reading, session, jobs, tmp_path
):
    told = []
    reading.signed.connect(lambda report_id: told.append(("signed", report_id)))
    reading.wrote.connect(lambda *what: told.append(("wrote", *what)))
    reading.filed.connect(lambda *what: told.append(("filed", *what)))
    signed(reading, session)
    reading.write(impression="malignant")
    reading.sign("Dr B")
    first, last = (each.report_id for each in reading.draft.signatures)
    assert told == [("signed", first), ("signed", last)]
    for content in ("ab" * 32, "cd" * 32):
        reading.export(tmp_path / "r.pdf")
        assert jobs.last.args[2].report_id == last
        jobs.last.finish(Written(2, last, content, "AMENDED", 7))
    assert [each.content_sha256 for each in reading.draft.signatures] == ["", "ab" * 32]
    assert told[2:4] == [
        ("filed", reading._study, tmp_path / "r.pdf", 7),
        ("wrote", last, "ab" * 32),
    ]


@pytest.mark.parametrize(
    ("way", "args", "what"), [("copy", (), "report words"), ("printed", (600,), "report pages")]
)
def test_what_leaves_has_an_id_and_is_told_once_it_is_made(reading, session, jobs, way, args, what):
    left, made = [], []
    reading.left.connect(left.append)
    leave = getattr(reading, way)
    assert not leave(*args, made.append, made.append)
    opened(session)
    ids = []
    for _ in range(2):
        assert leave(*args, made.append, made.append)
        ids.append(jobs.last.args[2].report_id)
        assert left == made
        jobs.last.finish("the answer")
        assert (left.pop(), made.pop()) == (what, "the answer")
    assert all(ids)
    assert ids[0] != ids[1]
    signed(reading, session)
    leave(*args, made.append, made.append)
    assert jobs.last.args[2].report_id == reading.draft.signatures[0].report_id
    reading.preview(600, print, print)
    assert jobs.running("preview")[-1].args[2].report_id == reading.draft.signatures[0].report_id


def test_answers_are_of_a_result_and_name_who_gave_them(reading, session, preferences):
    shown = opened(session)
    finding = finding_at(1, (0.0, 0.0, 0.0), 3)
    result = result_about(shown.id, shown.volume, findings=(finding,))
    session.predictions = {shown.id: (result,)}
    preferences.change(reader="Dr S")
    reading.judge(1, "agree")
    reading.signer = "Dr A"
    reading.answer(result.key, "score anomaly", "rejected")
    (outcome,) = reading.material.outcomes
    said = [(each.about, each.verdict, each.by) for each in outcome.opinions]
    assert said == [("finding 1", "agree", "Dr S"), ("score anomaly", "rejected", "Dr A")]
    assert reading.words.verdicts == {1: "agree"}


def test_the_card_of_the_weights_that_were_run_goes_into_the_report(reading, session, monkeypatch):
    shown = opened(session)
    session.predictions = {shown.id: (result_about(shown.id, shown.volume),)}
    monkeypatch.setattr(reading._analysis, "card_of", lambda made: f"card of {made.key}")
    (outcome,) = reading.material.outcomes
    assert outcome.card == f"card of {outcome.prediction.key}"


def test_series_without_a_study_have_words_of_their_own(reading, session):
    one, other = (replace(series_of(uid), study_uid="") for uid in ("1.1", "1.2"))
    session.catalogue = catalogue_of(one, other)
    session.series = one
    reading.write(findings="a cyst")
    session.series = other
    assert reading.words.findings == ""
    session.series = one
    assert reading.words.findings == "a cyst"


def test_words_that_are_forgotten_are_gone_and_it_is_told(reading, session):
    told = []
    opened(session)
    reading.write(findings="a cyst")
    reading.changed.connect(lambda: told.append(reading.words.findings))
    reading.forget()
    assert told == [""]
    session.series = None
    told.clear()
    reading.forget()  # nothing is open
    assert told == []


def test_whatever_the_report_is_made_of_tells_of_a_change(reading, session):
    told = []
    reading.changed.connect(lambda: told.append(1))
    shown = on_screen(session)
    told.clear()
    changes = {
        "series": series_of("7.7"), "opinions": {(shown.id, "x"): ()}, "volume_id": None,
        "predictions": {shown.id: ()}, "key_images": {"x": ()}, "drawings": {"x": ()},
    }  # fmt: skip
    for name, value in changes.items():
        setattr(session, name, value)
        assert told.pop() == 1, name
        assert told == []


def test_without_pixels_or_their_hash_there_is_nothing_to_report(reading, session):
    shown = opened(session)
    session.volume = None
    assert reading.material is None
    session.series, session.volume = None, None
    assert reading.material is None  # the hash of what was on screen alone is nothing
    session.tables = {"film": TableFile("film", Path("f.csv"), InputRef("film", "", "", 0, "", ()))}
    assert reading.material.record is None
    session.volume_id = None
    assert reading.material is None
    assert shown.id is not None


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
    record = Record((), 3.0)
    session.tables = {"series": TableFile("series", Path("stay.csv"), given, record)}
    session.volume_id = VolumeId("2.25.7#0", given.sha256)
    reading.write(impression="stable")
    material = reading.material
    assert (material.volume, material.exam, material.marked) == (None, Exam(), ())
    assert material.record is record
    assert material.reader.impression == "stable"
    opened(session)
    assert reading.words.impression == ""
