"""Going on with a version: who is held out, what learns, what the new card says."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from throwaway import save_nifti, small_head, throwaway_weights
from torch import nn

from medview.domain.errors import DataError, UsageError
from medview.domain.progress import Silent
from medview.domain.training import FinetuneRequest, Place, Rounds, TrainRequest
from medview.io.cards import CARD, WEIGHTS, read_card, write_card
from medview.io.seen import seen_of
from medview.learning import finetune as module
from medview.learning.case_check import check
from medview.learning.cases import find_subsets
from medview.learning.checkpoint import EpochReport
from medview.learning.finetune import (
    PAUSE,
    finetune,
    held_out,
    look_at_locked,
    refuse_shared,
    survey,
)
from medview.learning.finetune_method import refuse_other, restrict
from medview.learning.patients import patient_hash

pytestmark = pytest.mark.usefixtures("narrow")


def case_list(folder, rows, header="case,patient,split,t1"):
    save_nifti(small_head(), folder / "t1.nii.gz")
    path = folder / "cases.csv"
    path.write_text("\n".join([header, *(f"{row},t1.nii.gz" for row in rows)]) + "\n")
    return path


def request(data, out, init=None):
    return FinetuneRequest("anomaly", TrainRequest((str(data),), str(out), {}, init=str(init)))


def test_a_fifth_of_the_patients_is_held_out_always_the_same_ones(tmp_path):
    data = case_list(tmp_path, [f"c{n},p{n // 2}," for n in range(20)])
    chosen = held_out(request(data, tmp_path))
    assert len(chosen) == 2
    assert chosen == held_out(request(data, tmp_path))
    (subset,) = find_subsets((str(data),), "anomaly", chosen)
    marked = {case.patient for case in subset.cases if case.split == "val"}
    assert {patient_hash(patient) for patient in marked} == set(chosen)
    assert sum(case.split == "val" for case in subset.cases) == 4


def test_where_the_data_mark_patients_those_are_held_out(tmp_path):
    data = case_list(tmp_path, ["a,p1,train", "b,p2,val"])
    assert held_out(request(data, tmp_path)) == ()


@pytest.mark.parametrize("part", ["val", "locked"])
def test_what_the_version_has_seen_is_refused_before_it_is_trained_further(tmp_path, part):
    parent = throwaway_weights(tmp_path / "parent")
    card = read_card(parent.with_name(CARD))
    seen = tuple(patient_hash(name) for name in ("p2", "p3"))
    write_card(replace(card, seen_patients=seen, seen_salts=()), parent.with_name(CARD))
    for name in ("own", "ref"):
        (tmp_path / name).mkdir()

    def look(*rows):
        if part == "val":
            data = case_list(tmp_path / "own", ["a,p1,train", *rows])
            return held_out(request(data, tmp_path, parent))
        data = case_list(tmp_path / "own", ["a,p1,train"])
        locked = (str(case_list(tmp_path / "ref", list(rows))),)
        asked = request(data, tmp_path, parent)
        return refuse_shared(Silent(), replace(asked, reference=locked))

    with pytest.raises(DataError, match="was trained on all 2 patients"):
        look("b,p2,val", "c,p3,val")
    assert not look("b,p2,val", "c,p4,val")


def test_a_patient_in_two_parts_is_refused_by_name(tmp_path):
    data = case_list(tmp_path, ["a,p1,train", "b,p1,val"])
    with pytest.raises(DataError, match="p1"):
        held_out(request(data, tmp_path))


def test_few_patients_are_refused(tmp_path):
    data = case_list(tmp_path, ["a,p1,", "b,p2,"])
    with pytest.raises(DataError, match="2 patients that the version has not seen: too few"):
        held_out(request(data, tmp_path))


def test_where_no_case_can_be_used_it_is_said_why(tmp_path):
    data = case_list(tmp_path, [f"{name},{name}," for name in "abcdef"])
    (tmp_path / "t1.nii.gz").unlink()
    with pytest.raises(DataError, match=r"none of 6 cases can be used; .*t1\.nii\.gz"):
        held_out(request(data, tmp_path))


def test_only_the_head_learns_where_that_is_asked_for():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    restrict(network, "full", ("1",))
    assert all(parameter.requires_grad for parameter in network.parameters())
    restrict(network, "head", ("1.",))
    assert [parameter.requires_grad for parameter in network.parameters()] == [False] * 2 + [
        True
    ] * 2
    with pytest.raises(UsageError, match="cannot be fine-tuned by site-effects"):
        restrict(network, "site-effects", ("1.",))
    with pytest.raises(UsageError, match="cannot be fine-tuned by head"):
        restrict(network, "head", ("x.",))
    with pytest.raises(UsageError, match="no layer of this model is wide enough"):
        restrict(network, "adapter", ())


def test_a_model_without_adapters_says_so_by_its_name_and_why():
    refuse_other("brain-age", "head", ("full", "head"))
    with pytest.raises(UsageError, match="brain-age cannot be fine-tuned by adapter: its networks"):
        refuse_other("brain-age", "adapter", ("full", "head"))


def _train(job, asked):
    """Stands in for a training: untrained weights whose card has seen one patient."""
    out = Path(asked.out)
    throwaway_weights(out, seed=1)
    card = read_card(out / CARD)
    write_card(replace(card, seen_patients=("own",), seen_salts=()), out / CARD)
    assert len(asked.held_out) == 2
    return {"epochs": 1}


def test_the_new_card_keeps_parent_and_the_patients_of_both(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "training_of", lambda trainer: _train)
    asked = []

    def fake(job, one):
        asked.append(one)
        same = {"name": "mae", "subset": "ixi", "value": 5.0, "n": 4, "task": "age"}
        rows = [{**same, "group": group, "predictor": "new"} for group in ("all", "site:HH")]
        return {"metrics": rows, "differences": [dict(row) for row in rows], "worse": ["mae"]}

    monkeypatch.setattr(module, "compare", fake)
    monkeypatch.setattr(module, "refuse_shared", lambda job, one: asked.append(one.reference))
    parent = throwaway_weights(tmp_path / "parent")
    data = case_list(tmp_path, [f"c{n},p{n}," for n in range(10)])
    wanted = replace(request(data, tmp_path / "out", parent), reference=("ref",))
    body = finetune(Silent(), wanted, "x:f")
    older, card = read_card(parent.with_name(CARD)), read_card(tmp_path / "out" / CARD)
    assert card.parent == older.weights_sha256
    assert card.version == f"{older.version}-{card.weights_sha256[:8]}"
    assert seen_of(card, ["own", "other"]) == {"own"}
    assert set(older.seen_patients) < set(card.seen_patients)
    assert set(older.seen_salts) < set(card.seen_salts)
    assert asked.pop(0) == ("ref",)
    assert [one.data for one in asked] == [(str(data),), ("ref",)]
    assert asked[0].new == str(tmp_path / "out" / WEIGHTS)
    told = body["before_after"]
    groups = [
        f"{which}{site}" for which in ("validation", "reference") for site in ("", ", site:HH")
    ]
    assert [row["group"] for row in told["metrics"]] == groups
    assert [one.group for one in card.measured[-4:]] == groups
    assert (card.measured[-1].on, card.measured[-1].extra) == ("ixi", {"task": "age"})
    assert card.measured[-1].command.endswith("--data DATA --reference REFERENCE --out DIR")
    assert told["worse"] == ["validation mae", "reference mae"]
    assert card.limits == (
        "Worse than the version it was made from: mae on the patients held out; "
        "mae on the locked set.",
        *older.limits,
    )
    assert (tmp_path / "out" / "before_after.json").is_file()


def test_the_survey_tells_balance_ages_and_files(tmp_path):
    rows = ["a,p1,0,40", "b,p2,1,71", "c,p3,0,"]
    data = case_list(tmp_path, rows, "case,patient,label,age_years,t1")
    found = survey(Silent(), "anomaly", (str(data),))
    assert found["labels"] == {"label 0": 2, "label 1": 1}
    assert found["ages"] == (40.0, 71.0)
    assert set(found["files"]) == {"a", "b", "c"}
    assert all(Path(file).is_file() for file in found["files"].values())


def test_a_pause_holds_the_training_until_it_is_over():
    class Reader(Silent):
        hints = iter([PAUSE, PAUSE, "go on"])
        asked = 0
        told: ClassVar[list[object]] = []

        def report(self, *told):
            self.told.append(told)

        def hint(self):
            self.asked += 1
            return next(self.hints)

    reader = Reader()
    training = module._Quiet(reader)
    training.report(3, 10, "epoch 4 / 10")
    training.check()
    assert reader.asked == 3
    # As far as before, and no time is left to be counted while it waits.
    assert reader.told == [(3, 10, "epoch 4 / 10"), (6, 20, "paused")]
    module._Quiet(Silent()).check()


def test_of_the_parts_of_a_training_only_where_it_runs_is_passed_on():
    class Reader(Silent):
        told: ClassVar[list[object]] = []

        def partial(self, payload):
            self.told.append(payload)

    reader = module._Quiet(Reader())
    reader.partial(EpochReport(1, 4, {}, 0.0, True))
    reader.partial(Place("CPU", 2))
    reader.partial(Rounds(20))
    assert reader.job.told == [Place("CPU", 2), Rounds(20)]


def test_nobody_of_a_locked_set_may_be_among_the_cases(tmp_path):
    for name in ("own", "ref"):
        (tmp_path / name).mkdir()
    data = case_list(tmp_path / "own", [f"c{n},p{n}," for n in range(8)])
    apart = case_list(tmp_path / "ref", ["r1,q1,", "r2,q1,"])
    found = look_at_locked(Silent(), "anomaly", (str(data),), (str(apart),))
    assert found == {"cases": 2, "patients": 1, "shared": [], "what": ""}
    refuse_shared(Silent(), replace(request(data, tmp_path), reference=(str(apart),)))
    refuse_shared(Silent(), request(data, tmp_path))
    both = case_list(tmp_path / "ref", [f"r{n},p{n}," for n in range(7)])
    wanted = replace(request(data, tmp_path), reference=(str(both),))
    with pytest.raises(DataError, match=r"^p0, p1, p2, p3, p4 and 2 more: patients of") as caught:
        refuse_shared(Silent(), wanted)
    assert "p0" not in caught.value.what  # who it is stands where --private takes it away


def test_the_survey_counts_the_patients_whom_the_version_has_learnt_from(tmp_path):
    parent = throwaway_weights(tmp_path / "parent")
    card = read_card(parent.with_name(CARD))
    seen = (patient_hash("p2"), patient_hash("elsewhere"))
    write_card(replace(card, seen_patients=seen, seen_salts=()), parent.with_name(CARD))
    data = (str(case_list(tmp_path, ["a,p1,", "b,p2,", "c,p2,"])),)
    assert survey(Silent(), "anomaly", data)["seen"] == 0
    for found in (survey, check):
        assert found(Silent(), "anomaly", data, init=str(parent))["seen"] == 1
