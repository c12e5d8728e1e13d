import csv
import json
import re

import numpy as np
import pytest
import torch
from chest_phantom import case_list, picture
from PIL import Image

from medview.domain.ablation import AblateRequest
from medview.domain.errors import DataError, WeightsError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.prediction import InputRef, RunRequest
from medview.domain.progress import Silent
from medview.domain.training import FinetuneRequest, TrainRequest
from medview.io.cards import read_card
from medview.io.seen import seen_of
from medview.learning import ablation_figures, cxr_run
from medview.learning.cxr_evidence import TITLES
from medview.learning.cxr_fit import fit_method
from medview.learning.cxr_given import make_given
from medview.learning.cxr_recipe import CxrRecipe
from medview.learning.cxr_run import run_cxr
from medview.learning.cxr_study import CxrStudy
from medview.learning.cxr_training import fit
from medview.learning.cxr_weights import encoder, load_cxr
from medview.learning.evaluate import evaluate
from medview.learning.film_set import load_films
from medview.learning.finetune import finetune
from medview.learning.images import read_image
from medview.learning.patients import patient_hash
from medview.services.training import trainer_of

SMALL = {"size": 96, "copies": 2, "epochs": 12, "steps": 2, "batch": 16, "warmup": 4, "patience": 8,
         "rate": 3e-3}  # fmt: skip


pytestmark = pytest.mark.usefixtures("quick_evidence")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, quick_evidence):
    """Weights trained on drawn films, and the films."""
    folder = tmp_path_factory.mktemp("cxr")
    path = case_list(folder)
    request = TrainRequest((str(path),), str(folder / "out"), dict(SMALL))
    return folder, path, fit(Silent(), request)


def run_on(volume, weights, **fields):
    ref = InputRef("film", "1", "2", 0, "x", (180, 200, 1))
    return run_cxr(Silent(), RunRequest("cxr", {"film": volume}, (ref,), device="cpu",
                                        weights=str(weights), **fields))  # fmt: skip


def film_of(folder, **drawn):
    path = folder / f"film-{len(list(folder.iterdir()))}.png"
    Image.fromarray(picture(**drawn)).save(path)
    return read_image(path)


