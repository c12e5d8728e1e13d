"""Names of cases and files in what a measurement wrote: only hashes are left."""

import csv
import hashlib
import json
from dataclasses import replace

import pytest
from services.stubs import CARD

from medview.domain.card import Figure, TrainedOn
from medview.io.cards import read_card, write_card
from medview.io.case_names import (
    called,
    case_hash,
    hide_case_names,
    hide_set_names,
    set_names,
    shown_case,
    shown_patient,
)
from medview.learning.patients import patient_hash

SKIPPED = {"case": "Doe_Jane", "code": "MV-IO-001", "what": "Doe_Jane: scans/jane.nii.gz is cut"}
BODY = {"data": [{"subset": "cases", "skipped": [SKIPPED]}], "metrics": [{"name": "mae"}]}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "predictions.csv").write_text("case,age\nDoe_Jane,61.5\nRoe,40\n")
    (tmp_path / "curve.csv").write_text("epoch,loss\n1,0.5\n")
    (tmp_path / "metrics.json").write_text(json.dumps({"schema": "medview.metrics/1", **BODY}))
    return tmp_path


def test_no_name_is_left_and_one_case_has_one_hash(folder):
    body = hide_case_names(folder, BODY)
    with (folder / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["case"] for row in rows] == [case_hash("Doe_Jane"), case_hash("Roe")]
    assert [row["age"] for row in rows] == ["61.5", "40"]
    assert body["data"][0]["skipped"][0]["case"] == case_hash("Doe_Jane")
    left = json.dumps(body) + "".join(path.read_text() for path in folder.iterdir())
    for name in ("Doe", "jane", "Roe", ".nii"):
        assert name not in left
    assert (folder / "curve.csv").read_text() == "epoch,loss\n1,0.5\n"


def test_file_and_answer_still_say_the_same(folder):
    body = hide_case_names(folder, BODY)
    told = json.loads((folder / "metrics.json").read_text())
    assert told.pop("schema") == "medview.metrics/1"
    assert told == body


def test_a_name_in_a_table_is_of_this_installation_only(monkeypatch, tmp_path):
    assert (shown_case("a", private=False), shown_patient("p", private=False)) == ("a", "p")
    here = shown_case("a", private=True), shown_patient("a", private=True)
    assert len({*here, patient_hash("a"), hashlib.sha256(b"medview case a").hexdigest()[:16]}) == 4
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "elsewhere"))
    there = shown_case("a", private=True), shown_patient("a", private=True)
    assert not {*here} & {*there}


def test_measurements_deeper_in_a_folder_are_hidden_too(folder, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "metrics.json").write_text((folder / "metrics.json").read_text())
    hide_case_names(folder, {})
    assert "Doe" not in (tmp_path / "new" / "metrics.json").read_text()


def test_sets_that_are_called_like_a_file_get_other_names(tmp_path):
    data = ["cases=/x/Doe-list.csv", "/y/a=b.csv", "ixi-t1=/z/Roe"]
    (tmp_path / "predictions.csv").write_text("case,subset\na,Doe-list\nb,Doe-list-2\nc,ixi-t1\n")
    rows = [{"subset": "Roe", "value": 1}, {"subset": "a=b"}, {"subset": "ixi-t1"}]
    body = hide_case_names(tmp_path, {"metrics": rows}, set_names(data))
    left = json.dumps(body) + (tmp_path / "predictions.csv").read_text()
    assert not any(name in left for name in ("Doe", "Roe", "a=b", ".csv"))
    assert left.count("ixi-t1") == 2
    with (tmp_path / "predictions.csv").open() as file:
        first, second, _ = (row["subset"] for row in csv.DictReader(file))
    assert second == f"{first}-2"


