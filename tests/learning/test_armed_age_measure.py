"""Figures of ages and effects of sites, by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from armed_ages import age_trainer

from medview.learning.armed_age_ensemble import together
from medview.learning.armed_age_measure import (
    LeftOutAges,
    age_rows,
    conformal,
    coverage_rows,
    differences,
    fold_rows,
    left_out,
    log_half_width,
    site_effects,
)
from medview.learning.site_effects import UNSEEN

pytestmark = pytest.mark.usefixtures("seeded")


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
    assert log_half_width(np.full(40, 30.0), 30 * np.exp(apart)) == pytest.approx(0.39)
    assert together(np.array([[10.0], [40.0]]))[0] == pytest.approx(20)


def test_who_says_the_same_age_of_everybody_has_no_correlation_and_breaks_nothing() -> None:
    age = np.linspace(20, 80, 40)
    rows = age_rows("mean", age, np.full(40, 50.0), [f"p{n}" for n in range(40)], subset="s")
    found = {row.name: (row.value, row.low, row.high) for row in rows}
    assert found["pearson_r"] == (None, None, None)
    assert found["bias_slope"] == pytest.approx((-1, -1, -1))
    assert found["rmse"][0] == pytest.approx(np.sqrt(np.mean((age - 50) ** 2)))
    assert [r.name for r in age_rows("x", age, age, list("ab") * 20, subset="s", brief=True)] == [
        "mae"
    ]


TABLE = SimpleNamespace(
    age=np.linspace(20, 79, 60), site=np.arange(60) % 3, patients=[f"p{n}" for n in range(60)]
)
"""Ages of 60 people of three sites."""


def told(**said: np.ndarray) -> LeftOutAges:
    """What was said in three folds, the third of which is twice as far off."""
    return LeftOutAges(said, np.arange(60) // 20)


def test_an_interval_of_a_fold_is_made_from_the_others() -> None:
    off = np.exp(np.where(np.arange(60) < 40, 0.1, 0.2))
    rows = coverage_rows(TABLE, told(model=TABLE.age * off), "s", "seen")
    found = {row.name: row.value for row in rows}
    # Half widths: 0.2 from the others for the first two folds, 0.1 for the third.
    assert found["coverage"] == pytest.approx(40 / 60)
    half = np.where(np.arange(60) < 40, 0.2, 0.1)
    width = TABLE.age * off * (np.exp(half) - np.exp(-half))
    assert found["interval_width"] == pytest.approx(width.mean())


def test_known_sites_have_their_own_interval_and_others_that_of_the_fixed_effects() -> None:
    seen = told(model=TABLE.age * np.exp(0.1), fixed=TABLE.age * np.exp(0.3))
    unseen = told(model=TABLE.age * np.exp(0.15), fixed=TABLE.age * np.exp(0.4))
    both = conformal(TABLE, seen, unseen)
    assert (both.known, both.unknown) == pytest.approx((0.1, 0.4))
    assert (both.gap_slope, both.gap_at_zero) == pytest.approx((np.exp(0.1) - 1, 0), abs=1e-9)
    alone = conformal(TABLE, None, unseen)
    assert (alone.known, alone.unknown) == pytest.approx((0.15, 0.4))
    assert conformal(TABLE, seen, None).unknown == pytest.approx(0.3)
    assert conformal(TABLE, None, None) is None


@pytest.mark.parametrize(("group", "unit"), [("seen", "patient"), (UNSEEN, "site")])
def test_ages_at_new_sites_are_drawn_by_site(group: str, unit: str) -> None:
    found = told(model=TABLE.age + 2, same=TABLE.age + 2, ridge=TABLE.age - 5)
    (apart,) = differences(TABLE, found, group)
    assert (apart["against"], apart["n"], apart["value"]) == ("ridge", 60, pytest.approx(-3))
    assert unit in apart["ci"]
    errors = [row for row in fold_rows(TABLE, found, "s", group) if row.name == "mae"]
    by_site = [row.predictor for row in errors if "site" in row.ci]
    assert by_site == (list(found.said) if unit == "site" else [])
    assert {row.value for row in errors} == {2.0, 5.0}


def test_site_effects_are_zero_when_there_are_none(tmp_path: Path) -> None:
    trainer = age_trainer(tmp_path)
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
