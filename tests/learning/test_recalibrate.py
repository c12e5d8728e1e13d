"""A calibrated version: other confidence from the same weights, a hash and parent of its own."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from age_sets import ixi_rows, write_ixi_table
from age_weights import write_age_weights
from safetensors.torch import load_file

from medview.cli import main
from medview.domain.errors import DataError, UsageError
from medview.domain.progress import Silent
from medview.domain.training import FinetuneRequest, TrainRequest
from medview.io.cards import CARD, WEIGHTS, read_card, write_card
from medview.io.seen import seen_of
from medview.io.tables import read_table
from medview.learning import local_cases
from medview.learning import recalibrate as module
from medview.learning.armed_age_recipe import LEARNS
from medview.learning.brain_age_weights import load_age_model
from medview.learning.left_sites import calibrate_and_leave_sites
from medview.learning.local_cases import LOCAL, SCORES
from medview.learning.patients import patient_hash
from medview.learning.recalibrate import recalibrate
from medview.learning.subset import Subset, TrainCase
from medview.services.training import METHODS


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parent")
    weights, _, _ = write_age_weights(folder)
    card = read_card(folder / CARD)
    narrow = {kind: width / 5 for kind, width in card.settings["half_width"].items()}
    write_card(replace(card, settings={**card.settings, "half_width": narrow}), folder / CARD)
    return weights


def asked(data, out, parent, model="brain-age"):
    train = TrainRequest((str(data),), str(out), {}, init=str(parent), threads=1)
    return FinetuneRequest(model, train)


def local_people(folder, n):
    rows = [[f"N{r[0]}", f"N{r[1]}", *r[2:]] for r in ixi_rows(n, seed=7)]
    write_ixi_table(folder, rows)
    return folder


def test_intervals_are_widened_and_all_else_stays(parent, tmp_path):
    body = recalibrate(Silent(), asked(local_people(tmp_path / "d", 60), tmp_path / "o", parent))
    (fitted,) = body["calibrated"]
    assert fitted["what"] == "half widths"
    assert fitted["n"] == 60
    assert fitted["value"] > 1.5
    told = {(r["predictor"], r["name"]): r["value"] for r in body["before_after"]["metrics"]}
    assert told["old", "coverage"] < 0.8 < told["new", "coverage"]
    old, new = load_age_model(parent), load_age_model(tmp_path / "o" / WEIGHTS)
    for kind, width in old[0].settings.half_width.items():
        assert new[0].settings.half_width[kind] == pytest.approx(width * fitted["value"])
    before, after = load_file(parent), load_file(tmp_path / "o" / WEIGHTS)
    assert all(bool((before[name] == after[name]).all()) for name in before)
    card, older = new[1], old[1]
    assert card.weights_sha256 != older.weights_sha256 == card.parent
    assert set(older.seen_patients) < set(card.seen_patients)
    assert {f.name for f in card.measured if f.on == "local cases"} == {
        "coverage",
        "interval_width",
    }
    kept = json.loads((tmp_path / "o" / "before_after.json").read_text())
    assert kept["differences"] == body["before_after"]["differences"]


def test_who_was_used_is_marked_on_the_card_also_where_nobody_is_named(parent, tmp_path):
    request = asked(local_people(tmp_path / "d", 40), tmp_path / "o", parent)
    recalibrate(Silent(), replace(request, train=replace(request.train, private=True)))
    card = read_card(tmp_path / "o" / CARD)
    people = {patient_hash(f"N{row[1]}") for row in ixi_rows(40, seed=7)}
    assert seen_of(card, people) == people
    table = read_table(tmp_path / "o" / LOCAL / "predictions.csv")
    told = {row["patient"] for row in table.by_name()}
    assert len(told) == 40
    assert not any("IXI" in name for name in told)


@pytest.fixture
def never_asked(monkeypatch):
    """The version may not be asked about anybody."""
    monkeypatch.setattr(module, "evaluate", lambda *_: pytest.fail("the model ran"))


@pytest.mark.usefixtures("never_asked")
def test_under_thirty_people_nothing_is_run_or_made(parent, tmp_path):
    with pytest.raises(DataError, match=r"not enough local cases: 29 .* 30 are needed"):
        recalibrate(Silent(), asked(local_people(tmp_path / "d", 29), tmp_path / "o", parent))
    assert not (tmp_path / "o").exists()


@pytest.mark.usefixtures("never_asked")
def test_people_of_the_training_do_not_count(parent, tmp_path):
    data = Path(parent).parent / "data"
    with pytest.raises(DataError, match="not enough local cases: 0 patients"):
        recalibrate(Silent(), asked(data, tmp_path / "o", parent))


def test_a_model_without_such_scores_is_told(parent, tmp_path):
    with pytest.raises(UsageError, match="anomaly has no probability or age"):
        recalibrate(Silent(), asked(tmp_path, tmp_path / "o", parent, "anomaly"))


def predictions(folder, truth, said):
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "predictions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("case", "patient", "severe", "true_severe"))
        for n, (t, s) in enumerate(zip(truth, said, strict=True)):
            table.writerow((f"c{n}", f"p{n}", s, int(t)))


def answer(monkeypatch, truth, said):
    """Films of as many patients, and what the version says of them, without a network."""

    def case(n):
        cells = {"prognosis": "SEVERE" if truth[n] else "MILD"}
        return TrainCase(f"c{n}", f"p{n}", {}, "film", cells=cells)

    films = Subset("films", "cases", Path(), tuple(map(case, range(len(truth)))))
    monkeypatch.setattr(local_cases, "find_subsets", lambda *_: [films])
    monkeypatch.setattr(
        module, "evaluate", lambda job, one: predictions(Path(one.out), truth, said)
    )


def outcomes(n=200, *, same=False):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1, n)
    truth = np.ones(n) if same else rng.random(n) < 1 / (1 + np.exp(-logits))
    return truth, 1 / (1 + np.exp(-3 * logits))


def test_a_temperature_multiplies_the_one_that_stands_in_the_card(parent, tmp_path, monkeypatch):
    answer(monkeypatch, *outcomes())
    card = read_card(parent.with_name(CARD))
    monkeypatch.setattr(
        module, "card_beside", lambda path: replace(card, settings={"temperature": 2.0})
    )
    body = recalibrate(Silent(), asked(tmp_path, tmp_path / "o", parent, "cxr"))
    (fitted,) = body["calibrated"]
    assert fitted["value"] == pytest.approx(3, rel=0.4)
    made = read_card(tmp_path / "o" / CARD)
    assert made.settings["temperature"] == pytest.approx(2 * fitted["value"])
    names = {one["name"]: one["new_minus_old"] for one in body["before_after"]["differences"]}
    assert names["ece"] < 0


def test_cases_of_one_outcome_only_say_nothing(parent, tmp_path, monkeypatch):
    answer(monkeypatch, *outcomes(same=True))
    with pytest.raises(DataError, match="all local cases have the same outcome"):
        recalibrate(Silent(), asked(tmp_path, tmp_path / "o", parent, "cxr"))


@pytest.mark.parametrize("ill", [1, 4])
def test_too_few_of_the_rarer_outcome_say_nothing(parent, tmp_path, monkeypatch, ill):
    _, said = outcomes(40)
    answer(monkeypatch, np.arange(40) < ill, said)
    told = f"only {ill} patients? of the local cases with the rarer outcome, 5 are needed"
    with pytest.raises(DataError, match=told):
        recalibrate(Silent(), asked(tmp_path, tmp_path / "o", parent, "cxr"))


def test_the_temperature_of_a_part_is_kept_in_the_card():
    part = {
        "name": "mortality",
        "outputs": ["mortality"],
        "networks": [],
        "mean": [0.0],
        "sd": [1.0],
        "threshold": None,
        "unavailable": {},
    }
    settings = module._settings(
        {"parts": [part]}, {"score": "mortality", "what": "temperature", "value": 1.5}
    )
    assert settings["parts"][0] == {**part, "temperature": 1.5}
    again = {"score": "mortality", "what": "temperature", "value": 2.0}
    assert module._settings(settings, again)["parts"][0]["temperature"] == 3.0


def test_the_command_registers_it(parent, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    data = local_people(tmp_path / "d", 40)
    words = ("finetune", "brain-age", "--method", "calibrate", "--data", str(data))
    more = ("--weights", str(parent), "--out", str(tmp_path / "o"), "--register", "ward")
    assert main([*words, *more, "--quiet", "--threads", "1"]) == 0
    told = capfd.readouterr().out
    assert "half widths of age x" in told
    assert "coverage of the interval: old" in told
    assert "registered as brain-age@ward" in told
    assert main(["versions", "brain-age", "--quiet"]) == 0
    assert "brain-age@ward  own" in capfd.readouterr().out


def test_each_site_is_left_out_of_a_calibration_in_turn(parent, tmp_path, capfd):
    data = local_people(tmp_path / "d", 60)
    words = ("finetune", "brain-age", "--method", "calibrate", "--leave-out", "site")
    more = ("--data", str(data), "--weights", str(parent), "--out", str(tmp_path / "o"))
    assert main([*words, *more, "--quiet", "--json", "--threads", "1"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["sites"] == [
        {"site": site, "cases": 20, "why_not": ""} for site in ("Guys", "HH", "IOP")
    ]
    found = json.loads((tmp_path / "o" / "before_after.json").read_text())
    groups = {row["group"]: row["n"] for row in found["metrics"]}
    assert groups == {"cross-fitted": 60, "site:Guys": 20, "site:HH": 20, "site:IOP": 20}


def test_of_one_site_alone_none_can_be_left_out_of_a_calibration(parent, tmp_path, monkeypatch):
    answer(monkeypatch, *outcomes())
    with pytest.raises(DataError, match="0 sites are named"):
        calibrate_and_leave_sites(Silent(), asked(tmp_path, tmp_path / "o", parent, "cxr"))


def test_the_window_offers_what_learning_can_do():
    offered = {model for model, methods in METHODS.items() if "calibrate" in methods}
    assert offered == set(SCORES)
    assert set(METHODS["brain-age-armed"]) == set(LEARNS) | {"full"}
    by_sites = {model for model, methods in METHODS.items() if "site-effects" in methods}
    assert by_sites == {model for model in METHODS if model.endswith("-armed")}
