"""Training with site effects: what it writes, that known sites help, and learning a new one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from armed_ages import QUICK, age_cases, age_of, one_row, table_lines

from medview.domain.errors import DataError, UsageError
from medview.domain.progress import Silent
from medview.domain.training import TrainRequest
from medview.learning.armed_age_card import load_armed_age
from medview.learning.armed_age_training import fit

pytestmark = pytest.mark.usefixtures("seeded")


def test_training_writes_everything_and_sites_help_where_they_are_known(
    armed_weights: Path,
) -> None:
    card = json.loads((armed_weights / "card.json").read_text("utf-8"))
    assert card["settings"]["sites"] == ["North", "South", "West"]
    rows = table_lines(armed_weights / "site_effects.csv")
    effects = {row["site"]: float(row["effect_years"]) for row in rows}
    assert effects["North"] > effects["West"] > effects["South"]
    assert all(float(r["low"]) <= float(r["effect_years"]) <= float(r["high"]) for r in rows)
    assert len(table_lines(armed_weights / "splits.csv")) == 72
    history = table_lines(armed_weights / "history.csv")
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


def test_site_effects_alone_learn_a_new_site(armed_weights: Path, tmp_path: Path) -> None:
    data = age_cases(tmp_path / "data", 40, 2, first=200)
    text = data.read_text("utf-8").replace("North", "East")
    data.write_text(text, "utf-8")
    init = str(armed_weights / "weights.safetensors")
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
    table = one_row(tmp_path)
    east = age_of(tmp_path / "out", table, site="East").scores
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
