"""A whole training on made-up brains: folds, time, cases that cannot be read, names kept back."""

import csv

import pytest
from brains import head, write_ixi, write_nifti

from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.domain.training import TrainRequest
from medview.io.cards import read_card
from medview.io.case_names import case_hash, shown_patient
from medview.io.seen import seen_of
from medview.learning import anomaly_training
from medview.learning.anomaly_training import fit
from medview.learning.patients import patient_hash
from medview.learning.recognised import LOWEST_FLOOR
from medview.services.recipes import read_recipe

NAMES = ("IXI012-HH-1211", "IXI013-HH-1212", "IXI014-Guys-1236")
TINY = (
    *("epochs=1", "steps=1", "batch=2", "attention_batch=2", "val_slices=3", "bfloat16=false"),
    *("network.attention=false", "upright=false", "turned=false"),
)


@pytest.fixture(autouse=True)
def _measured_here(monkeypatch, narrow, few_choices):
    monkeypatch.setattr(anomaly_training, "measured_elsewhere", lambda *given: ())


@pytest.fixture(scope="module")
def brains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ixi-t1")
    write_ixi(folder, *NAMES)
    return folder


def asked(folder, out, *settings, **more):
    recipe = read_recipe("anomaly", None, (*TINY, *settings))
    return TrainRequest((str(folder),), str(out), recipe, threads=1, device="cpu", **more)


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_folds_leave_each_patient_out_once_and_going_on_measures_again(tmp_path, monkeypatch):
    write_ixi(tmp_path / "ixi-t1", *NAMES[:2])
    out = tmp_path / "out"
    body = fit(Silent(), asked(tmp_path / "ixi-t1", out, "folds=2"))
    assert body["n"] == {"train": 2, "val": 0}
    assert body["skipped"] == []
    card = read_card(out / "card.json")
    assert card.settings["floor"] == LOWEST_FLOOR  # an epoch of a step or two teaches nothing,
    assert card.settings["normal_scores"] == []  # so no brain is recognised
    assert card.settings["normal_peaks"] == []
    assert {f.n for f in card.measured if (f.group, f.level) == ("all", "pixel")} == {2}
    assert {f.name for f in card.measured if f.group == "solid"} >= {"pr_auc", "found_rate"}
    assert {f.command for f in card.measured} == {f"{anomaly_training.TRAIN} --set folds=2"}
    learnt = {patient_hash(n[:6]) for n in NAMES[:2]}
    assert seen_of(card, {patient_hash(n[:6]) for n in NAMES}) == learnt
    assert any("2 folds" in line for line in card.method)
    for n in (1, 2):
        assert (out / f"fold-{n}" / "checkpoint" / "last.pt").is_file()

    def no_step(*given):
        raise AssertionError("trained again")

    monkeypatch.setattr("medview.learning.anomaly_trainer.Trainer._step", no_step)
    monkeypatch.setattr(anomaly_training, "cross_validated", lambda *given: card.measured[:1])
    again = fit(Silent(), asked(tmp_path / "ixi-t1", out, "folds=2", resume=True))
    assert again["weights_sha256"] == body["weights_sha256"]
    after = read_card(out / "card.json")
    assert after.settings == card.settings


def test_a_case_that_cannot_be_read_is_left_out_by_name(tmp_path):
    folder = tmp_path / "ixi"
    write_ixi(folder, *NAMES)
    whole = (folder / f"{NAMES[1]}-T1_ds.nii.gz").read_bytes()
    (folder / f"{NAMES[1]}-T1_ds.nii.gz").write_bytes(whole[: len(whole) // 2])
    body = fit(Silent(), asked(folder, tmp_path / "out"))
    assert body["n"]["train"] == 2
    [left_out] = body["skipped"]
    assert left_out["case"] == NAMES[1]
    assert left_out["what"]
    assert {row["case"] for row in table(tmp_path / "out" / "splits.csv")} == {NAMES[0], NAMES[2]}


def test_of_a_list_with_lesions_the_normal_brains_are_learnt_from(tmp_path, monkeypatch):
    write_nifti(tmp_path / "t1.nii.gz", head())
    rows = ["case,t1,label", "a,t1.nii.gz,0", "b,t1.nii.gz,1", "c,t1.nii.gz,"]
    (tmp_path / "cases.csv").write_text("\n".join(rows) + "\n")
    read = []

    def stop(job, subsets, *, upright, turned):
        read.extend(case.case for subset in subsets for case in subset.cases)
        raise DataError("that is enough")

    monkeypatch.setattr(anomaly_training, "load_normals", stop)
    with pytest.raises(DataError, match="that is enough"):
        fit(Silent(), asked(tmp_path / "cases.csv", tmp_path / "out"))
    assert read == ["a"]


def test_nothing_but_unreadable_cases_is_refused_with_the_reason(tmp_path):
    folder = tmp_path / "ixi"
    write_ixi(folder, NAMES[0])
    write_nifti(folder / f"{NAMES[0]}-T1_ds.nii.gz", 0 * head())
    with pytest.raises(DataError, match="none of 1 cases can be used") as caught:
        fit(Silent(), asked(folder, tmp_path / "out"))
    assert caught.value.file == NAMES[0]


def test_patients_are_named_by_a_hash_where_privacy_is_asked_for(brains, tmp_path):
    fit(Silent(), asked(brains, tmp_path, private=True))
    rows = table(tmp_path / "splits.csv")
    assert [row["patient"] for row in rows] == [shown_patient(n[:6], private=True) for n in NAMES]
    assert [row["case"] for row in rows] == [case_hash(name) for name in NAMES]
