"""``medview evaluate`` as a user types it."""

import json

import pytest
from brains import head, write_ixi, write_nifti
from weights_for_tests import write_weights

from medview.cli import evaluate, main
from medview.cli.contract import Context
from medview.services.versions import register

pytestmark = pytest.mark.usefixtures("lasting_children")


def test_figures_predictions_and_slices_stand_in_the_folder(tmp_path, capsys):
    weights = write_weights(tmp_path / "w")
    write_nifti(tmp_path / "set" / "a.nii.gz", head()[:, :, 20])
    (tmp_path / "set" / "cases.csv").write_text("case,t1,label\nx,a.nii.gz,1\n")
    out = tmp_path / "out"
    line = ["evaluate", "anomaly", "--data", f"cases={tmp_path / 'set' / 'cases.csv'}"]
    options = ["--weights", str(weights), "--samples", "1", "--threads", "1", "--json"]
    assert main([*line, *options, "--out", str(out)]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["schema"] == "medview.metrics/1"
    assert (body["model"], body["seed"], body["parameters"]["samples"]) == ("anomaly", 0, 1)
    assert body["data"][0]["cases"] == 1
    assert {path.name for path in out.iterdir()} == {
        "metrics.json",
        "predictions.csv",
        "slices.csv",
    }


def test_a_list_whose_label_is_misspelt_has_predictions_and_is_told_why_no_figures(
    tmp_path, capsys
):
    (tmp_path / "s.csv").write_text("Hours,Heart Rate\n0,80\n3,90\n")
    (tmp_path / "cases.csv").write_text("case,series,mortalty\nx,s.csv,1\n")
    out = tmp_path / "out"
    line = ["evaluate", "icu", "--data", f"cases={tmp_path / 'cases.csv'}", "--samples", "1"]
    assert main([*line, "--threads", "1", "--json", "--out", str(out)]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["metrics"] == []
    assert "no case has a label" in body["notes"][-1]
    assert len((out / "predictions.csv").read_text().splitlines()) == 2


def test_private_figures_name_no_case_and_no_file(tmp_path, capsys):
    weights = write_weights(tmp_path / "w")
    write_nifti(tmp_path / "set" / "jane.nii.gz", head()[:, :, 20])
    rows = "case,t1,label\nDoe,jane.nii.gz,1\nRoe,roe.nii.gz,0\n"
    (tmp_path / "set" / "cases.csv").write_text(rows)
    out = tmp_path / "out"
    line = ["evaluate", "anomaly", "--data", f"cases={tmp_path / 'set' / 'cases.csv'}"]
    options = ["--weights", str(weights), "--samples", "1", "--threads", "1", "--private"]
    assert main([*line, *options, "--json", "--out", str(out)]) == 0
    told = capsys.readouterr()
    left = told.out + told.err + "".join(path.read_text() for path in out.iterdir())
    for name in ("Doe", "Roe", "jane", "roe.nii", str(tmp_path)):
        assert name not in left


def test_nothing_stands_in_the_folder_when_all_patients_were_seen(tmp_path, capsys):
    weights = write_weights(tmp_path / "w", seen=("IXI012",))
    write_ixi(tmp_path / "ixi", "IXI012-HH-1211")
    line = ["evaluate", "anomaly", "--data", str(tmp_path / "ixi"), "--weights", str(weights)]
    assert main([*line, "--out", str(tmp_path / "out"), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["code"] == "MV-DAT-140"
    assert not (tmp_path / "out").exists()


ROW = {
    "subset": "set a", "level": "slice", "name": "pr_auc", "group": "modality:smri",
    "predictor": "film_count", "value": 0.5, "low": 0.4, "high": 0.61, "n": 9, "n_patients": 1,
    "prevalence": 0.25,
}  # fmt: skip
PART = {"subset": "set a", "cases": 9, "patients": 4, "seen_in_training": 3, "skipped": ()}


def test_figures_are_told_in_words_and_not_as_columns():
    body = {"data": [PART], "metrics": [ROW | {"group": "all"}]}
    left_out, _, told = evaluate._in_words(body).splitlines()
    assert left_out == "set a: 9 cases of 4 patients; 3 left out as seen in training, 0 not usable"
    assert told == (
        "set a  slice average precision  the number of films: 0.500 [0.400, 0.610]  "
        "n 9, 1 patient, prevalence 0.250"
    )
    assert "modality smri" in evaluate._row_words(ROW)
    difference = evaluate._row_words(ROW | {"name": "min_se_ppv_difference", "level": "case"})
    assert difference.startswith("set a  sensitivity or PPV, the smaller one, difference (")


def test_patients_that_were_seen_are_not_said_to_be_left_out_where_they_are_not():
    body = {"data": [PART], "metrics": []}
    (told,) = evaluate._in_words(body, with_seen=True).strip().splitlines()
    assert "3 of them seen in training, so too good" in told
    assert "left out" not in told


@pytest.mark.parametrize(
    ("model", "options", "code", "says"),
    [
        ("anomaly@9", (), 2, "no version 9 of anomaly"),
        ("anomaly", ("--weights", "gone.safetensors"), 3, "gone.safetensors"),
        ("anomaly", ("--variables", "map.yaml"), 2, "--variables is not for anomaly"),
    ],
)
def test_what_cannot_be_measured_is_told(tmp_path, capsys, model, options, code, says):
    line = ["evaluate", model, "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main([*line, *options]) == code
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_version_is_measured_by_its_name(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    weights = write_weights(tmp_path / "w")
    own = register(weights, "mine")
    asked = []
    body = {"data": [], "metrics": []}
    monkeypatch.setattr(
        Context, "call", lambda self, lane, work, given: asked.append(given) or body
    )
    out = str(tmp_path / "out")
    assert main(["evaluate", "anomaly@mine", "--data", "d", "--out", out, "--json"]) == 0
    assert (asked[0].model, asked[0].weights) == ("anomaly", str(own.weights))


def test_an_unknown_model_is_wrong_use(tmp_path, capsys):
    out = str(tmp_path / "out")
    assert main(["evaluate", "tea-leaves", "--data", str(tmp_path), "--out", out]) == 2
    assert "tea-leaves cannot be evaluated" in capsys.readouterr().err
