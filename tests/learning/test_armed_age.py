from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from medview.domain.errors import DataError, ModelInputError, UsageError, WeightsError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.prediction import Prediction, RunRequest
from medview.domain.progress import Silent
from medview.domain.training import TrainRequest
from medview.learning.armed_age import (
    AgeRecipe,
    AgeTrainer,
    Scale,
    divided,
    plans_for,
    table_of,
    together,
)
from medview.learning.armed_age_card import load_armed_age
from medview.learning.armed_age_evaluate import evaluate_armed_age
from medview.learning.armed_age_measure import age_rows, half_width, left_out, site_effects
from medview.learning.armed_age_run import run_armed_age
from medview.learning.armed_age_training import fit
from medview.learning.armed_age_unseen import unseen_ways
from medview.learning.cases import find_subsets

QUICK = {
    "epochs": 30, "batch": 24, "members": 2, "folds": 3, "width": 12, "width_2": 8,
    "dropout": 0.0, "input_dropout": 0.0, "rate": 1e-2,
}  # fmt: skip
SHIFT = {"North": 6.0, "South": -6.0, "West": 0.0}
"""By how many years the measures of a site lie about the age."""


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        yield
    torch.set_num_threads(threads)


def _cases(folder: Path, n: int = 72, seed: int = 0, *, first: int = 0) -> Path:
    """A case list: five measures that follow the age, off by a shift of the site."""
    dice = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    lines, table = [], []
    for number in range(first, first + n):
        site, age = list(SHIFT)[number % 3], float(dice.uniform(20, 60))
        brain = (age - SHIFT[site]) * np.array([1, -1, 0.5, 0.2, -0.3]) + dice.normal(0, 1, 5)
        table.append([f"c{number}", *(f"{v:.4f}" for v in brain)])
        lines.append([f"c{number}", f"p{number}", site, f"{age:.2f}", "smri.csv"])
    for name, header, rows in (
        ("smri.csv", ["case", "m1", "m2", "m3", "m4", "m5"], table),
        ("cases.csv", ["case", "patient", "site", "age_years", "smri"], lines),
    ):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
    return folder / "cases.csv"


