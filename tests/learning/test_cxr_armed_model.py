"""The chest model with effects of sites as a whole: trained, loaded, run, measured, tuned."""

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from chest_phantom import case_list, picture
from PIL import Image

from medview.domain.errors import DataError, UsageError, WeightsError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.prediction import InputRef, RunRequest
from medview.domain.progress import Silent
from medview.domain.training import FinetuneRequest, TrainRequest
from medview.io.cards import read_card, write_card
from medview.learning import ablation_figures, cxr_measure, cxr_run
from medview.learning.cxr_run import run_cxr
from medview.learning.cxr_training import fit_armed
from medview.learning.cxr_weights import SHARED, load_armed_cxr, load_cxr
from medview.learning.evaluate import evaluate
from medview.learning.finetune import finetune
from medview.learning.images import read_image
from medview.learning.site_effects import EFFECTS, UNKNOWN_SITE
from medview.learning.weights import shipped
from medview.services.training import trainer_of

# Learnt longer, so few drawn films are told apart with certainty, which effects do not move.
SMALL = {"size": 64, "copies": 1, "epochs": 3, "steps": 1, "batch": 16, "warmup": 1,
         "patience": 8, "rate": 1e-3}  # fmt: skip
MODEL = "cxr-armed"


pytestmark = pytest.mark.usefixtures("quick_evidence")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, quick_evidence):
    """Weights with effects of the sites "a" and "b", and their films."""
    folder = tmp_path_factory.mktemp("sites")
    path = case_list(folder)
    fit_armed(Silent(), TrainRequest((str(path),), str(folder / "out"), dict(SMALL)))
    return path, folder / "out" / "weights.safetensors"


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "film.png"
    Image.fromarray(picture(seed=3)).save(path)
    return read_image(path)


def answer(film, weights, site, **more):
    ref = InputRef("film", "1", "2", 0, "x", (180, 200, 1))
    request = RunRequest(MODEL, {"film": film}, (ref,), device="cpu", weights=str(weights),
                         site=site, **more)  # fmt: skip
    return run_cxr(Silent(), request)


def values(result):
    return {score.name: score.value for score in result.scores}


def test_the_file_holds_effects_and_no_encoder_and_says_which_one(trained):
    _, weights = trained
    net, card, _ = load_armed_cxr(weights)
    assert net.sites == ("a", "b") == tuple(card.settings["sites"])
    assert [one["site"] for one in card.settings["site_effects"]] == ["a", "b"]
    assert weights.stat().st_size < 1_000_000 < sum(p.numel() for p in net.tail.parameters())
    assert {"severe", "severe_fixed", "severe_mixed"} <= {one.name for one in card.outputs}
    with pytest.raises(WeightsError, match="not of the chest model"):
        load_cxr(weights)


def test_weights_of_another_encoder_are_refused(trained, tmp_path):
    _, weights = trained
    there = tmp_path / weights.name
    there.write_bytes(weights.read_bytes())
    card = read_card(weights.with_name("card.json"))
    settings = {**card.settings, SHARED: "0" * 64}
    write_card(replace(card, settings=settings), tmp_path / "card.json")
    with pytest.raises(WeightsError, match="another encoder"):
        load_armed_cxr(there)


def test_a_known_site_has_its_effect_and_any_other_the_fixed_part(trained, film):
    _, weights = trained
    known = {site: answer(film, weights, site) for site in "ab"}
    assert values(known["a"])["severe"] != values(known["b"])["severe"]
    others = [answer(film, weights, site) for site in (None, "", "Mars")]
    (fixed,) = {values(one)["severe"] for one in others}
    for site, one in known.items():
        found = values(one)
        assert 0 < found["severe"] == found["severe_mixed"] != found["severe_fixed"] == fixed
        assert one.parameters["site"] == site
        assert UNKNOWN_SITE not in {note.code for note in one.warnings}
        assert one.score("severe").meaning.endswith(f"with the effect of the site {site}")
    assert all(values(one)["severe_mixed"] is None for one in others)
    (note,) = (each for each in others[2].warnings if each.code == UNKNOWN_SITE)
    assert note.text.startswith("Mars is none of the sites")
    assert note.text.endswith("It knows: a, b")
    totals = {values(one)["brixia_total"] for one in (*known.values(), *others)}
    assert len(totals) == 1


def test_the_map_is_of_the_answer_with_the_effect(trained, film, monkeypatch):
    monkeypatch.setattr(cxr_run, "kinds_to_show", lambda settings: ("evidence",))
    _, weights = trained
    maps = [answer(film, weights, site).map("evidence").array for site in ("a", "b", None)]
    assert all(np.isfinite(one).all() for one in maps)
    assert not np.array_equal(maps[0], maps[1])


