"""Evaluation end to end, on miniatures and with weights that have learnt nothing."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from brains import head, write_ixi, write_nifti
from weights_for_tests import write_weights

from medview.domain.errors import DataError, UsageError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Silent
from medview.learning import anomaly_evaluate as evaluation
from medview.learning.evaluate import evaluate
from medview.learning.subset import LeftOut

pytestmark = pytest.mark.usefixtures("one_thread", "narrow")


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights"), seen=("IXI012",))


@pytest.fixture
def ask(weights, tmp_path, monkeypatch):
    """Evaluate with one draw of the model and of the lesions; the body and what was written."""
    monkeypatch.setattr(evaluation, "DRAWS", 1)

    def asked(*data, **fields):
        request = EvaluateRequest(
            "anomaly", tuple(map(str, data)), str(tmp_path / "out"), str(weights), 1
        )
        return evaluate(Silent(), replace(request, **fields))

    return asked


def write_slices(folder: Path, *names: str) -> None:
    """Single slices with their brain masks: quick to measure."""
    for number, name in enumerate(names):
        picture = head(seed=number)[:, :, 20]
        write_nifti(folder / f"{name}.nii.gz", picture)
        write_nifti(folder / f"{name}-brain.nii.gz", (picture > 100).astype(np.uint8))


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_seen_patients_are_left_out_and_counted(ask, tmp_path):
    write_ixi(tmp_path / "ixi", "IXI012-HH-1211", "IXI013-HH-1212")
    body = ask(tmp_path / "ixi")
    (part,) = body["data"]
    assert (part["cases"], part["patients"], part["seen_in_training"]) == (1, 1, 1)
    predictions = table(tmp_path / "out", "predictions.csv")
    assert [line["case"] for line in predictions] == ["IXI013-HH-1212"]
    assert list(predictions[0])[:5] == ["case", "patient", "site", "subset", "anomaly"]
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert written == {"schema": "medview.metrics/1", **body}
    rows = {(r["predictor"], r["level"], r["name"], r["group"]) for r in body["metrics"]}
    assert ("model", "slice", "roc_auc", "twin") in rows
    assert ("brain_area", "slice", "roc_auc", "all") in rows
    judged = [r for r in body["metrics"] if r["truth"] == "normal brains"]
    assert {r["name"] for r in judged} == {"coverage", "rmse", "predicted_sd"}
    assert all(r["truth"] == "synthetic lesions" for r in body["metrics"] if r not in judged)
    fifth = {r["name"]: r["value"] for r in judged if r["group"] == "uncertainty:1/5"}
    assert {line["case"] for line in table(tmp_path / "out", "synthetic_slices.csv")}
    assert not (tmp_path / "out" / evaluation.PIXELS).exists()
    told = drawn_errors(tmp_path / "out")
    assert f"{fifth['rmse']:.3f} at {fifth['predicted_sd']:.3f}," in told


def test_baselines_learn_from_normals_that_are_not_measured_and_templates_are_not(
    ask, tmp_path, monkeypatch
):
    fitted = []
    monkeypatch.setattr(evaluation, "fit_baselines", lambda ready, seed: fitted.extend(ready) or ())
    monkeypatch.setattr(evaluation, "NOTES", {"cases": "of tables", "ixi-t1": "of volumes"})
    write_slices(tmp_path, *"abc")
    (tmp_path / "cases.csv").write_text(
        "case,patient,t1,brain,label\n"
        "seen,IXI012,a.nii.gz,a-brain.nii.gz,0\n"
        "lesion,IXI012,b.nii.gz,b-brain.nii.gz,1\n"
        "broken,IXI012,none.nii.gz,,0\n"
        "new,IXI013,c.nii.gz,c-brain.nii.gz,0\n"
    )
    template = np.where(head() > 100, head(), 0).astype(np.uint8)
    write_nifti(tmp_path / "t" / "mni_icbm152_t1_tal_nlin_sym_09a.nii.gz", template)
    body = ask(tmp_path / "cases.csv", tmp_path / "t")
    assert [each.case.subset for each in fitted] == ["cases", "mni152"]
    assert fitted[0].case.case == "seen"
    assert [(part["subset"], part["cases"]) for part in body["data"]] == [("cases", 1)]
    assert body["notes"][0] == "of tables"
    assert "of volumes" not in body["notes"]


def bare(slices, name):
    return SimpleNamespace(prepared=SimpleNamespace(slices=[0] * slices), name=name)


def test_single_slices_are_asked_together_and_volumes_alone(monkeypatch):
    monkeypatch.setattr(evaluation, "TOGETHER", 2)
    gone = LeftOut("gone", "MV-X", "no image")
    given = [bare(1, "a"), None, bare(9, "V"), bare(1, "b"), bare(1, "c"), bare(1, "d")]
    ready = [(each, None if each else gone) for each in given]
    skipped = []
    blocks = [[one.name for one in block] for block in evaluation._blocks(ready, skipped)]
    assert blocks == [["a"], ["V"], ["b", "c"], ["d"]]
    assert skipped == [gone]


def test_volumes_are_scored_with_their_step_and_single_slices_without(ask, tmp_path, monkeypatch):
    steps, scored = [], evaluation.model_scores

    def watched(*given, step_mm):
        steps.append(step_mm)
        return scored(*given, step_mm=step_mm)

    monkeypatch.setattr(evaluation, "model_scores", watched)
    write_slices(tmp_path, "a")
    write_nifti(tmp_path / "b.nii.gz", head(seed=1))
    (tmp_path / "cases.csv").write_text("case,t1,brain\nx,a.nii.gz,a-brain.nii.gz\ny,b.nii.gz,\n")
    ask(tmp_path / "cases.csv")
    assert [each and round(each, 3) for each in steps] == [None, 4.0]


def drawn_errors(folder: Path) -> str:
    """What uncertainty.svg says of itself."""
    elements = ElementTree.fromstring((folder / "uncertainty.svg").read_text()).iter()
    return next(each.text for each in elements if each.tag.endswith("title"))


def test_seen_patients_can_be_asked_for(ask, tmp_path):
    write_ixi(tmp_path / "ixi", "IXI012-HH-1211")
    with pytest.raises(DataError, match="no case is left"):
        ask(tmp_path / "ixi")
    body = ask(tmp_path / "ixi", include_seen=True)
    assert body["data"][0]["cases"] == 1


def test_predictions_are_written_without_any_label(ask, tmp_path):
    write_slices(tmp_path, "a")
    write_nifti(tmp_path / "b.nii.gz", head(seed=1))
    (tmp_path / "cases.csv").write_text(
        "case,site,t1,brain\nx,HH,a.nii.gz,a-brain.nii.gz\ny,,b.nii.gz,\nz,,c.nii.gz,\n"
    )
    body = ask(tmp_path / "cases.csv")
    assert body["metrics"] == []
    (part,) = body["data"]
    assert [one["case"] for one in part["skipped"]] == ["z"]
    lines = table(tmp_path / "out", "predictions.csv")
    assert [(line["case"], line["site"]) for line in lines] == [("x", "HH"), ("y", "")]
    assert all(np.isfinite(float(line["anomaly"])) for line in lines)
    assert {line["label"] for line in table(tmp_path / "out", "slices.csv")} == {""}
    assert not (tmp_path / "out" / "uncertainty.svg").exists()


def test_a_lesion_mask_gives_pixel_figures_and_slice_labels(ask, tmp_path):
    mask = np.zeros(head().shape, np.uint8)
    mask[18:22, 22:26, 19:21] = 1
    write_nifti(tmp_path / "a.nii.gz", head())
    write_nifti(tmp_path / "m.nii.gz", mask)
    write_nifti(tmp_path / "b.nii.gz", (head() > 100).astype(np.uint8))
    (tmp_path / "cases.csv").write_text("case,t1,mask,brain\nx,a.nii.gz,m.nii.gz,b.nii.gz\n")
    body = ask(tmp_path / "cases.csv")
    names = {(r["level"], r["name"]) for r in body["metrics"] if r["predictor"] == "model"}
    assert {("pixel", "pr_auc"), ("pixel", "dice_best"), ("pixel", "hit_rate")} <= names
    labels = {line["slice"]: line["label"] for line in table(tmp_path / "out", "slices.csv")}
    assert [k for k, label in labels.items() if label == "1"] == ["19", "20"]
    (lesion,) = table(tmp_path / "out", evaluation.PIXELS)
    assert (lesion["case"], lesion["subset"]) == ("x", "cases")
    assert not (tmp_path / "out" / "synthetic_slices.csv").exists()


@pytest.mark.parametrize("broken", ["gone.nii.gz", "text.nii.gz"])
def test_data_without_a_single_usable_case_is_refused_with_the_reason(ask, tmp_path, broken):
    (tmp_path / "text.nii.gz").write_text("no image")
    (tmp_path / "cases.csv").write_text(f"case,t1\nx,{broken}\n")
    with pytest.raises(DataError, match=r"x: none of 1 cases can be used; .+"):
        ask(tmp_path / "cases.csv")


def test_cases_marked_for_training_are_left_out_unless_all_are_asked_for(ask, tmp_path):
    write_slices(tmp_path, "a")
    (tmp_path / "cases.csv").write_text(
        "case,split,t1,brain\nx,train,a.nii.gz,a-brain.nii.gz\ny,test,a.nii.gz,a-brain.nii.gz\n"
    )
    (part,) = ask(tmp_path / "cases.csv")["data"]
    assert (part["cases"], part["other_split"]) == (1, 1)
    assert ask(tmp_path / "cases.csv", split="all")["data"][0]["cases"] == 2


def test_the_same_seed_gives_the_same_numbers(ask, tmp_path):
    write_slices(tmp_path, *"abcdef")
    lines = [f"{name},{name}.nii.gz,{name}-brain.nii.gz,0" for name in "abcdef"]
    path = tmp_path / "cases.csv"
    path.write_text("\n".join(["case,t1,brain,label", *lines]))

    def scores(seed):
        ask(path, seed=seed)
        return [line["anomaly"] for line in table(tmp_path / "out", "predictions.csv")]

    assert scores(0) == scores(0)
    assert scores(0) != scores(1)


def test_patients_are_not_named_when_privacy_is_asked_for(ask, tmp_path):
    write_slices(tmp_path, "a")
    (tmp_path / "cases.csv").write_text("case,patient,t1\nx,Erika Muster,a.nii.gz\n")
    ask(tmp_path / "cases.csv", private=True)
    assert all("Erika" not in path.read_text() for path in (tmp_path / "out").iterdir())


def test_an_unknown_model_is_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="anomaly"):
        evaluate(Silent(), EvaluateRequest("tea-leaves", (str(tmp_path),), str(tmp_path)))
