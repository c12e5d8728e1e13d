"""Deleting what is kept of a study: results alone, or everything."""

import json
from dataclasses import replace

import pytest
from services.stubs import CARD, catalogue_of, series_of
from ui.fakes import make_bench

from medview.io.cards import write_card
from medview.learning.patients import patient_hash
from medview.services.shelf import FORGET
from medview.ui import commands


@pytest.fixture
def bench(qtbot, tmp_path):
    """A study on screen with a result, a report on the disk and a workspace."""
    (tmp_path / "study").mkdir()
    made = make_bench(tmp_path, results=tmp_path / "results")
    qtbot.addWidget(made.window)
    made.window.open_paths((tmp_path / "study",))
    made.jobs.running("scan")[-1].finish(catalogue_of(series_of("1.1"), series_of("1.2")))
    made.read()
    made.add_result()
    made.app.reading.write(findings="A lesion on the left.")
    made.press("Ctrl+S")
    yield made
    made.app.workspaces.close()


def answering(monkeypatch, answer):
    asked = []
    monkeypatch.setattr(commands, "ask", lambda _, text, *__: asked.append(text) or answer)
    return asked


def kept(tmp_path):
    places = (tmp_path / "results" / "drafts", tmp_path / "workspaces")
    return [path.parent.name for place in places for path in place.iterdir()]


def test_deleting_results_keeps_the_report_that_was_written_and_says_so(
    bench, tmp_path, monkeypatch
):
    asked = answering(monkeypatch, True)
    bench.window.table["analysis.forget"].trigger()
    assert "The report that you have written stays" in asked[0]
    assert bench.session.results == ()
    assert [job.work for job in bench.jobs.asked].count(FORGET) == 1
    assert kept(tmp_path) == ["drafts", "workspaces"]
    assert bench.app.reading.words.findings == "A lesion on the left."


def test_forgetting_a_study_deletes_all_that_is_kept_of_it_for_good(bench, tmp_path, monkeypatch):
    answering(monkeypatch, True)
    assert str(tmp_path / "study") in bench.app.preferences.settings.recent
    bench.window.table["file.forget_study"].trigger()
    assert [job.args for job in bench.jobs.asked if job.work == FORGET] == [
        (tmp_path / "results", bench.session.series.study_uid)
    ]
    assert bench.session.results == ()
    assert bench.app.reading.words.findings == ""
    assert bench.app.preferences.settings.recent == ()
    bench.app.workspaces.keep_draft()
    bench.app.workspaces.close()
    assert kept(tmp_path) == []


def test_it_is_put_down_in_the_trail_and_versions_that_learnt_are_named(
    bench, tmp_path, monkeypatch
):
    patient = bench.session.catalogue.patients[0]
    write_card(
        replace(CARD, version="mine", seen_patients=(patient_hash(patient.key),)),
        tmp_path / "models" / "anomaly" / "mine" / "card.json",
    )
    answering(monkeypatch, True)
    bench.window.table["file.forget_study"].trigger()
    assert "anomaly@mine has learnt from this patient" in bench.session.message.text
    bench.app.witness.close()
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    [line] = [each for each in lines if each["what"] == "deleted"]
    assert line["detail"]["versions_that_learnt"] == ["anomaly@mine"]
    assert not any(word in str(line) for word in (patient.key, patient.id, patient.name))


def test_deleted_results_are_put_down_too(bench, tmp_path, monkeypatch):
    answering(monkeypatch, True)
    bench.window.table["analysis.forget"].trigger()
    bench.app.witness.close()
    lines = (tmp_path / "audit.jsonl").read_text().splitlines()
    [line] = [each for each in lines if "deleted" in each]
    assert json.loads(line)["detail"].keys() == {"kind", "study"}


def test_whoever_thinks_again_loses_nothing(bench, tmp_path, monkeypatch):
    answering(monkeypatch, False)
    bench.window.table["file.forget_study"].trigger()
    assert kept(tmp_path) == ["drafts", "workspaces"]
    assert bench.session.results != ()
