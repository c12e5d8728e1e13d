"""The image route: scores, maps, warnings and refusals, on a made-up head."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from age_sets import ixi_rows, write_abide, write_ixi_table
from age_weights import write_age_weights
from region_heads import labelled_head, people, write_head

from medview.domain.card import Figure
from medview.domain.errors import DataError, ModelInputError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.prediction import InputRef, RunRequest
from medview.domain.progress import Silent
from medview.domain.volume import Volume
from medview.learning import brain_age_routes, brain_age_t1, brain_age_t1_evaluate, regions
from medview.learning.brain_age_t1 import run_t1
from medview.learning.evaluate import evaluate
from medview.learning.patients import patient_hash
from medview.learning.region_age import VolumeError, fit_age
from medview.learning.region_augment import atlas_of
from medview.learning.region_card import Trained, make_card
from medview.learning.region_cases import LabelledHead
from medview.learning.region_trainer import RegionRecipe
from medview.learning.regions import RegionModel, Regions, find_regions
from medview.models.region_net import RegionNet, RegionOptions

SMALL = RegionOptions(widths=(8, 8))


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> LabelledHead:
    return labelled_head(Path(tmp_path_factory.mktemp("head")))


@pytest.fixture(scope="module")
def model(head: LabelledHead) -> RegionModel:
    torch.manual_seed(0)
    network = RegionNet(SMALL)
    network.start_from(atlas_of([head.for_training()]))
    ml, age = people(60)
    fitted = fit_age(ml, age, VolumeError(np.zeros(10), np.full(10, 0.05)))
    card = make_card(Trained([], [], None, RegionRecipe(), SMALL), fitted, [])
    card = replace(card, seen_patients=(patient_hash("seen"), patient_hash("IXI002")))
    return RegionModel(network.eval(), card, fitted)


@pytest.fixture(scope="module")
def found(head: LabelledHead, model: RegionModel) -> Regions:
    """What the network finds in the head, shown at one place of its blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regions, "_STEPS", (0,))
        return find_regions(head.volume, model.network, head.box)


