"""``evaluate region-net``: labelled heads, heads without labels, heads already learnt from."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from region_heads import labelled_head, people, write_head

from medview.domain.errors import DataError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Silent
from medview.io.case_names import shown_patient
from medview.learning import evaluate, region_evaluate, regions
from medview.learning.patients import patient_hash
from medview.learning.region_age import VolumeError, fit_age
from medview.learning.region_augment import atlas_of
from medview.learning.region_card import Trained, make_card
from medview.learning.region_trainer import RegionRecipe
from medview.learning.regions import RegionModel
from medview.models.region_net import RegionNet, RegionOptions

HEADER = "case,patient,t1,brain,age_years\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head with its labels."""
    made = Path(tmp_path_factory.mktemp("heads"))
    write_head(made, "a")
    return made


@pytest.fixture(scope="module")
def model(folder: Path) -> RegionModel:
    """A network that knows nothing but the atlas, and that has seen one patient."""
    torch.manual_seed(0)
    options = RegionOptions(widths=(8, 8))
    network = RegionNet(options)
    network.start_from(atlas_of([labelled_head(folder / "atlas").for_training()]))
    ml, age = people(60)
    fitted = fit_age(ml, age, VolumeError(np.zeros(10), np.full(10, 0.05)))
    card = make_card(Trained([], [], None, RegionRecipe(), options), fitted, [])
    card = replace(card, seen_patients=(patient_hash("seen"),))
    return RegionModel(network.eval(), card, fitted)


@pytest.fixture(autouse=True)
def _untrained(model: RegionModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region_evaluate, "load_region_model", lambda *_: model)
    monkeypatch.setattr(regions, "_STEPS", (0,))  # half the time, the same way


def _asked(folder: Path, out: Path, *lines: str, **terms: Any) -> EvaluateRequest:
    (folder / "cases.csv").write_text(HEADER + "\n".join(lines), "utf-8")
    return EvaluateRequest("region-net", (str(folder / "cases.csv"),), str(out), **terms)


def test_heads_are_measured_with_labels_and_told_without(folder: Path, tmp_path: Path) -> None:
    asked = _asked(
        folder,
        tmp_path,
        "known,p1,a.nii.gz,a_DLMUSE.nii.gz,40",
        "bare,p2,a.nii.gz,,",
        "old,seen,a.nii.gz,a_DLMUSE.nii.gz,40",
        "gone,p3,b.nii.gz,,",
    )
    body = evaluate.evaluate(Silent(), asked)
    lines = (tmp_path / "predictions.csv").read_text("utf-8").splitlines()
    told = {row["case"]: row for row in csv.DictReader(lines)}
    assert list(told) == ["known", "bare"]
    # The same picture gets the same answer, whether its labels are known or not.
    assert told["known"]["age"] == told["bare"]["age"]
    assert float(told["known"]["dice"]) > 0.5  # the atlas of this very head
    assert told["bare"]["dice"] == told["bare"]["gap_raw"] == ""
    (part,) = body["data"]
    assert (part["cases"], part["seen_in_training"]) == (2, 1)
    assert [one["case"] for one in part["skipped"]] == ["gone"]
    rows = {(r["name"], r["group"]): r for r in body["metrics"] if r["predictor"] == "model"}
    assert rows["dice", "all"]["n"] == rows["mae", "all"]["n"] == 1
    assert rows["volume_bias", "region:white matter left"]["n"] == 1
    assert rows["volume_bias", "region:thalamus left"]["n"] == 0  # the head has none
    written = json.loads((tmp_path / "metrics.json").read_text("utf-8"))
    assert written["metrics"] == body["metrics"]
    assert written["schema"] == "medview.metrics/1"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("x,seen,a.nii.gz,a_DLMUSE.nii.gz,40", "no head is left to measure; 1 are of patients"),
        ("x,p,cases.csv,,40", "x: none of 1 cases can be used; not a medical image"),
    ],
)
def test_nothing_left_to_measure_is_refused(
    folder: Path, tmp_path: Path, line: str, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        evaluate.evaluate(Silent(), _asked(folder, tmp_path, line))


def test_a_seen_head_is_measured_when_asked_for_and_its_patient_hidden(
    folder: Path, tmp_path: Path
) -> None:
    line = "x,seen,a.nii.gz,a_DLMUSE.nii.gz,"
    asked = _asked(folder, tmp_path, line, include_seen=True, private=True)
    evaluate.evaluate(Silent(), asked)
    (told,) = csv.DictReader((tmp_path / "predictions.csv").read_text("utf-8").splitlines())
    assert told["patient"] == shown_patient("seen", private=True)
    assert told["patient"] != patient_hash("seen")
