"""Each site left out in turn: nobody of it is trained on, its rows carry its name."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.domain.training import FinetuneRequest, TrainRequest
from medview.io.cards import WEIGHTS
from medview.learning import left_sites
from medview.learning.case_list import read_rows
from medview.learning.left_sites import by_site, finetune_and_leave_sites

ROWS = ["a,p1,A,train", "b,p2,A,", "c,p2,B,", "d,p3,B,val", "e,p4,C,", "f,p5,,"]


def case_list(folder, rows=ROWS, header="case,patient,site,split"):
    path = folder / "cases.csv"
    path.write_text("\n".join([f"{header},t1", *(f"{row},x/t1.nii.gz" for row in rows)]) + "\n")
    return str(path)


def names(rows):
    return [row["case"] for row in rows]


def test_patients_of_a_site_are_never_trained_on_wherever_else_they_were(tmp_path):
    parts = by_site((case_list(tmp_path),))
    assert list(parts) == ["A", "B", "C"]
    others, here = parts["A"]
    assert (names(others), names(here)) == (["d", "e", "f"], ["a", "b"])
    assert {row["split"] for row in here} == {""}
    assert others[0]["t1"] == str(tmp_path / "x" / "t1.nii.gz")
    assert list(by_site((case_list(tmp_path, ROWS[:3]),))) == ["A", "B"]  # two are enough


@pytest.mark.parametrize("rows", [["a,p1,A,", "b,p2,A,"], ["a,p1,,", "b,p2,,"]])
def test_one_site_cannot_be_left_out(tmp_path, rows):
    with pytest.raises(DataError, match="sites are named, two are needed"):
        by_site((case_list(tmp_path, rows),))


def test_other_layouts_are_refused(tmp_path):
    with pytest.raises(DataError, match="with case lists only"):
        by_site((str(tmp_path),))


class Trained:
    """Stands in for training and comparison; notes what it was asked for."""

    def __init__(self, monkeypatch):
        self.asked, self.compared, self.reports = [], [], []
        monkeypatch.setattr(left_sites, "finetune", self.finetune)
        monkeypatch.setattr(left_sites, "run_trainer", self.run)
        monkeypatch.setattr(left_sites, "held_out", lambda own: ("held",))
        monkeypatch.setattr(left_sites, "compared", self.compare)

    def finetune(self, job, request, trainer):
        return {"epochs": 1, "before_after": rows_of("validation")}

    def run(self, job, request, trainer):
        job.report(1, 2, "epoch 1 / 2")
        self.asked.append(request)

    def compare(self, job, request, group, data, folder):
        if group == "site:C":
            raise DataError("there is no case with a known truth")
        self.compared.append((group, names(read_rows(Path(data[0])))))
        return rows_of(group, worse=[f"{group} mae"] if group == "site:B" else [])


def rows_of(group, worse=()):
    return {"metrics": [{"group": group}], "differences": [{"group": group}], "worse": list(worse)}


class Job(Silent):
    def __init__(self):
        self.texts = []

    def report(self, done, total, text=""):
        self.texts.append(text)


def request(tmp_path, **fields):
    recipe = {"epochs": 2, "folds": 5, "leave_out": True}
    train = TrainRequest((case_list(tmp_path),), str(tmp_path / "out"), recipe, preview=True)
    return FinetuneRequest("anomaly", replace(train, **fields))


def test_every_site_is_trained_without_and_measured_on(tmp_path, monkeypatch):
    done, job = Trained(monkeypatch), Job()
    (tmp_path / "out").mkdir()
    body = finetune_and_leave_sites(job, request(tmp_path), "x:f")
    assert [names(read_rows(Path(one.data[0]))) for one in done.asked] == [
        ["d", "e", "f"],
        ["a", "e", "f"],
        ["a", "b", "c", "d", "f"],
    ]
    for one in done.asked:
        assert one.recipe == {"epochs": 2, "folds": 0, "leave_out": False}
        assert one.held_out == ("held",)
        assert not one.preview
    assert done.compared == [("site:A", ["a", "b"]), ("site:B", ["c", "d"])]
    found = body["before_after"]
    assert [row["group"] for row in found["metrics"]] == ["validation", "site:A", "site:B"]
    assert found["worse"] == ["site:B mae"]
    assert body["sites"][2] == {
        "site": "C",
        "cases": 1,
        "why_not": "there is no case with a known truth",
    }
    kept = json.loads((tmp_path / "out" / "before_after.json").read_text())
    assert kept["worse"] == ["site:B mae"]
    assert job.texts[0] == "without A: epoch 1 / 2"


def test_where_nobody_is_named_no_list_stays_and_no_sentence_names_a_file(tmp_path, monkeypatch):
    done = Trained(monkeypatch)
    (tmp_path / "out").mkdir()

    def compare(job, request, group, data, folder):
        done.compare(job, request, group, data, folder)
        raise DataError('none of 2 cases can be used; row 2: "Doe.nii.gz" is not there')

    monkeypatch.setattr(left_sites, "compared", compare)
    body = finetune_and_leave_sites(Silent(), request(tmp_path, private=True), "x:f")
    assert done.compared == [("site:A", ["a", "b"]), ("site:B", ["c", "d"])]  # while it is needed
    assert not list((tmp_path / "out").rglob("*.csv"))
    assert not Path(done.asked[0].data[0]).exists()
    assert body["sites"][0]["why_not"] == "none of 2 cases can be used; row 2: “…” is not there"


def test_what_goes_on_another_day_trains_no_finished_site_again(tmp_path, monkeypatch):
    done = Trained(monkeypatch)
    finished = tmp_path / "out" / "sites" / "0"
    finished.mkdir(parents=True)
    (finished / WEIGHTS).write_bytes(b"x")
    finetune_and_leave_sites(Silent(), request(tmp_path, resume=True), "x:f")
    assert len(done.asked) == 2


def test_a_calibration_is_fitted_again_without_each_site_that_a_score_knows(tmp_path, monkeypatch):
    asked = []

    def without(score, site):
        asked.append((score.name, site))
        return None if site == "C" else ([{"group": f"{score.name} {site}"}], [])

    sites = {"age": ("A", "A", "B", ""), "risk": ("B", "B", "C")}
    scores = [SimpleNamespace(name=name, sites=of) for name, of in sites.items()]
    monkeypatch.setattr(
        left_sites,
        "recalibrate",
        lambda job, request: {"epochs": 0, "before_after": rows_of("all")},
    )
    monkeypatch.setattr(left_sites, "local_cases", lambda model, out: scores)
    monkeypatch.setattr(left_sites, "without_site", without)
    (tmp_path / "out").mkdir()
    body = left_sites.calibrate_and_leave_sites(Silent(), request(tmp_path))
    assert asked == [("age", "A"), ("age", "B"), ("risk", "B"), ("risk", "C")]
    groups = [row["group"] for row in body["before_after"]["metrics"]]
    assert groups == ["all", "age A", "age B", "risk B"]
    assert [(one["site"], one["cases"], bool(one["why_not"])) for one in body["sites"]] == [
        ("A", 2, False), ("B", 2, False), ("C", 1, True),
    ]  # fmt: skip
    kept = json.loads((tmp_path / "out" / "before_after.json").read_text())
    assert [row["group"] for row in kept["metrics"]] == groups
    scores[1].sites = scores[0].sites = ("A", "B")  # two are enough
    assert len(left_sites.calibrate_and_leave_sites(Silent(), request(tmp_path))["sites"]) == 2
    scores[1].sites = scores[0].sites = ("A", "")
    with pytest.raises(DataError, match="1 sites are named, two are needed"):
        left_sites.calibrate_and_leave_sites(Silent(), request(tmp_path))
