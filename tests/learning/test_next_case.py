"""Unlabelled cases of a list in the order in which to label them."""

import csv
import json
from pathlib import Path

import pytest
from chest_phantom import case_list

from medview.cli import main
from medview.domain.errors import DataError, UsageError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Silent
from medview.learning import next_case
from medview.learning.case_list import list_rows, write_rows
from medview.learning.next_case import rank

COLUMNS = ("case", "patient", "severe", "true_severe")
SAID = {"b": "0.95", "c": "0.40", "d": ""}
LIST = """case,film,prognosis,brixia,site
a,a.png,MILD,,x
b,b.png,,,x
c,c.png,,,
d,d.png,,,
e,e.png,,001122,
"""


def evaluate(job, request):
    """Stands in for the network: it is asked about open cases only."""
    folder = Path(request.out)
    folder.mkdir()
    asked = [row["case"] for row in list_rows(request.data, "")]
    with (folder / "predictions.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *((case, case, SAID[case], "") for case in asked)])


def ranked(tmp_path, monkeypatch, text):
    monkeypatch.setattr(next_case, "evaluate", evaluate)
    (tmp_path / "cases.csv").write_text(text)
    out = tmp_path / "out"
    return rank(Silent(), EvaluateRequest("cxr", (str(tmp_path / "cases.csv"),), str(out)))


def test_cases_without_a_label_come_by_doubt_and_those_without_an_answer_last(
    tmp_path, monkeypatch
):
    found = ranked(tmp_path, monkeypatch, LIST)
    assert [one["case"] for one in found] == ["c", "b", "d"]
    assert found[0]["doubt"] == pytest.approx(0.8)
    assert found[0]["why"] == "severe 0.40, 0.10 from even"
    assert (found[2]["doubt"], found[2]["why"]) == (None, "the model gives no answer")


def test_where_all_have_a_label_there_is_none_to_choose(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="each case has a label"):
        ranked(tmp_path, monkeypatch, "case,film,prognosis\na,a.png,MILD\n")


def test_a_list_without_a_row_is_no_list_of_labelled_cases(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="has no case"):
        ranked(tmp_path, monkeypatch, "case,film,prognosis\n")


def test_a_folder_has_no_labels_to_come(tmp_path):
    with pytest.raises(DataError, match="case lists only"):
        rank(Silent(), EvaluateRequest("cxr", (str(tmp_path),), str(tmp_path / "out")))


def test_ages_are_labelled_by_no_reader(tmp_path):
    with pytest.raises(UsageError, match="not labelled by a reader"):
        rank(Silent(), EvaluateRequest("brain-age", ("x",), str(tmp_path)))


@pytest.mark.slow
def test_the_command_names_the_next_ones_of_a_list(tmp_path, capfd):
    file = case_list(tmp_path, 6)
    rows = list_rows((str(file),), "")
    write_rows(file, [{**row, "prognosis": "", "brixia": ""} for row in rows[:4]] + rows[4:])
    words = ("cases", "cxr", str(file), "--next", "2", "--threads", "1", "--quiet")
    assert main([*words, "--json"]) == 0
    body = json.loads(capfd.readouterr().out)
    assert (body["schema"], body["open"], len(body["next"])) == ("medview.next-cases/1", 4, 2)
    first, second = body["next"]
    assert {first["case"], second["case"]} < {"c0", "c1", "c2", "c3"}
    assert first["doubt"] >= second["doubt"]
    assert first["why"].startswith("severe ")