def test_evaluation_knows_the_site_of_each_film(trained, tmp_path):
    path, weights = trained
    moved = path.with_name("moved.csv")
    moved.write_text(re.sub(r",b,", ",elsewhere,", path.read_text()))
    body = evaluate(
        Silent(), EvaluateRequest(MODEL, (str(moved),), str(tmp_path), str(weights),
                                  include_seen=True)
    )  # fmt: skip
    assert body["model"] == MODEL
    groups = {row["group"] for row in body["metrics"] if row["predictor"] == "model"}
    assert {"sites seen", "sites unseen"} <= groups
    assert "sites that the weights do not know: elsewhere" in body["notes"]
    assert "fixed" in {row["predictor"] for row in body["metrics"] if row["group"] == "all"}
    with (tmp_path / "predictions.csv").open() as file:
        for row in csv.DictReader(file):
            is_mixed = row["site"] == "a"
            assert row["severe"] == row["severe_mixed" if is_mixed else "severe_fixed"]
            assert bool(row["severe_mixed"]) == is_mixed


def test_measured_in_folds_it_stands_beside_its_twin_without_effects(tmp_path, monkeypatch):
    monkeypatch.setattr(cxr_measure, "fit_models", lambda *given: {})
    path = case_list(tmp_path, 32)
    recipe = {**SMALL, "folds": 2, "epochs": 2}
    fit_armed(Silent(), TrainRequest((str(path),), str(tmp_path / "out"), recipe))
    card = read_card(tmp_path / "out" / "card.json")
    whole = {f.predictor for f in card.measured if (f.group, f.name) == ("all", "roc_auc")}
    assert whole == {"model", "fixed", "network"}
    left = {f.predictor for f in card.measured if f.group == "source-left-out:a"}
    assert "network" in left
    assert "fixed" not in left  # it is the same
    assert "of the same network without them" in card.limits[0]
    assert all(f.command.startswith("medview train cxr-armed ") for f in card.measured)


def test_only_the_effects_learn_at_a_new_site_by_their_method(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(ablation_figures, "REPEATS", 10)
    _, parent = trained
    path = case_list(tmp_path, n=20, seed=5)
    path.write_text(re.sub(r",p(\d+),[ab],", r",new\1,c,", path.read_text()))
    train = TrainRequest(
        (str(path),), str(tmp_path / "out"), {**SMALL, "epochs": 2},
        init=str(parent), method="site-effects",
    )  # fmt: skip
    body = finetune(Silent(), FinetuneRequest(MODEL, train), trainer_of(MODEL))
    old, new = (load_armed_cxr(one)[0] for one in (parent, tmp_path / "out" / parent.name))
    assert new.sites == ("a", "b", "c")
    before, after = old.state_dict(), new.state_dict()
    same = {n for n in before if n in after and torch.equal(before[n], after[n])}
    assert {n.partition(".")[0] for n in before.keys() - same} <= {"slopes", "intercept",
                                                                   "adversary"}  # fmt: skip
    assert torch.equal(before["slopes.mu"], after["slopes.mu"][:2])  # no film of theirs was there
    assert all(name.startswith(EFFECTS) or name in same for name in after if "adv" not in name)
    assert {row["predictor"] for row in body["before_after"]["metrics"]} == {"old", "new"}


def test_adapters_and_films_without_an_outcome_are_refused(tmp_path):
    path = case_list(tmp_path)
    train = TrainRequest((str(path),), str(tmp_path / "out"), dict(SMALL))
    with pytest.raises(UsageError, match="cannot be fine-tuned by adapter"):
        fit_armed(Silent(), replace(train, init="x", method="adapter"))
    path.write_text(re.sub("SEVERE|MILD", "", path.read_text()))
    with pytest.raises(DataError, match="has an outcome and a site"):
        fit_armed(Silent(), train)


def test_the_shipped_card_says_first_that_nothing_is_gained():
    net, card, _ = load_armed_cxr(shipped(MODEL))
    assert card.limits[0].startswith("The effects of sources gain nothing that could be shown")
    assert net.sites == ("covid-chestxray", "hannover")
    ours = {f.predictor: f.value for f in card.measured if (f.name, f.group) == ("roc_auc", "all")}
    assert ours["logistic"] > ours["model"]
    twin = json.loads(shipped("cxr").with_name("card.json").read_text())["measured"]
    wanted = ("roc_auc", "model", "all")
    (plain,) = (f["value"] for f in twin if (f["name"], f["predictor"], f["group"]) == wanted)
    # What it is compared with has its own head; the model that ships has another, and the card
    # says so first of how it was made.
    assert ours["network"] < plain
    assert "three layers" in card.method[0]
    assert "one layer that shrinks" in card.method[0]
