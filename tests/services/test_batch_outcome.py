"""How the cases of a batch ended."""

import json

import pytest

from medview.services.batch_cases import Case
from medview.services.batch_outcome import Outcome, outcome_of, summary, write_outcomes
from medview.services.inputs import Wanted

A = Case("a", Wanted(), site="x")
B = Case("b", Wanted(), patient="p2", where="x/b.dcm")
AGE = {"name": "age", "value": 41.5, "low": 40.0, "high": None}
SEVERE = {"name": "severe", "value": None, "low": None, "high": None}


def test_the_summary_counts_what_ran_now_and_what_was_there():
    done = [Outcome(A, (AGE,)), Outcome(B, code="MV-IO-001", what="cannot be read")]
    body = summary(done, 1, 3.0)
    assert (body["done"], body["resumed"], body["seconds_per_study"]) == (1, 1, 3.0)
    assert body["failed"] == [
        {"case": "b", "code": "MV-IO-001", "what": "cannot be read", "where": "x/b.dcm"}
    ]
    assert summary(done, 0, 3.0)["seconds_per_study"] is None


def test_the_table_has_all_scores_and_empty_cells_for_what_is_not_there(tmp_path):
    done = [Outcome(A, (AGE,)), Outcome(B, (SEVERE,))]
    write_outcomes(tmp_path, {"done": 2}, done)
    assert (tmp_path / "predictions.csv").read_text().splitlines() == [
        "case,patient,site,subset,age,age_low,age_high,severe,severe_low,severe_high",
        "a,a,x,,41.5,40.0,,,,",
        "b,p2,,,,,,,,",
    ]
    assert json.loads((tmp_path / "batch.json").read_text()) == {
        "schema": "medview.batch/1",
        "done": 2,
    }


def test_where_all_failed_the_table_has_its_head(tmp_path):
    write_outcomes(tmp_path, {}, [Outcome(A, code="MV-IO-001")])
    assert (tmp_path / "predictions.csv").read_text().split() == ["case,patient,site,subset"]


@pytest.mark.parametrize("words", ["", "[]", '{"scores": []}', '{"scores": 1, "seconds": 2}'])
def test_a_result_that_cannot_be_read_is_none(tmp_path, words):
    (tmp_path / "result.json").write_text(words)
    assert outcome_of(A, tmp_path / "result.json") is None


def test_a_result_is_an_outcome_again(tmp_path):
    (tmp_path / "result.json").write_text(json.dumps({"scores": [AGE], "seconds": 2}))
    assert outcome_of(A, tmp_path / "result.json") == Outcome(A, (AGE,), 2.0)
