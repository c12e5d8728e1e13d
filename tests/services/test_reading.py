import pytest
from services.stubs import StubJobs, catalogue_of, on_screen, result_about, series_of

from medview.domain.errors import WriteError
from medview.services.analysis import Analysis
from medview.services.reading import Reading
from medview.services.session import Session, Unfinished
from medview.services.settings import Preferences


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def jobs():
    return StubJobs()


@pytest.fixture
def preferences(tmp_path):
    return Preferences(tmp_path / "settings.json")


@pytest.fixture
def reading(session, jobs, preferences, tmp_path):
    analysis = Analysis(jobs, session, preferences, weights=tmp_path / "weights")
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
    reading.signer = "Dr Doe"
    preferences.change(paper="letter")
    reading.export(tmp_path / "r.pdf")
    material, path, paper = jobs.last.args
    assert material.volume is shown.volume
    assert [each.prediction for each in material.outcomes] == [result]
    assert material.exam.name == "A^B"
    assert material.reader.findings == "a cyst"
    assert material.signer == "Dr Doe"
    assert (path, paper) == (tmp_path / "r.pdf", "letter")


def test_a_running_model_is_said_to_be_pending(reading, session, jobs, tmp_path):
    shown = opened(session)
    session.unfinished = Unfinished(shown.id, "anomaly")
    reading.export(tmp_path / "r.pdf")
    assert jobs.last.args[0].pending


def test_private_reports_are_asked_for_as_private(reading, session, jobs, tmp_path):
    opened(session)
    session.private = True
    reading.export(tmp_path / "r.pdf")
    assert jobs.last.args[0].private


def test_where_it_was_written_is_told(reading, session, jobs, tmp_path):
    told = []
    reading.exported.connect(lambda *what: told.append(what))
    opened(session)
    reading.export(tmp_path / "r.pdf")
    jobs.last.finish(2)
    assert told == [(tmp_path / "r.pdf", 2)]


def test_a_folder_that_cannot_be_written_is_a_message(reading, session, jobs, tmp_path):
    opened(session)
    reading.export(tmp_path / "r.pdf")
    jobs.last.fail(WriteError("the folder may not be written", do="Choose another one."))
    assert session.message.kind == "error"
    assert "r.pdf" in session.message.text
