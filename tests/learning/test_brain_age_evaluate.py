"""Measuring an age model: what is left out is counted, what does not fit is told."""

import csv
import json

import pytest
from age_sets import IXI_HEADER, ixi_rows, write_abide, write_ixi_table, write_rows
from age_weights import write_age_weights

from medview.domain.errors import DataError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Silent
from medview.learning.brain_age_evaluate import OTHER_COLUMNS, refuse_other_columns
from medview.learning.evaluate import evaluate
from medview.learning.subset import LeftOut


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return write_age_weights(tmp_path_factory.mktemp("age"))[0]


def strangers(count=20):
    return [[f"N{row[0]}", f"N{row[1]}", *row[2:]] for row in ixi_rows(count, seed=5)]


def measured(weights, data, out, **more):
    request = EvaluateRequest("brain-age", (str(data),), str(out), weights=str(weights), **more)
    return evaluate(Silent(), request)


def test_strangers_are_measured_beside_mean_and_ridge(trained, tmp_path):
    write_ixi_table(tmp_path / "d", strangers())
    body = measured(trained, tmp_path / "d", tmp_path / "out")
    mae = {
        row["predictor"]: row["value"]
        for row in body["metrics"]
        if (row["name"], row["group"]) == ("mae", "all")
    }
    assert set(mae) == {"model", "mean", "ridge"}
    assert mae["ridge"] < mae["mean"]
    kept = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert kept["schema"] == "medview.metrics/1"
    assert kept["metrics"] == body["metrics"]


def test_people_seen_in_training_are_counted_and_left_out(trained, tmp_path):
    write_ixi_table(tmp_path / "d", [*strangers(12), *ixi_rows(40)[:7]])
    body = measured(trained, tmp_path / "d", tmp_path / "out")
    assert (body["data"][0]["cases"], body["data"][0]["seen_in_training"]) == (12, 7)
    both = measured(trained, tmp_path / "d", tmp_path / "all", include_seen=True)
    assert both["data"][0]["cases"] == 19
    write_ixi_table(tmp_path / "seen")
    with pytest.raises(DataError, match="40 are of patients that the weights were trained on"):
        measured(trained, tmp_path / "seen", tmp_path / "no")


def test_a_set_of_other_columns_is_told_and_the_rest_measured(trained, tmp_path):
    write_ixi_table(tmp_path / "d" / "ixi", strangers())
    write_abide(tmp_path / "d" / "abide")
    body = measured(trained, tmp_path / "d", tmp_path / "out")
    lines = {line["subset"]: line for line in body["data"]}
    assert lines["ixi-roi"]["cases"] == 20
    assert lines["abide"]["cases"] == 0
    assert lines["abide"]["skipped"][0]["case"] == "all 24 of abide"
    assert "MUSE_702" in lines["abide"]["skipped"][0]["what"]


def test_of_a_table_that_cannot_be_read_its_fault_is_told_not_missing_features(trained, tmp_path):
    (tmp_path / "smri.csv").write_text("case,a,a\none,1,2\n")
    (tmp_path / "cases.csv").write_text("case,age_years,smri\none,50,smri.csv\n")
    with pytest.raises(DataError, match=r'smri\.csv: the column "a" is given twice'):
        measured(trained, tmp_path / "cases.csv", tmp_path / "out")


def test_a_set_of_other_columns_alone_is_refused_with_all_its_cases(trained, tmp_path):
    write_abide(tmp_path / "abide")
    with pytest.raises(DataError, match='all 24 of abide cannot be used: the column "MUSE_702"'):
        measured(trained, tmp_path / "abide", tmp_path / "out")


def test_beside_a_set_of_other_columns_people_of_the_training_are_counted():
    odd = [LeftOut("all 9 of other", OTHER_COLUMNS, "it has no smri features")]
    with pytest.raises(DataError, match=r"no smri features; 5 more are of patients that") as told:
        refuse_other_columns(odd, 5)
    assert "include the seen ones" in told.value.do


def test_parts_that_a_set_names_itself_have_figures_of_their_own(trained, tmp_path):
    folder, people = tmp_path / "d", strangers(8)
    rows = [[f"x{n}", "60", "internal" if n < 5 else "external", f"{n}.csv"] for n in range(8)]
    write_rows(folder / "cases.csv", ("case", "age_years", "part", "smri"), rows)
    for number, row in enumerate(people):
        write_rows(folder / f"{number}.csv", IXI_HEADER, [row])
    body = measured(trained, folder, tmp_path / "out")
    counts = {r["group"]: r["n"] for r in body["metrics"] if r["name"] == "mae"}
    assert (counts["all"], counts["part:internal"], counts["part:external"]) == (8, 5, 3)


def test_ages_outside_the_training_are_marked_and_parts_kept_apart(trained, tmp_path):
    folder = tmp_path / "d"
    rows = [["x1", "30", "test", "a.csv"], ["x2", "60", "train", "b.csv"], ["x3", "", "", "c.csv"]]
    write_rows(folder / "cases.csv", ("case", "age_years", "split", "smri"), rows)
    for name, row in zip("abc", strangers(3), strict=True):
        write_rows(folder / f"{name}.csv", IXI_HEADER, [row])
    body = measured(trained, folder, tmp_path / "out")
    assert (body["data"][0]["cases"], body["data"][0]["other_split"]) == (2, 1)
    with (tmp_path / "out" / "predictions.csv").open(newline="") as file:
        lines = {row["case"]: row for row in csv.DictReader(file)}
    assert lines["x1"]["age_status"] == "extrapolating"
    assert lines["x3"]["gap_raw"] == ""
    assert float(lines["x1"]["gap_raw"]) == pytest.approx(float(lines["x1"]["age"]) - 30)
    assert measured(trained, folder, tmp_path / "all", split="all")["data"][0]["cases"] == 3