def _lines(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def _train(data: Path, out: Path, **changes: object) -> dict[str, object]:
    request = TrainRequest((str(data),), str(out), {**QUICK, **changes}, threads=1)
    return fit(Silent(), request)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("armed")
    _train(_cases(folder / "data"), folder / "out")
    return folder / "out"


def _run(weights: Path, table: Path, **asked: object) -> Prediction:
    request = RunRequest(
        "brain-age-armed", {}, (), weights=str(weights / "weights.safetensors"),
        tables={"smri": str(table)}, **asked,  # type: ignore[arg-type]
    )  # fmt: skip
    return run_armed_age(Silent(), request)


def _one_row(folder: Path, names: str = "m1,m2,m3,m4,m5", values: str = "40,-40,20,8,-12") -> Path:
    path = folder / "one.csv"
    path.write_text(f"{names}\n{values}\n", "utf-8")
    return path


def test_training_writes_everything_and_sites_help_where_they_are_known(trained: Path) -> None:
    card = json.loads((trained / "card.json").read_text("utf-8"))
    assert card["settings"]["sites"] == ["North", "South", "West"]
    rows = _lines(trained / "site_effects.csv")
    effects = {row["site"]: float(row["effect_years"]) for row in rows}
    assert effects["North"] > effects["West"] > effects["South"]
    assert all(float(r["low"]) <= float(r["effect_years"]) <= float(r["high"]) for r in rows)
    assert len(_lines(trained / "splits.csv")) == 72
    history = _lines(trained / "history.csv")
    assert {row["name"] for row in history} == {"main", "adversary", "adversary_accuracy"}
    figures = {
        (f["predictor"], f["group"]): f["value"]
        for f in card["measured"]
        if f["name"] == "mae" and "site" not in f["extra"]["ci"]
    }
    assert figures["model", "sites seen"] < figures["network", "sites seen"] - 1
    assert figures["model", "sites seen"] < figures["fixed", "sites seen"]
    assert figures["model", "sites unseen"] == figures["fixed", "sites unseen"]
    assert all(f["command"] for f in card["measured"])
    for way in ("z_soft", "z_argmax", "z_average"):
        assert 0 < figures[way, "sites unseen"] < figures["mean", "sites unseen"]
    assert [f["name"] for f in card["measured"] if f["predictor"] == "z_predictor"] == ["accuracy"]


def test_a_z_predictor_finds_the_site_that_a_measure_gives_away(tmp_path: Path) -> None:
    trainer = _table(tmp_path)
    table = trainer.table
    x = np.c_[np.eye(3)[table.site] * 4, table.x[:, :2]]
    told = replace(table, x=x)
    recipe = replace(trainer.recipe, folds=0, leave_out=True, compare=False)
    ways, right = unseen_ways(AgeTrainer(recipe, told, plans_for(told, recipe), 0))
    assert right > 0.9
    assert set(ways) == {"zero", "soft", "argmax", "average"}
    assert all(np.isfinite(ages).all() for ages in ways.values())


def test_a_known_site_moves_the_age_and_an_unknown_one_is_told(
    trained: Path, tmp_path: Path
) -> None:
    table = _one_row(tmp_path)
    north = _run(trained, table, site="North", age_years=46.0)
    names = ["age", "age_fixed", "age_mixed", "gap_raw", "gap_corrected", "sex_male"]
    assert [score.name for score in north.scores] == names
    found = {score.name: score for score in north.scores}
    age, fixed = found["age"], found["age_fixed"]
    assert age.value == found["age_mixed"].value
    assert age.value is not None
    assert fixed.value is not None
    assert age.value > fixed.value + 1
    assert age.low is not None
    assert age.high is not None
    assert age.low < age.value < age.high
    assert found["gap_raw"].value == pytest.approx(age.value - 46.0)
    assert found["sex_male"].status == "not_available"
    assert not north.warnings
    for site in (None, "Atlantis"):
        other = _run(trained, table, site=site)
        told = {score.name: score for score in other.scores}
        assert told["age"].value == told["age_fixed"].value == pytest.approx(fixed.value)
        assert told["age_mixed"].status == "not_available"
        assert "fixed effects" in told["age"].meaning
        assert [note.code for note in other.warnings] == ["UNKNOWN_SITE"]
        assert told["gap_raw"].status == told["gap_corrected"].status == "not_available"


def test_columns_are_taken_by_name_and_few_may_be_missing(trained: Path, tmp_path: Path) -> None:
    right = _run(trained, _one_row(tmp_path), site="West").scores[0].value
    turned = _one_row(tmp_path, "m5,m4,m3,m2,m1", "-12,8,20,-40,40")
    assert _run(trained, turned, site="West").scores[0].value == right
    lacking = _run(trained, _one_row(tmp_path, "m1,m2,m3,m4", "40,-40,20,8"), site="West")
    assert "MISSING_MEASURES" in [note.code for note in lacking.warnings]
    with pytest.raises(ModelInputError, match="4 of 5 measures are missing"):
        _run(trained, _one_row(tmp_path, "m1", "40"))
    np.save(tmp_path / "short.npy", np.zeros(4))
    with pytest.raises(ModelInputError, match="4 values; the model takes 5"):
        _run(trained, tmp_path / "short.npy")
    with pytest.raises(ModelInputError, match="needs a table"):
        run_armed_age(Silent(), RunRequest("brain-age-armed", {}, ()))


def test_evaluation_leaves_out_whom_the_weights_saw(trained: Path, tmp_path: Path) -> None:
    request = EvaluateRequest(
        "brain-age-armed",
        (str(_cases(tmp_path / "new", 30, 1, first=60)),),
        str(tmp_path / "out"),
        weights=str(trained / "weights.safetensors"),
    )
    body = evaluate_armed_age(Silent(), request)
    assert body["data"][0]["cases"] == 18
    assert body["data"][0]["seen_in_training"] == 12
    mae = {
        row["predictor"]: row["value"]
        for row in body["metrics"]
        if (row["name"], row["group"]) == ("mae", "all")
    }
    assert mae["model"] < mae["fixed"]
    lines = _lines(tmp_path / "out" / "predictions.csv")
    assert len(lines) == 18
    one = lines[0]
    assert float(one["age_low"]) < float(one["age"]) < float(one["age_high"])
    old = replace(request, data=(str(_cases(tmp_path / "old", 9)),))
    with pytest.raises(DataError, match="9 are of patients that the weights were trained on"):
        evaluate_armed_age(Silent(), old)


def test_labels_and_sites_may_be_missing(trained: Path, tmp_path: Path) -> None:
    path = _cases(tmp_path / "new", 9, 1, first=100)
    lines = list(csv.reader(path.read_text("utf-8").splitlines()))
    bare = [lines[0], *([case, who, "", "", file] for case, who, _, _, file in lines[1:])]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(bare)
    body = evaluate_armed_age(
        Silent(),
        EvaluateRequest(
            "brain-age-armed", (str(path),), str(tmp_path / "out"),
            weights=str(trained / "weights.safetensors"),
        ),
    )  # fmt: skip
    assert body["metrics"] == []
    rows = _lines(tmp_path / "out" / "predictions.csv")
    assert len(rows) == 9
    assert all(row["age"] and not row["age_mixed"] and not row["gap_raw"] for row in rows)


def _table(folder: Path) -> AgeTrainer:
    table, _ = table_of(find_subsets((str(_cases(folder)),), "brain-age-armed"))
    recipe = AgeRecipe.of({**QUICK, "epochs": 10, "leave_out": False, "dropout": 0.2})
    return AgeTrainer(recipe, table, plans_for(table, recipe), 3)


@pytest.mark.usefixtures("every_epoch")
def test_resumed_training_has_the_same_curve(tmp_path: Path) -> None:
    whole = _table(tmp_path / "d")
    list(whole.fit())
    first = _table(tmp_path / "d")
    first.folder = tmp_path / "run"
    for report in first.fit():
        if report.epoch == 5:
            break
    torch.rand(17)  # whatever happens between
    second = _table(tmp_path / "d")
    second.resume(tmp_path / "run")
    assert second.epoch == 5
    list(second.fit())
    assert [row[:3] for row in second.history] == [row[:3] for row in whole.history]
    np.testing.assert_allclose(
        [row[3] for row in second.history], [row[3] for row in whole.history], atol=1e-6
    )


def test_site_effects_alone_learn_a_new_site(trained: Path, tmp_path: Path) -> None:
    data = _cases(tmp_path / "data", 40, 2, first=200)
    text = data.read_text("utf-8").replace("North", "East")
    data.write_text(text, "utf-8")
    init = str(trained / "weights.safetensors")
    recipe = {**QUICK, "folds": 0, "leave_out": False, "compare": False}
    request = TrainRequest(
        (str(data),), str(tmp_path / "out"), recipe, init=init, method="site-effects"
    )
    fit(Silent(), request)
    old, _, _ = load_armed_age(Path(init))
    new, card, model = load_armed_age(tmp_path / "out" / "weights.safetensors")
    assert model.sites == ("North", "South", "West", "East")
    assert model.conformal is None
    assert any("not been measured" in limit for limit in card.limits)
    for (name, was), now in zip(old.state_dict().items(), new.state_dict().values(), strict=True):
        if ".base." in name:
            torch.testing.assert_close(now, was, msg=name)
    table = _one_row(tmp_path)
    east = _run(tmp_path / "out", table, site="East").scores
    assert east[0].value is not None
    assert east[1].value is not None
    assert east[0].value > east[1].value + 1
    assert east[0].low is None
    with pytest.raises(UsageError, match="needs weights to start from"):
        fit(Silent(), replace(request, init=None))
    for name in ("smri.csv", "cases.csv"):
        (tmp_path / name).write_text((data.parent / name).read_text("utf-8").replace(",m5", ",n5"))
    with pytest.raises(DataError, match="5 measures, the weights to start from 5, or others"):
        fit(Silent(), replace(request, data=(str(tmp_path / "cases.csv"),)))


def test_nobody_is_scored_by_a_network_that_saw_him(tmp_path: Path) -> None:
    table, _ = table_of(find_subsets((str(_cases(tmp_path)),), "brain-age-armed"))
    plans = plans_for(table, AgeRecipe.of(QUICK))
    assert [plan.kind for plan in plans] == ["seen"] * 3 + ["unseen"] * 3 + ["final"]
    for plan in plans:
        assert not set(plan.train) & set(plan.test)
    for plan in plans[3:6]:
        assert len(set(table.site[plan.test])) == 1
        assert not set(table.site[plan.train]) & set(table.site[plan.test])
    for kind in (plans[:3], plans[3:6]):
        assert sorted(np.concatenate([plan.test for plan in kind])) == list(range(72))
    poisoned = replace(table, x=table.x.copy(), age=table.age.copy())
    poisoned.x[plans[0].test] = 1e6
    again = plans_for(poisoned, AgeRecipe.of(QUICK))
    np.testing.assert_array_equal(again[0].scale.mean, plans[0].scale.mean)


def test_too_little_or_one_site_is_refused(tmp_path: Path) -> None:
    few = find_subsets((str(_cases(tmp_path / "few", 12)),), "brain-age-armed")
    with pytest.raises(DataError, match="12 rows of 3 sites"):
        table_of(few)
    with pytest.raises(DataError, match="folds 0 or at least 2"):
        AgeRecipe.of({"folds": 1})


def test_foreign_weights_are_refused(trained: Path, tmp_path: Path) -> None:
    for name in ("weights.safetensors", "card.json"):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    card = json.loads((tmp_path / "card.json").read_text("utf-8"))
    (tmp_path / "card.json").write_text(json.dumps(card | {"id": "icu"}), "utf-8")
    with pytest.raises(WeightsError, match="not of brain age"):
        load_armed_age(tmp_path / "weights.safetensors")
    del card["settings"]["sites"]
    (tmp_path / "card.json").write_text(json.dumps(card), "utf-8")
    with pytest.raises(WeightsError, match="cannot use"):
        load_armed_age(tmp_path / "weights.safetensors")


def test_figures_by_hand() -> None:
    age, said = np.array([20.0, 30, 40, 50, 60, 70]), np.array([22.0, 32, 42, 52, 62, 72])
    people = [f"p{n}" for n in range(6)]
    found = {row.name: row for row in age_rows("model", age, said, people, subset="s")}
    assert found["mae"].value == pytest.approx(2)
    assert found["rmse"].value == pytest.approx(2)
    assert found["pearson_r"].value == pytest.approx(1)
    assert found["bias_slope"].value == pytest.approx(0, abs=1e-12)
    assert found["mae"].low == pytest.approx(2)
    # of 40 rows the 39th smallest: ceil(41 x 0.95)
    apart = np.arange(1, 41) / 100
    assert half_width(np.full(40, 30.0), 30 * np.exp(apart)) == pytest.approx(0.39)
    assert together(np.array([[10.0], [40.0]]))[0] == pytest.approx(20)


def test_regions_become_shares_of_the_whole() -> None:
    x = np.array([[1000.0, 10.0], [2000.0, 10.0]])
    np.testing.assert_allclose(divided(("MUSE_702", "MUSE_4"), x), [[1000, 0.01], [2000, 0.005]])
    np.testing.assert_array_equal(divided(("a", "b"), x), x)


def test_scale_knows_gaps_and_constants() -> None:
    x = np.array([[1.0, 5.0], [3.0, 5.0], [np.nan, 5.0]])
    scale = Scale.of(x, np.array([10.0, 20.0, 40.0]))
    np.testing.assert_allclose(scale.mean, [2, 5])
    assert scale.inputs(x)[2].tolist() == [0, 0]
    np.testing.assert_allclose(scale.years(scale.target(np.array([33.0])).astype(float)), [33.0])


def test_site_effects_are_zero_when_there_are_none(tmp_path: Path) -> None:
    trainer = _table(tmp_path)
    ensemble = trainer.members(0)
    with torch.no_grad():
        for name, value in ensemble.named_parameters():
            if "slopes.mu" in name or "intercept.mu" in name:
                value.zero_()
            if ".rho" in name:
                value.fill_(-30.0)
    effects = site_effects(trainer.table, ensemble, trainer.plans[0].scale, 0)
    assert all(abs(e.effect_years) < 1e-3 and abs(e.high) < 1e-2 for e in effects)
    assert left_out(trainer, "unseen") is None