def test_sets_get_other_names_on_a_card_and_in_what_was_compared(tmp_path):
    seen = (TrainedOn("Doe-list", 3), TrainedOn("ixi-t1", 7))
    write_card(replace(CARD, trained_on=seen, measured=(Figure("mae", 1.0, "Doe-list"),)),
               tmp_path / "card.json")  # fmt: skip
    rows = {"metrics": [{"subset": "Doe-list", "value": 1}]}
    (tmp_path / "before_after.json").write_text(json.dumps(rows))
    hide_set_names(tmp_path, set_names(["/x/Doe-list.csv"]))
    card = read_card(tmp_path / "card.json")
    assert [one.set for one in card.trained_on][1] == "ixi-t1"
    assert card.trained_on[0].set == card.measured[0].on
    assert not any("Doe" in path.read_text() for path in tmp_path.iterdir())


def test_limits_and_commands_of_a_card_name_no_set(tmp_path):
    limits = (
        "Doe-list: 3 rows without an age",
        "On Doe-list-2 it finds little.",
        "2 rows of Roe have other measures",
        "30 cases of ixi-t1: all of them normal",
    )
    command = "medview train icu --data cases=/x/Doe-list.csv --set folds=2 --out DIR"
    figures = (
        Figure("mae", 1.0, "Doe-list, Roe", command=command),
        Figure("mae", 1.0, "ixi-t1", command="medview train icu --data ../shared/data --out DIR"),
    )
    write_card(replace(CARD, limits=limits, measured=figures), tmp_path / "card.json")
    names = set_names(["/x/Doe-list.csv", "/y/Roe", "/z/cases.csv"])
    hide_set_names(tmp_path, names)
    card = read_card(tmp_path / "card.json")
    assert card.limits == (
        f"{names['Doe-list']}: 3 rows without an age",
        f"On {names['Doe-list']}-2 it finds little.",
        f"2 rows of {names['Roe']} have other measures",
        "30 cases of ixi-t1: all of them normal",
    )
    assert card.measured[0].on == f"{names['Doe-list']}, {names['Roe']}"
    assert card.measured[0].command == "medview train icu --data DATA --set folds=2 --out DIR"
    assert card.measured[1].command == figures[1].command


SETS = {"Doe": "data 1", "Roe-list": "data 2", "a b": "data 3", "cases": "data 4"}


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Doe", "data 1"),
        ("Doe-2", "data 1-2"),
        ("Doe-x", "Doe-x"),
        ("ixi", "ixi"),
        ("Doe+Roe-list", "data 1+data 2"),
        ("ixi, Roe-list-3+a b", "ixi, data 2-3+data 3"),
    ],
)
def test_sets_together_get_the_names_of_each(name, other, tmp_path):
    assert called(name, SETS) == other
    body = hide_case_names(tmp_path, {"metrics": [{"subset": name, "value": 1}]}, SETS)
    assert body["metrics"][0]["subset"] == other


@pytest.mark.parametrize(
    ("said", "hidden"),
    [
        ("On Doe boosting reaches AUROC 0.8.", "On data 1 boosting reaches AUROC 0.8."),
        ("On a b-2, Doe the effects of sites", "On data 3-2, data 1 the effects of sites"),
        ("Calibration error on Doe+ixi: 0.1", "Calibration error on data 1+ixi: 0.1"),
        ("The age of left-out heads of Roe-list is", "The age of left-out heads of data 2 is"),
        ("On Doe (9 people, other scanners)", "On data 1 (9 people, other scanners)"),
        ("On Doering it is weak", "On Doering it is weak"),
        ("5 cases of Doering: none", "5 cases of Doering: none"),
        ("AUROC on cases up to the day", "AUROC on cases up to the day"),
    ],
)
def test_no_sentence_of_a_card_names_a_set(said, hidden, tmp_path):
    write_card(replace(CARD, limits=(said,), method=(said,)), tmp_path / "card.json")
    hide_set_names(tmp_path, SETS)
    card = read_card(tmp_path / "card.json")
    assert card.limits == card.method == (hidden,)


def test_figures_in_a_sentence_stay(folder):
    said = {**SKIPPED, "what": "Doe_Jane: 0.5 mm of 2.0 mm. Give more"}
    body = hide_case_names(folder, {"skipped": [said]})
    assert body["skipped"][0]["what"] == "the case: 0.5 mm of 2.0 mm. Give more"