def test_training_writes_weights_card_curve_and_splits(trained):
    folder, _, body = trained
    out = folder / "out"
    assert body["n"] == {"train": 20, "val": 4}
    card = read_card(out / "card.json")
    assert card.weights_sha256 == body["weights_sha256"]
    assert "already is in intensive care" in card.limits[0]
    assert len(card.seen_patients) == 24
    with (out / "history.csv").open() as file:
        parts = {row["part"] for row in csv.DictReader(file)}
    assert {"train", "val"} <= parts
    with (out / "splits.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    assert len({row["patient"] for row in rows}) == 24


@pytest.mark.usefixtures("every_epoch")
def test_an_interrupted_training_goes_on_with_the_same_curve(tmp_path):
    films = load_films_of(case_list(tmp_path, 12))
    recipe = CxrRecipe(**{**SMALL, "method": "stl-prognosis", "epochs": 6, "warmup": 1})
    given = make_given(Silent(), films, encoder(recipe.backbone), recipe.frozen)
    parts = np.arange(10), np.array([10, 11, 0])
    whole = fit_method(Silent(), recipe, given, parts, 0)
    stopped = CountingStop(3)
    with pytest.raises(KeyboardInterrupt):
        fit_method(stopped, recipe, given, parts, 0, folder=tmp_path)
    again = fit_method(Silent(), recipe, given, parts, 0, folder=tmp_path, resume=True)
    assert len(again.history) == len(whole.history)
    assert [line[3] for line in again.history] == pytest.approx(
        [line[3] for line in whole.history], abs=1e-6
    )


class CountingStop(Silent):
    """Interrupts after so many epochs."""

    __slots__ = ("left",)

    def __init__(self, left):
        self.left = left

    def check(self):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def load_films_of(path, size=96, copies=2):
    from medview.learning.cases import find_subsets

    (subset,) = find_subsets((str(path),), "cxr")
    return load_films(Silent(), subset.cases, size, copies, 0)


@pytest.mark.parametrize("frozen", [-1, 16])
def test_the_encoder_learns_where_it_is_not_frozen(tmp_path, frozen):
    films = load_films_of(case_list(tmp_path, 8), 64)
    recipe = CxrRecipe(**{**SMALL, "method": "stl-prognosis", "epochs": 1, "frozen": frozen})
    backbone = encoder(recipe.backbone)
    before = {k: v.clone() for k, v in backbone.stages.state_dict().items()}
    given = make_given(Silent(), films, backbone, frozen)
    fitted = fit_method(Silent(), recipe, given, (np.arange(4), np.arange(0)), 0)
    tail = fitted.model.tail.state_dict()
    if frozen < 0:
        assert not tail
    else:
        names = {k: f"{frozen + int(k[0])}{k[1:]}" for k in tail if k.endswith("weight")}
        assert any(not torch.equal(tail[k], before[name]) for k, name in names.items())


def test_a_run_gives_scores_maps_and_a_status(trained, monkeypatch):
    # Of one drawn film chance says which maps hang on the head.
    monkeypatch.setattr(cxr_run, "kinds_to_show", lambda settings: tuple(TITLES))
    folder, _, _ = trained
    weights = folder / "out" / "weights.safetensors"
    volume = film_of(folder, scores=(3, 3, 3, 3, 3, 3), line=True)
    found = run_on(volume, weights)
    names = [score.name for score in found.scores]
    assert names == ["severe", *(f"brixia_{z}" for z in "ABCDEF"), "brixia_total"]
    assert 0 <= found.score("severe").value <= 1
    total = sum(found.score(f"brixia_{z}").value for z in "ABCDEF")
    assert found.score("brixia_total").value == pytest.approx(total)
    assert [m.name for m in found.maps] == ["evidence", "lungs", "seen"]
    again = run_on(volume, weights, maps=("occlusion",))
    assert [s.value for s in again.scores] == [s.value for s in found.scores]
    assert [m.name for m in again.maps] == ["evidence", "occlusion", "lungs", "seen"]
    assert all(m.array.shape == (1, 200, 180) for m in again.maps)
    assert np.array_equal(again.map("evidence").array, found.map("evidence").array)
    assert "maps" not in found.parameters
    assert again.parameters["maps"] == ["occlusion"]


def test_zones_move_with_the_film_and_swap_with_its_mirror(trained):
    folder, _, _ = trained
    weights = folder / "out" / "weights.safetensors"
    plain = run_on(film_of(folder), weights).map("lungs").array[0]
    moved = run_on(film_of(folder, shift=(8, 6)), weights).map("lungs").array[0]
    for zone in range(1, 7):
        apart = [np.mean(np.nonzero(found == zone), axis=1) for found in (plain, moved)]
        assert apart[1] - apart[0] == pytest.approx([8, 6], abs=4)
    volume = film_of(folder, scores=(3, 3, 3, 0, 0, 0))
    path = folder / "mirrored.png"
    Image.fromarray(
        np.ascontiguousarray(np.asarray(volume.array)[0, :, ::-1].astype(np.uint8))
    ).save(path)
    one = run_on(volume, weights)
    two = run_on(read_image(path), weights)
    for zone, other in zip("ABCDEF", "DEFABC", strict=True):
        mine, its = one.score(f"brixia_{zone}").value, two.score(f"brixia_{other}").value
        assert mine == pytest.approx(its, abs=0.35)


def test_a_lateral_or_other_picture_is_refused_before_the_network(trained):
    from medview.domain.errors import ModelInputError

    folder, _, _ = trained
    path = folder / "noise.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (120, 120), np.uint8)).save(path)
    with pytest.raises(ModelInputError, match="no lungs"):
        run_on(read_image(path), folder / "out" / "weights.safetensors")


def test_weights_of_another_model_are_refused(trained, tmp_path):
    folder, _, _ = trained
    body = json.loads((folder / "out" / "card.json").read_text())
    (tmp_path / "card.json").write_text(json.dumps({**body, "id": "anomaly"}))
    (tmp_path / "weights.safetensors").write_bytes(b"x")
    with pytest.raises(WeightsError, match="not of the chest model"):
        load_cxr(tmp_path / "weights.safetensors")


def test_evaluation_leaves_seen_patients_out_and_writes_predictions(trained, tmp_path):
    folder, path, _ = trained
    weights = str(folder / "out" / "weights.safetensors")
    with pytest.raises(DataError, match="no film is left"):
        evaluate(Silent(), EvaluateRequest("cxr", (str(path),), str(tmp_path), weights))
    lost = tmp_path / "lost.csv"
    lost.write_text("case,film\na,nowhere.png\nb,\n")
    with pytest.raises(DataError, match=r"none of 2 cases .*nowhere\.png"):
        evaluate(Silent(), EvaluateRequest("cxr", (str(lost),), str(tmp_path), weights))
    body = evaluate(
        Silent(),
        EvaluateRequest("cxr", (str(path),), str(tmp_path), weights, include_seen=True),
    )
    assert body["data"][0]["seen_in_training"] == 24
    by_name = {(m["task"], m["predictor"], m["name"], m["group"]) for m in body["metrics"]}
    assert ("prognosis", "model", "roc_auc", "all") in by_name
    assert ("severity", "model", "mae", "all") in by_name
    (curve,) = body["reliability"]
    assert sum(point["n"] for point in curve["points"]) == 12  # half of them have an outcome
    assert not list(tmp_path.glob("*.svg"))  # so few would say more of chance
    with (tmp_path / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    assert {"severe", "brixia_A", "brixia_total"} <= set(rows[0])


def test_films_without_labels_are_predicted_all_the_same(trained, tmp_path):
    folder, _, _ = trained
    Image.fromarray(picture(seed=9)).save(tmp_path / "f.png")
    (tmp_path / "cases.csv").write_text("case,film\nx,f.png\n")
    weights = str(folder / "out" / "weights.safetensors")
    body = evaluate(
        Silent(), EvaluateRequest("cxr", (str(tmp_path / "cases.csv"),), str(tmp_path), weights)
    )
    assert {row["task"] for row in body["metrics"]} == {"evidence"}
    assert body["reliability"] == []
    with (tmp_path / "predictions.csv").open() as file:
        (told,) = csv.DictReader(file)
    shown = {s.name: s.value for s in run_on(read_image(tmp_path / "f.png"), weights).scores}
    for name in ("severe", "brixia_total"):
        assert float(told[name]) == pytest.approx(shown[name], rel=1e-5)


def only_labelled(tmp_path, column):
    """A list of 12 films whose labels are those of one column; the others are empty."""
    path = case_list(tmp_path, 12)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    other = {"prognosis": "brixia", "brixia": "prognosis"}[column]
    full = [row for row in rows if row[column]]
    assert full
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows({**row, other: ""} for row in full)
    return path


@pytest.mark.parametrize(
    ("column", "folds", "given", "missing"),
    [("prognosis", 2, "severe", "brixia_total"), ("brixia", 0, "brixia_total", "severe")],
)
def test_films_with_one_kind_of_label_teach_that_task_alone(
    tmp_path, column, folds, given, missing
):
    path = only_labelled(tmp_path, column)
    recipe = {**SMALL, "epochs": 1, "size": 64, "copies": 1, "folds": folds, "warmup": 0}
    out = tmp_path / "out"
    assert fit(Silent(), TrainRequest((str(path),), str(out), recipe))["epochs"] == 1
    said = run_on(film_of(tmp_path, seed=1), out / "weights.safetensors")
    scores = {score.name: score for score in said.scores}
    assert scores[given].value is not None
    assert (scores[missing].value, scores[missing].status) == (None, "not_available")


def test_films_that_are_all_for_validation_are_refused(tmp_path):
    path = case_list(tmp_path, 4)
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{head},split", *(f"{row},val" for row in rows)]))
    with pytest.raises(DataError, match="every film with a label is marked val"):
        fit(Silent(), TrainRequest((str(path),), str(tmp_path / "out"), dict(SMALL)))


@pytest.mark.parametrize(
    ("column", "method", "words"),
    [
        ("prognosis", "stl-severity", "a Brixia score, which the method stl-severity"),
        ("brixia", "ft", "an outcome, which the method ft"),
    ],
)
def test_a_method_that_the_labels_cannot_teach_is_refused(tmp_path, column, method, words):
    path = only_labelled(tmp_path, column)
    recipe = {**SMALL, "size": 64, "copies": 1, "method": method}
    with pytest.raises(DataError, match=words):
        fit(Silent(), TrainRequest((str(path),), str(tmp_path / "out"), recipe))


def test_variants_are_compared_on_films_of_left_out_patients(tmp_path):
    path = case_list(tmp_path, 24)
    with path.open("a") as file:
        file.write("odd,nobody,a,0.png,,\n")  # without a label: nothing to learn or to measure
    recipe = {**SMALL, "epochs": 2, "size": 64}
    study = CxrStudy(Silent(), AblateRequest("cxr", (str(path),), "", recipe, folds=2))
    assert study.folds(0) == ("1", "2")
    found = [study.run(Silent(), "default", {}, 0, fold) for fold in study.folds(0)]
    people = [{p for one in said for p in one.patients} for said in found]
    assert not people[0] & people[1]
    assert len(people[0] | people[1]) == 24
    (known,) = study._given.values()
    assert {case.patient for case in known.films.cases} == people[0] | people[1]
    alone = study.run(Silent(), "stl-severity", {}, 0, "1")
    assert {one.task for one in alone} == {"severity", "median"}


def test_a_version_keeps_the_head_that_it_was_trained_with(trained, tmp_path):
    """A head of another kind would begin anew, whatever the parent had learnt."""
    _, path, _ = trained
    small = {**SMALL, "size": 64, "copies": 1, "epochs": 1, "steps": 1}
    deep = {"outcome": "deep", "shrinkage": 1e-4}
    fit(Silent(), TrainRequest((str(path),), str(tmp_path / "deep"), {**small, **deep}))
    parent = tmp_path / "deep" / "weights.safetensors"
    fit(Silent(), TrainRequest((str(path),), str(tmp_path / "new"), small, init=str(parent)))
    net, card, _ = load_cxr(tmp_path / "new" / parent.name)
    assert net.options.outcome == "deep"
    assert {name: card.settings["recipe"][name] for name in deep} == deep


@pytest.mark.parametrize("method", ["full", "head", "adapter"])
def test_a_version_goes_on_learning_and_is_compared_on_patients_nobody_saw(
    trained, tmp_path, method, monkeypatch
):
    monkeypatch.setattr(ablation_figures, "REPEATS", 10)
    folder, _, _ = trained
    path = case_list(tmp_path, n=20, seed=5)
    path.write_text(re.sub(r",p(\d)", r",new\1", path.read_text()))
    parent = folder / "out" / "weights.safetensors"
    train = TrainRequest(
        (str(path),), str(tmp_path / "out"), {**SMALL, "epochs": 2, "warmup": 0},
        init=str(parent), method=method,
    )  # fmt: skip
    body = finetune(Silent(), FinetuneRequest("cxr", train), trainer_of("cxr"))
    (old, card, _), (new, tuned, _) = load_cxr(parent), load_cxr(tmp_path / "out" / parent.name)
    before, after = old.state_dict(), new.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert any(name.startswith("heads.") for name in changed)
    assert all(name.endswith("weight") for name in changed) == (method == "adapter")
    assert any(name.startswith("adapter.") for name in changed) == (method != "head")
    assert before.keys() == after.keys()
    assert "mean" not in changed  # features are standardised as the parent does
    assert tuned.parent == card.weights_sha256
    with (tmp_path / "out" / "splits.csv").open() as file:
        rows = list(csv.DictReader(file))
    hashes = {row["patient"]: patient_hash(row["patient"]) for row in rows}
    seen = seen_of(tuned, hashes.values())
    held = {name for name, hashed in hashes.items() if hashed not in seen}
    assert len(held) == body["held_out"] == 4
    assert all(row["part"] == "val" for row in rows if row["patient"] in held)
    assert {row["predictor"] for row in body["before_after"]["metrics"]} == {"old", "new"}
