"""Trainings beside each other: settings, curves, best points."""

import csv
import json

import pytest

from medview.domain.errors import DataError
from medview.domain.training import TrainRequest
from medview.services import runs as module
from medview.services.runs import (
    RUNS,
    differing,
    keep_run,
    read_run,
    read_runs,
    write_curves,
    write_run,
)


def training(folder, values, *, rate=0.01, method="full", figures=()):
    """A folder as a training leaves it: losses of validation by epoch, and what it was."""
    folder.mkdir(parents=True)
    with (folder / "history.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("epoch", "part", "name", "value"))
        for epoch, value in enumerate(values, 1):
            table.writerow((epoch, "train", "loss", value / 2))
            table.writerow((epoch, "val", "loss", value))
    request = TrainRequest(
        ("/home/somebody/cases.csv",), str(folder),
        {"rate": rate, "epochs": len(values), "augment": {"noise": 0.1}}, method=method,
    )  # fmt: skip
    rows = [
        {"group": "validation", "task": "age", "level": "case", "name": "mae", "predictor": who,
         "value": value}
        for who, value in figures
    ]  # fmt: skip
    body = {"seconds": 3.5, "weights_sha256": "ab" * 32, "before_after": {"metrics": rows}}
    write_run(folder, "brain-age", request, body)
    return folder


def test_a_run_tells_its_settings_its_best_epoch_and_its_figures(tmp_path):
    folder = training(tmp_path / "a", [3, 1, 2], figures=[("old", 5.0), ("new", 4.0)])
    run = read_run(folder)
    assert (run.model, run.epochs, run.seconds) == ("brain-age", 3, 3.5)
    assert (run.best.part, run.best.name, run.best.epoch, run.best.value) == ("val", "loss", 2, 1)
    assert run.settings["augment.noise"] == "0.1"
    assert run.figures == (("age mae", 5.0, 4.0),)
    assert "somebody" not in (folder / "run.json").read_text()


def test_a_training_that_broke_off_has_no_best_epoch_where_the_loss_is_no_number(tmp_path):
    run = read_run(training(tmp_path / "a", [float("nan"), 2, float("nan")]))
    assert (run.best.epoch, run.best.value) == (2, 2)
    assert read_run(training(tmp_path / "b", [float("nan")])).best is None


def test_only_settings_that_differ_are_told(tmp_path):
    one = training(tmp_path / "a", [3, 1], rate=0.01)
    other = training(tmp_path / "b", [3, 2], rate=0.02, method="head")
    found = read_runs((one, other))
    assert set(differing(found)) == {"rate", "method"}
    assert differing(found[:1]) == ()


def test_what_learns_is_told_also_where_the_recipe_has_a_method_of_its_own(tmp_path):
    request = TrainRequest((), str(tmp_path), {"method": "mdmt", "seed": 7}, method="head", seed=2)
    write_run(tmp_path, "cxr", request, {})
    settings = read_run(tmp_path).settings
    assert (settings["method"], settings["recipe"], settings["seed"]) == ("head", "mdmt", "2")


def test_a_folder_of_runs_stands_for_all_of_them_and_a_curve_alone_is_one(tmp_path):
    training(tmp_path / "a", [3, 1])
    (training(tmp_path / "b", [2, 1]) / "run.json").write_text("{broken")
    found = read_runs((tmp_path,))
    assert [(run.name, run.model, run.epochs) for run in found] == [
        ("a", "brain-age", 2),
        ("b", "", 2),
    ]
    with pytest.raises(DataError, match=r"^nowhere: does not exist\."):
        read_runs((tmp_path / "nowhere",))


def test_kept_runs_are_copies_and_the_oldest_ones_go(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    for value in (3, 2, 1):
        folder = training(tmp_path / f"t{value}", [value])
        keep_run(tmp_path / "home", folder)
    found = read_runs((tmp_path / "home" / RUNS,))
    assert [run.best.value for run in found] == [2, 1]
    (tmp_path / "file").write_text("")
    keep_run(tmp_path / "file", folder)  # a disk that refuses stops nothing


def test_all_curves_go_into_one_table(tmp_path):
    runs = read_runs((training(tmp_path / "a", [3, 1]), training(tmp_path / "b", [2])))
    write_curves(runs, tmp_path / "all.csv")
    with (tmp_path / "all.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert rows[0] == {"run": "a", "epoch": "1", "part": "train", "name": "loss", "value": "1.5"}


def test_the_file_says_what_it_is(tmp_path):
    told = json.loads((training(tmp_path / "a", [1]) / "run.json").read_text())
    assert told["schema"] == "medview.trained/1"
