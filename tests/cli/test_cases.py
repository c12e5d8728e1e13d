"""``medview cases``: what the window gathers, as one command, and a list checked file by file."""

import json

import pytest
from brains import head, write_nifti
from services.test_local_work import Room

from medview.cli import main
from medview.learning.cases import find_subsets, prepare_case


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path))
    return Room(tmp_path)


def run(capfd, *words):
    code = main([*words, "--json", "--quiet"])
    return code, json.loads(capfd.readouterr().out)


def test_answers_become_a_list_that_finetune_reads(room, tmp_path, capfd):
    path = write_nifti(room.studies / "a" / "t1.nii.gz", head())
    room.result(room.series(path), "agree", "rejected")
    write_nifti(room.studies / "b" / "t1.nii.gz", head(seed=1))
    out = tmp_path / "list"
    code, body = run(capfd, "cases", "anomaly", str(room.studies), "--out", str(out))
    assert (code, body["schema"]) == (0, "medview.cases/1")
    assert sorted(one["used"] for one in body["cases"]) == [False, True]
    assert len({one["patient"] for one in body["cases"]}) == 2
    (subset,) = find_subsets((str(out / "cases.csv"),), "anomaly")
    (case,) = subset.cases
    assert case.label == 1
    assert prepare_case(case).truth.any()

    code, body = run(capfd, "cases", "anomaly", str(out / "cases.csv"), "--check")
    assert (code, body["schema"], body["cases"]) == (0, "medview.checked-cases/1", 1)
    path.write_bytes(b"x")
    code, body = run(capfd, "cases", "anomaly", str(out / "cases.csv"), "--check")
    assert (code, body["cases"]) == (1, 0)
    assert body["skipped"][0]["what"].startswith("t1.nii.gz: ")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("cases", "icu", "x", "--out", "y"), 3, "gives this model no cases"),
        (("cases", "anomaly"), 2, "not said where to write"),
        (("cases", "anomaly", "--check"), 2, "nothing to check"),
    ],
)
def test_what_cannot_be_done_is_said(room, capfd, monkeypatch, tmp_path, words, code, said):
    monkeypatch.chdir(tmp_path)
    found, body = run(capfd, *words)
    assert (found, body["schema"]) == (code, "medview.error/1")
    assert said in body["what"]
    assert not (tmp_path / "y").exists()