@pytest.fixture(autouse=True)
def _throwaway(model: RegionModel, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (brain_age_t1, brain_age_t1_evaluate):
        monkeypatch.setattr(module, "load_region_model", lambda *_: model)
    monkeypatch.setattr(regions, "_STEPS", (0,))  # half the time, the same way


def _request(volume: Volume, **fields: Any) -> RunRequest:
    k, j, i = volume.geometry.shape
    ref = InputRef("t1", "1", "1.2", 0, "ab", (i, j, k))
    return RunRequest("brain-age", {"t1": volume}, (ref,), **fields)


def test_a_run_says_age_gaps_volumes_and_where_the_regions_are(head: LabelledHead) -> None:
    found = run_t1(Silent(), _request(head.volume, age_years=44.0))
    age, raw = found.score("age"), found.score("gap_raw")
    assert age is not None
    assert raw is not None
    assert age.low < age.value < age.high
    assert raw.value == pytest.approx(age.value - 44)
    assert found.score("gap_corrected").value is not None
    assert found.score("sex_male").status == "not_available"
    assert found.score("intracranial_volume_ml").value == pytest.approx(head.ml.sum(), rel=0.15)
    assert found.score("ventricles_ml").low < found.score("ventricles_ml").value
    regions = found.map("regions")
    assert (regions.kind, len(regions.labels)) == ("labels", 27)
    assert regions.labels[:2] == ("lateral ventricle right", "lateral ventricle left")
    assert regions.array.shape == head.volume.array.shape
    assert found.map("seen").array.max() <= 1
    assert found.parameters == {"route": "t1", "age_years": 44.0}
    assert found.inputs[0].role == "t1"


def test_without_an_age_there_is_no_gap(head: LabelledHead) -> None:
    found, again = (brain_age_routes.run(Silent(), _request(head.volume)) for _ in range(2))
    assert found.scores == again.scores
    assert np.array_equal(found.map("regions").array, again.map("regions").array)
    for name in ("gap_raw", "gap_corrected"):
        score = found.score(name)
        assert (score.value, score.status) == (None, "not_available")
        assert "age" in score.meaning
    codes = [note.code for note in found.warnings]
    assert "OUTSIDE_TRAINING" in codes  # most regions are missing in this head
    assert {score.status for score in found.scores} == {"extrapolating", "not_available"}


def test_an_age_beyond_those_learnt_from_is_told(model: RegionModel, found: Regions) -> None:
    old = replace(model.age, high=model.age.low + 0.01)
    scores = brain_age_t1.scores_of(replace(model, age=old), found, None)
    assert scores[0].status == "extrapolating"
    bare = brain_age_t1.scores_of(replace(model, age=None), found, 40.0)
    assert [s.status for s in bare[:4]] == ["not_available"] * 4


def test_a_volume_known_to_come_out_too_large_has_its_interval_below(
    model: RegionModel, found: Regions
) -> None:
    off = replace(model.age, error_middle=(0.4, 0.0, *model.age.error_middle[2:]))
    scores = {s.name: s for s in brain_age_t1.scores_of(replace(model, age=off), found, None)}
    large, right = scores["ventricles_ml"], scores["fluid_round_the_brain_ml"]
    both = 1.96 * np.hypot(0.05, 0.05)  # of its share of the head, and of the head
    assert large.low == pytest.approx(large.value * np.exp(-0.4 - both))
    assert large.high == large.value
    assert right.high / right.value == pytest.approx(np.exp(both))


def test_the_interval_of_a_volume_holds_the_mean_error_of_each_measured_set(
    model: RegionModel, found: Regions
) -> None:
    rows = (
        Figure("volume_bias", 25.0, "elderly-t1", group="group:cortical grey"),
        Figure("volume_bias", -20.0, "other", group="group:cortical grey"),
        Figure("volume_bias", 90.0, "ixi", group="group:cortical grey", predictor="another net"),
        Figure("volume_error", 10.0, "elderly-t1", group="region:intracranial volume"),
    )
    known = replace(model, card=replace(model.card, measured=rows))
    scores = {s.name: s for s in brain_age_t1.scores_of(known, found, None)}
    grey, head = scores["cortical_grey_ml"], scores["intracranial_volume_ml"]
    usual, whole = np.exp(1.96 * np.hypot(0.05, 0.05)), np.exp(1.96 * 0.05)
    assert (grey.value / grey.low, grey.high / grey.value) == pytest.approx(
        (1.25 * usual, usual / 0.8)
    )
    assert (head.value / head.low, head.high / head.value) == pytest.approx(
        (1.1 * whole, whole / 0.9)
    )
    unknown = scores["thalamus_ml"]
    assert unknown.high / unknown.value == pytest.approx(usual)


def test_what_is_no_mr_volume_is_refused(head: LabelledHead) -> None:
    with pytest.raises(ModelInputError, match="CT"):
        run_t1(Silent(), _request(replace(head.volume, modality="CT")))
    middle = head.volume.geometry.shape[0] // 2
    thin = replace(head.volume.geometry, shape=(1, *head.volume.geometry.shape[1:]))
    slice_only = Volume(head.volume.array[middle : middle + 1], thin, modality="MR")
    with pytest.raises(ModelInputError, match="single slice"):
        run_t1(Silent(), _request(slice_only))
    few = replace(head.volume.geometry, shape=(12, *head.volume.geometry.shape[1:]))
    part = Volume(head.volume.array[middle : middle + 12], few, modality="MR")
    with pytest.raises(ModelInputError, match="12 slices, 24 mm"):
        run_t1(Silent(), _request(part))
    empty = replace(_request(head.volume), volumes={})
    with pytest.raises(ModelInputError, match="T1 volume"):
        run_t1(Silent(), empty)


def _list(folder: Path, rows: str) -> Path:
    path = folder / "cases.csv"
    path.write_text("case,patient,t1,age_years\n" + rows)
    return path


@pytest.mark.usefixtures("found_already")
def test_a_case_list_is_measured_without_the_patients_seen(tmp_path: Path) -> None:
    write_head(tmp_path, "a")
    rows = "a,pa,a.nii.gz,41\nb,seen,a.nii.gz,41\nc,pc,a.nii.gz,\n"
    path = _list(tmp_path, rows)
    out = tmp_path / "out"
    body = evaluate(Silent(), EvaluateRequest("brain-age", (str(path),), str(out)))
    assert body["data"][0]["seen_in_training"] == 1
    assert body["data"][0]["cases"] == 2
    figures = {(r["predictor"], r["name"]): r for r in body["metrics"]}
    assert figures["model", "mae"]["n"] == 1
    assert figures["mean", "mae"]["value"] > 0
    assert figures["model", "mae"]["task"] == "brain-age"
    with (out / "predictions.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["case"] for line in lines] == ["a", "c"]
    assert lines[0]["age"] == lines[1]["age"] != ""
    assert lines[1]["gap_raw"] == ""
    assert {line["route"] for line in lines} == {"t1"}
    assert (out / "metrics.json").is_file()


def test_a_list_with_nothing_left_is_refused(tmp_path: Path) -> None:
    write_head(tmp_path, "a")
    path = _list(tmp_path, "b,seen,a.nii.gz,41\n")
    with pytest.raises(DataError, match="no T1 volume is left"):
        evaluate(Silent(), EvaluateRequest("brain-age", (str(path),), str(tmp_path / "out")))


@pytest.fixture
def found_already(found: Regions, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network has been asked before; which heads are asked about matters here."""
    monkeypatch.setattr(brain_age_t1_evaluate, "find_regions", lambda *_: found)


def _heads(folder: Path) -> Path:
    """A folder as IXI's: two people, one of whom the weights have seen."""
    for name in ("IXI001-HH-1-T1_ds", "IXI002-HH-2-T1_ds"):
        write_head(folder, name)
    rows = "MRID,Age,Sex\nIXI001-HH-1,41.5,F\nIXI002-HH-2,30,M\n"
    (folder / "participants.csv").write_text(rows)
    return folder


@pytest.mark.usefixtures("found_already")
@pytest.mark.parametrize("layout", ["", "ixi-t1="])
def test_a_folder_of_heads_is_measured_without_a_list(tmp_path: Path, layout: str) -> None:
    data = (f"{layout}{_heads(tmp_path / 'heads')}",)
    body = evaluate(Silent(), EvaluateRequest("brain-age", data, str(tmp_path / "out")))
    (line,) = body["data"]
    assert (line["subset"], line["cases"], line["seen_in_training"]) == ("ixi-t1", 1, 1)
    assert {row["n"] for row in body["metrics"]} == {1}
    with (tmp_path / "out" / "predictions.csv").open(newline="") as file:
        (told,) = csv.DictReader(file)
    assert (told["case"], told["patient"], told["true_age"]) == ("IXI001-HH-1", "IXI001", "41.5")


@pytest.mark.usefixtures("found_already")
def test_heads_beside_tables_of_features_are_measured_with_them(tmp_path: Path) -> None:
    weights = write_age_weights(tmp_path / "w")[0]
    heads, table = _heads(tmp_path / "data" / "heads"), tmp_path / "data" / "table"
    new = [[f"N{row[0]}", f"N{row[1]}", *row[2:]] for row in ixi_rows(5, seed=5)]
    write_ixi_table(table, new)

    def measured(*data: Path) -> list[tuple[str, int, int]]:
        given = tuple(str(path) for path in data)
        asked = EvaluateRequest("brain-age", given, str(tmp_path / "out"), str(weights))
        names = ("subset", "cases", "seen_in_training")
        return [tuple(part[name] for name in names) for part in evaluate(Silent(), asked)["data"]]

    assert measured(tmp_path / "data") == [("ixi-roi", 5, 0), ("ixi-t1", 1, 1)]
    assert measured(table, heads) == [("ixi-roi", 5, 0), ("ixi-t1", 1, 1)]
    # Where the weights have seen all of one kind, these are counted and the other is measured.
    assert measured(heads, tmp_path / "w" / "data") == [("ixi-roi", 0, 40), ("ixi-t1", 1, 1)]
    write_abide(tmp_path / "other")  # has no column that the model takes
    assert measured(heads, tmp_path / "other") == [("abide", 0, 0), ("ixi-t1", 1, 1)]
    (heads / "IXI001-HH-1-T1_ds.nii.gz").unlink()
    assert measured(tmp_path / "data") == [("ixi-roi", 5, 0), ("ixi-t1", 0, 1)]
    with pytest.raises(DataError, match="no T1 volume is left"):
        measured(heads)
    # 40 rows and one head, all of people whom the weights have seen.
    with pytest.raises(DataError, match="no case is left to measure; 41 are of patients"):
        measured(heads, tmp_path / "w" / "data")
    with pytest.raises(DataError, match="abide cannot be used"):
        measured(heads, tmp_path / "other")
    write_head(heads, "IXI001-HH-1-T1_ds")
    (heads / "IXI001-HH-1-T1_ds.nii.gz").write_bytes(b"torn")
    with pytest.raises(DataError, match="none of 1 cases can be used"):
        measured(heads, tmp_path / "w" / "data")
