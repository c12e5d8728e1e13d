"""What leaves from the window: everything on screen, nothing where it may not, and it is said."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from services.stubs import CARD, StubJobs, catalogue_of, on_screen, result_about

from medview.domain.measurement import Measured, Measurement, Quantity
from medview.services.outgoing import DEIDENTIFY, EXPORT, MOVIE, Outgoing
from medview.services.session import Session

LENGTH = Measured(
    Measurement(1, "length", ((0, 0, 0), (30, 0, 0)), (1, 0, 0), (0, 1, 0)),
    (Quantity("length", 30.0, "mm"),),
    ((0, 0, 0), (30, 0, 0)),
)


@pytest.fixture
def desk(tmp_path):
    session, jobs = Session(), StubJobs()
    there = on_screen(session)
    session.series = replace(there.series, files=(tmp_path / "1.dcm", tmp_path / "2.dcm"))
    other = replace(there.series, uid="1.9", files=(tmp_path / "3.dcm", tmp_path / "2.dcm"))
    session.catalogue = catalogue_of(session.series, other)
    session.predictions = {there.id: (result_about(there.id, there.volume),)}
    cards = SimpleNamespace(card_of=lambda each: CARD if each.model == CARD.id else None)
    marks = SimpleNamespace(figures=(LENGTH,), key_slices=(3, 5))
    outgoing = Outgoing(jobs, session, cards, marks)
    left = []
    outgoing.left.connect(lambda deed, detail: left.append((deed, detail)))
    return SimpleNamespace(
        outgoing=outgoing, session=session, jobs=jobs, left=left, to=tmp_path, marks=marks
    )


def test_results_measurements_and_marks_of_the_series_leave_together(desk):
    desk.outgoing.export(desk.to / "out")
    job = desk.jobs.last
    parts, folder = job.args
    assert (job.lane, job.work, folder) == ("files", EXPORT, desk.to / "out")
    assert parts.series is desk.session.series
    assert [(made.model, card.id) for made, card in parts.results] == [("anomaly", "anomaly")]
    assert (parts.drawn, parts.key_slices) == ((LENGTH,), (3, 5))
    assert desk.left == []
    job.finish([{}, {}, {}])
    assert desk.session.message.text.startswith("3 DICOM objects written to out.")
    (deed, detail) = desk.left[0]
    assert (deed, detail["kind"], detail["objects"]) == ("exported", "dicom", 3)
    assert str(desk.to) not in str(detail)


def test_the_report_that_was_written_of_the_study_leaves_with_it_and_no_other(desk):
    study, report = desk.session.series.study_uid, desk.to / "report.pdf"

    def leaving():
        desk.outgoing.export(desk.to / "out")
        parts = desk.jobs.last.args[0]
        return parts.report, parts.written_at

    desk.outgoing.take_report("9.9", report, 1)
    assert leaving() == (None, 0)
    desk.outgoing.take_report(study, report, 2)
    assert leaving() == (report, 2)
    desk.outgoing.deidentify(desk.to / "out")
    assert desk.jobs.last.args[-1][0].report is None
    desk.outgoing.take_report("9.9", report, 3)
    assert leaving() == (None, 0)


def test_results_kept_back_from_a_first_reader_stay_back(desk):
    desk.session.first_reader = True
    desk.outgoing.export(desk.to / "out")
    assert desk.jobs.last.args[0].results == ()


def not_dicom(session):
    session.series = replace(session.series, format="nifti")


def nothing_open(session):
    session.series = None


def private(session):
    session.private = True


@pytest.mark.parametrize(
    ("change", "words"),
    [(not_dicom, "DICOM series"), (nothing_open, "DICOM series"), (private, "Private")],
)
def test_what_may_not_leave_is_refused_in_words(desk, change, words):
    change(desk.session)
    assert words in desk.outgoing.refusal
    assert desk.outgoing.export(desk.to / "out") is None
    assert words in desk.session.message.text
    assert desk.jobs.asked == []


def test_every_file_of_the_study_is_copied_once(desk):
    desk.session.private = True
    desk.outgoing.deidentify(desk.to / "out", with_burned_in=True)
    files, folder, with_burned_in, (parts,) = desk.jobs.last.args
    assert desk.jobs.last.work == DEIDENTIFY
    assert [file.name for file in files] == ["1.dcm", "2.dcm", "3.dcm"]
    assert (folder.name, with_burned_in) == ("out", True)
    assert [made.model for made, _ in parts.results] == ["anomaly"]
    assert (parts.drawn, parts.key_slices) == ((LENGTH,), (3, 5))


def test_only_the_study_is_copied_where_nothing_was_found_or_marked(desk):
    desk.session.first_reader = True
    desk.marks.figures = desk.marks.key_slices = ()
    desk.outgoing.deidentify(desk.to / "out")
    assert desk.jobs.last.args[-1] == ()


def test_what_was_held_back_is_said_with_the_reason(desk):
    desk.outgoing.deidentify(desk.to / "out")
    held = [{"number": n, "code": "MV-DEI-004", "what": "names may be burned in"} for n in (1, 2)]
    warnings = [{"code": "FACE", "text": "1 series shows a head"}]
    body = {"files": 7, "patients": 1, "results": 3, "withheld": held, "warnings": warnings}
    desk.jobs.last.finish(body)
    message = desk.session.message
    assert message.kind == "warning"
    assert message.text == (
        "7 files copied without identity to out. "
        "About the copies: 3 DICOM objects of results. 2 held back: names may be burned in. "
        "1 series shows a head."
    )
    assert desk.left == [("deidentified", {"files": 7, "patients": 1, "results": 3})]


def test_without_a_dicom_study_nothing_is_copied(desk):
    nothing_open(desk.session)
    assert desk.outgoing.deidentify(desk.to / "out") is None
    assert "DICOM series" in desk.session.message.text


def test_a_movie_is_of_the_active_pane_and_noted(desk):
    path = desk.to / "m.gif"
    desk.outgoing.movie(path, 15.0)
    (reel, where) = desk.jobs.last.args
    assert (desk.jobs.last.work, where) == (MOVIE, path)
    assert reel.volume is desk.session.volume
    assert reel.view == desk.session.views[desk.session.active_pane]
    assert reel.per_second == 15.0
    desk.jobs.last.finish(36)
    assert desk.session.message.text == "Movie of 36 pictures written: m.gif"
    assert desk.left == [("exported", {"kind": "movie", "pictures": 36})]


def test_without_a_stack_there_is_no_movie(desk):
    before = len(desk.jobs.asked)
    desk.session.views = {}
    assert desk.outgoing.reel is None
    assert desk.outgoing.movie(desk.to / "m.gif", 10.0) is None
    assert "several slices" in desk.session.message.text
    assert len(desk.jobs.asked) == before
