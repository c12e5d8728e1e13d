"""``medview runs``: trainings beside each other on the command line."""

import json

from services.test_runs import training

from medview.cli import main


def test_the_best_run_comes_first_and_what_differs_is_told(tmp_path, capfd):
    training(tmp_path / "a", [3, 2], rate=0.01)
    training(tmp_path / "b", [3, 1], rate=0.02, figures=[("old", 5.0), ("new", 4.0)])
    assert main(["runs", str(tmp_path), "--json"]) == 0
    body = json.loads(capfd.readouterr().out)
    assert (body["schema"], body["differing"]) == ("medview.runs/1", ["rate"])
    assert [(one["run"], one["best"]["value"]) for one in body["runs"]] == [("b", 1), ("a", 2)]
    assert body["runs"][0]["settings"] == {"rate": "0.02"}
    words = ("runs", str(tmp_path), "--sort", "name", "--out", str(tmp_path / "all.csv"))
    assert main(words) == 0
    told = capfd.readouterr().out.splitlines()
    assert told[0] == "a: brain-age; 2 epochs; lowest validation loss 2 in epoch 2; rate 0.01"
    assert told[2] == "  age, mean absolute error: 5 before, 4 after"
    assert (tmp_path / "all.csv").is_file()


def test_the_newest_comes_first_and_those_of_an_unknown_day_last(tmp_path, capfd):
    for name, day in (("a", ""), ("b", "2026-01-02"), ("c", "2026-03-04"), ("d", "")):
        told = training(tmp_path / name, [3, 2]) / "run.json"
        told.write_text(json.dumps(json.loads(told.read_text()) | {"made_at": day}))
    assert main(["runs", str(tmp_path), "--sort", "made", "--json"]) == 0
    assert [one["run"] for one in json.loads(capfd.readouterr().out)["runs"]] == list("cbad")


def test_private_runs_go_by_numbers(tmp_path, capfd):
    training(tmp_path / "Mrs Smith", [3, 2])
    assert main(["runs", str(tmp_path), "--private"]) == 0
    assert "Smith" not in capfd.readouterr().out


def test_where_nothing_was_trained_it_is_said(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path))
    assert main(["runs"]) == 3
    assert "no training was made in the window yet" in capfd.readouterr().err
    assert main(["runs", str(tmp_path)]) == 3
    assert "there is no training in it" in capfd.readouterr().err
