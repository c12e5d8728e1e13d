"""What is done at the window stands in the trail, in order, sealed, and names nobody."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from psygnal import Signal
from services.stubs import LaterWriter, StubJobs, on_screen, result_about

from medview.domain.prediction import Opinion
from medview.imaging.view import LayerStyle
from medview.io.trail import entries, verify
from medview.services.session import Session
from medview.services.session_values import VolumeId
from medview.services.witness import Witness

LONG_AGO = "2020-01-01T00:00:00+00:00"


def now():
    return datetime.now(UTC).isoformat(timespec="seconds")


class Reader:
    signed = Signal(str)
    wrote = Signal(str, str)
    left = Signal(str)


class Sender:
    left = Signal(str, dict)


@pytest.fixture
def desk(tmp_path):
    session, jobs, reader, sender = Session(), StubJobs(), Reader(), Sender()
    path = tmp_path / "audit.jsonl"
    witness = Witness(jobs, session, reader, sender, path)

    def told():
        witness.close()
        assert verify(path).holds
        return [(each["what"], each["detail"]) for each in entries(path)]

    made = {"session": session, "jobs": jobs, "reader": reader, "sender": sender}
    return SimpleNamespace(witness=witness, path=path, told=told, **made)


def test_a_volume_is_opened_once(desk):
    there = on_screen(desk.session)
    desk.session.volume_id = None
    desk.session.volume_id = there.id
    desk.session.volume_id = VolumeId("1.2#0", "other")
    assert desk.told() == [("opened", {"pixels": "abc"}), ("opened", {"pixels": "other"})]


def test_runs_of_now_are_noted_and_results_of_earlier_days_are_not(desk):
    there = on_screen(desk.session)
    old, new = (replace(result_about(there.id), made_at=at) for at in (LONG_AGO, now()))
    desk.session.predictions = {there.id: (replace(old, version="0.9"),)}
    desk.session.predictions = {there.id: (replace(old, version="0.9"), new)}
    desk.session.predictions = {there.id: (new,)}
    ran = [detail for deed, detail in desk.told() if deed == "ran"]
    assert [each["model"] for each in ran] == ["anomaly@1.0"]
    assert ran[0]["inputs"] == ["abc"]


def test_answers_of_now_are_noted_without_the_name(desk):
    there = on_screen(desk.session)
    key = (there.id, "anomaly@1.0")
    earlier = Opinion("finding 1", "agree", "Dr Grey", LONG_AGO)
    desk.session.opinions = {key: (earlier,)}
    desk.session.opinions = {key: (earlier, Opinion("finding 2", "rejected", "Dr Grey", now()))}
    (detail,) = [detail for deed, detail in desk.told() if deed == "accepted"]
    assert (detail["about"], detail["verdict"]) == ("finding 2", "rejected")
    assert "Grey" not in desk.path.read_text()


def test_a_threshold_is_noted_where_it_rested_before_the_next_deed(desk):
    on_screen(desk.session)
    for value in (6.0, 6.5, 7.0):
        desk.session.styles = {"score": LayerStyle(threshold=value)}
    desk.reader.wrote.emit("ab12-cd34", "f" * 64)
    desk.session.styles = {"score": LayerStyle(threshold=7.0, opacity=0.3)}
    desk.session.styles = {"score": LayerStyle(threshold=8.0)}
    assert [(deed, detail.get("maps")) for deed, detail in desk.told()] == [
        ("opened", None),
        ("threshold", {"score": 7.0}),
        ("exported", None),
        ("threshold", {"score": 8.0}),
    ]


def test_a_style_whose_threshold_stays_is_not_noted_again(desk):
    on_screen(desk.session)
    desk.session.styles = {"score": LayerStyle(threshold=7.0)}
    desk.reader.signed.emit("ab12-cd34")
    desk.session.styles = {"score": LayerStyle(threshold=7.0, opacity=0.3)}
    desk.reader.signed.emit("ab12-cd35")
    assert [deed for deed, _ in desk.told()] == ["opened", "threshold", "signed", "signed"]


def test_a_threshold_stands_before_the_deletion_that_follows_it(desk):
    on_screen(desk.session)
    desk.session.styles = {"score": LayerStyle(threshold=7.0)}
    desk.witness.deleting(lambda: {"kind": "study"})
    desk.session.styles = {"score": LayerStyle(threshold=8.0)}
    desk.witness.deleted({"kind": "result"})
    assert desk.told()[1:] == [
        ("threshold", {"pixels": "abc", "maps": {"score": 7.0}}),
        ("deleted", {"kind": "study"}),
        ("threshold", {"pixels": "abc", "maps": {"score": 8.0}}),
        ("deleted", {"kind": "result"}),
    ]


def test_a_result_that_does_not_say_when_it_was_made_is_of_another_day(desk):
    there = on_screen(desk.session)
    desk.session.predictions = {there.id: (replace(result_about(there.id), made_at="once"),)}
    assert [deed for deed, _ in desk.told()] == ["opened"]


def test_reports_and_what_leaves_are_noted(desk):
    desk.reader.signed.emit("ab12-cd34")
    desk.reader.wrote.emit("ab12-cd34", "f" * 64)
    desk.reader.left.emit("report words")
    desk.sender.left.emit("deidentified", {"files": 3, "patients": 1})
    told = desk.told()
    assert [deed for deed, _ in told] == ["signed", "exported", "exported", "deidentified"]
    assert told[2][1]["kind"] == "report words"


def test_a_trail_that_cannot_be_written_is_said_at_the_next_deed(desk):
    desk.path.mkdir()
    desk.reader.signed.emit("ab12-cd34")
    desk.witness.look(lambda *_: None)
    desk.reader.signed.emit("ab12-cd35")
    assert "cannot be written" in desk.session.message.text
    desk.witness.close()


def test_after_the_end_nothing_is_heard_and_nothing_breaks(desk):
    on_screen(desk.session)
    desk.witness.close()
    desk.session.volume_id = VolumeId("1.2#0", "other")
    desk.reader.signed.emit("ab12-cd34")
    assert desk.told() == [("opened", {"pixels": "abc"})]


def test_the_trail_is_read_in_a_child_after_all_is_written(desk):
    on_screen(desk.session)
    found = []
    desk.witness.look(lambda *what: found.append(what))
    assert len(entries(desk.path)) == 1
    assert desk.jobs.last.args == (desk.path,)
    desk.jobs.last.finish(([{"what": "opened"}], "verdict"))
    assert found == [([{"what": "opened"}], "verdict")]


def test_what_was_deleted_is_put_down_with_what_the_deletion_tells(desk):
    done = []
    desk.witness.deleting(lambda: {"kind": "study", "training_copies": 3}, lambda: done.append(1))
    assert desk.told() == [("deleted", {"kind": "study", "training_copies": 3})]
    assert done == [1]


def test_a_deletion_is_made_and_told_also_where_the_trail_cannot_be_written(desk):
    made = []
    desk.path.mkdir()
    desk.witness.deleting(lambda: made.append("deleted") or {}, lambda: made.append("told"))
    assert made == ["deleted", "told"]
    assert "cannot be written" in desk.session.message.text


def test_on_a_slow_disk_nobody_waits_and_the_trail_is_read_when_all_is_written(tmp_path):
    session, jobs, disk, sender = Session(), StubJobs(), LaterWriter(), Sender()
    witness = Witness(jobs, session, Reader(), sender, tmp_path / "audit.jsonl", disk)
    on_screen(session)
    sender.left.emit("deidentified", {"files": 3})
    witness.look(lambda *_: None)
    assert (jobs.asked, (tmp_path / "audit.jsonl").exists()) == ([], False)
    while disk.waiting:
        disk.go_on()
    assert [each["what"] for each in entries(tmp_path / "audit.jsonl")] == [
        "opened",
        "deidentified",
    ]
    assert jobs.last.work.endswith("trail:look")
