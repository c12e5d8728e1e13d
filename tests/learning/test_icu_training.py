"""Training of the ICU model: folds, resuming, card, and what the shipped parts may say."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from icu_minis import challenge, hannover

from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.domain.training import TrainRequest
from medview.io.cards import read_card
from medview.io.seen import seen_of
from medview.learning import icu_evidence
from medview.learning.icu_model import load_icu
from medview.learning.icu_training import fit
from medview.learning.patients import patient_hash
from medview.services.recipes import read_recipe

SMALL = (
    "hidden=8", "width=8", "heads=2", "feed_forward=8", "epochs=3", "batch=8", "members=2",
    "rate=2e-2", "hourly_members=1", "hourly_epochs=6", "hourly_hidden=16",
)  # fmt: skip


class Stopped(Exception):
    pass


class StopsAt(Silent):
    """Stops the work in the middle, once it has said something."""

    def __init__(self, words: str) -> None:
        self.words = words

    def report(self, done: int, total: int, text: str = "") -> None:
        if self.words in text:
            raise Stopped


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))


def request(tmp_path, *settings, out="out", resume=False):
    folder = tmp_path / "set"
    if not folder.is_dir():
        challenge(folder, 30)
    recipe = read_recipe("icu", None, (*SMALL, *settings))
    return TrainRequest((str(folder),), str(tmp_path / out), recipe, threads=1, resume=resume)


def history(folder):
    with (folder / "history.csv").open() as file:
        return {(r["epoch"], r["part"], r["name"]): float(r["value"]) for r in csv.DictReader(file)}


def test_a_training_in_folds_measures_stays_it_never_saw_and_learns_the_signal(tmp_path):
    body = fit(Silent(), request(tmp_path, "folds=3", "epochs=8"))
    card = read_card(tmp_path / "out" / "card.json")
    area = next(f for f in card.measured if f.name == "roc_auc" and f.group == "all")
    assert area.value > 0.9
    assert (area.n, area.command.split()[:3]) == (30, ["medview", "train", "icu"])
    names = {f.name for f in card.measured if f.predictor == "model" and f.group == "all"}
    assert names == {"roc_auc", "pr_auc", "min_se_ppv", "brier", "ece"}
    beside = {f.predictor for f in card.measured}
    assert beside == {"model", "uncalibrated", "logistic"}
    assert any(f.group == "all, against:logistic" for f in card.measured)
    assert any("logistic reaches AUROC" in line for line in (*card.limits, *card.method))
    assert any("Calibration error" in line for line in card.method)
    assert card.settings["reliability"]["mortality"]["after"]
    assert (tmp_path / "out" / "baselines.safetensors").is_file()
    assert seen_of(card, [patient_hash("100")])
    assert body["n"] == {"train": 30, "val": 0}
    model, _ = load_icu(tmp_path / "out" / "weights.safetensors")
    assert not model.uses_film
    with (tmp_path / "out" / "splits.csv").open() as file:
        assert {row["part"] for row in csv.DictReader(file)} == {"train"}


@pytest.mark.usefixtures("every_epoch")
def test_an_interrupted_training_goes_on_to_the_same_curve_and_weights(tmp_path):
    whole = fit(Silent(), request(tmp_path, "folds=2", out="whole"))
    with pytest.raises(Stopped):
        fit(StopsAt("folds-2-1: epoch 3"), request(tmp_path, "folds=2", out="parts"))
    assert not (tmp_path / "parts" / "weights.safetensors").exists()
    rest = fit(Silent(), request(tmp_path, "folds=2", out="parts", resume=True))
    one, two = history(tmp_path / "whole"), history(tmp_path / "parts")
    assert one.keys() == two.keys()
    assert all(one[key] == pytest.approx(two[key], abs=1e-6) for key in one)
    assert whole["weights_sha256"] == rest["weights_sha256"]


def test_other_settings_do_not_take_finished_networks(tmp_path):
    fit(Silent(), request(tmp_path))
    kept = (tmp_path / "out" / "checkpoint" / "tasks").glob("*.pt")
    before = {path: torch.load(path, weights_only=True)["identity"] for path in kept}
    fit(Silent(), request(tmp_path, "clip=0.5", resume=True))
    assert all(torch.load(p, weights_only=True)["identity"] != i for p, i in before.items())


def test_each_icu_type_is_left_out_in_turn(tmp_path):
    fit(Silent(), request(tmp_path, "leave_sites=true", "members=1", "phases=sites,final"))
    tasks = {path.stem for path in (tmp_path / "out" / "checkpoint" / "tasks").glob("*.pt")}
    assert {f"mortality-sites-ICU_type_{n}-0" for n in (1, 2, 3, 4)} <= tasks
    card = read_card(tmp_path / "out" / "card.json")
    assert {f.on for f in card.measured} == {"physionet2012, left-out site"}


def test_five_steps_in_all_are_enough_to_train(tmp_path):
    wanted = request(tmp_path, "epochs=5", "batch=64", "members=1", "hourly_members=0")
    assert fit(Silent(), wanted)["epochs"] == 5


def test_unfinished_phases_write_no_weights(tmp_path):
    wanted = request(tmp_path, "folds=2", "phases=folds", "members=1", "epochs=1")
    body = fit(Silent(), replace(wanted, private=True))
    assert ",101," not in (tmp_path / "out" / "splits.csv").read_text()
    assert body["weights_sha256"] == ""
    assert not (tmp_path / "out" / "weights.safetensors").exists()


def test_data_without_labels_are_refused(tmp_path):
    (tmp_path / "s.csv").write_text("Hours,HR\n1,80\n")
    (tmp_path / "cases.csv").write_text("case,series,mortality\na,s.csv,\n")
    wanted = replace(request(tmp_path), data=(str(tmp_path / "cases.csv"),))
    with pytest.raises(DataError, match=r"no data set|no stay knows"):
        fit(Silent(), wanted)


@pytest.mark.parametrize(
    ("split", "file", "words"),
    [
        ("test", "s.csv", "every stay with a label is marked val or test"),
        ("val", "s.csv", "every stay with a label is marked val or test"),
        ("", "gone.csv", r"no stay knows .*; 4 were left out, the first: "),
    ],
)
def test_stays_that_teach_nothing_are_refused_with_the_reason(tmp_path, split, file, words):
    (tmp_path / "s.csv").write_text("Hours,HR\n1,80\n")
    rows = [f"c{n},{file},{n % 2},{split}\n" for n in range(4)]
    (tmp_path / "cases.csv").write_text("case,series,mortality,split\n" + "".join(rows))
    wanted = replace(request(tmp_path), data=(str(tmp_path / "cases.csv"),))
    with pytest.raises(DataError, match=words):
        fit(Silent(), wanted)


def test_films_are_fused_and_their_worth_is_on_the_card(tmp_path, monkeypatch):
    monkeypatch.setattr(icu_evidence, "FILMS", 1)
    folder = hannover(tmp_path / "films")
    recipe = read_recipe(
        "icu", None,
        (*SMALL, "variables=hannover", "film=features", "folds=2", "epochs=2", "members=1"),
    )  # fmt: skip
    fit(Silent(), TrainRequest((str(folder),), str(tmp_path / "out"), recipe, threads=1))
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["version"] == "1.0-hannover"
    # View and size are the same of all films here and say nothing.
    assert {f["predictor"] for f in card["measured"]} == {
        "model", "series_only", "film_only", "shuffled_films", "film_count", "uncalibrated",
        "logistic", "logistic_film",
    }  # fmt: skip
    assert any("films exchanged between patients" in line for line in card["method"])
    model, _ = load_icu(tmp_path / "out" / "weights.safetensors")
    assert model.uses_film
    assert np.isfinite(model.parts["icu_admission"].threshold)
