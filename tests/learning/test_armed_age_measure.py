"""Figures of ages and effects of sites, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from armed_ages import age_trainer

from medview.learning.armed_age_ensemble import together
from medview.learning.armed_age_measure import age_rows, half_width, left_out, site_effects

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
    assert half_width(np.full(40, 30.0), 30 * np.exp(apart)) == pytest.approx(0.39)
    assert together(np.array([[10.0], [40.0]]))[0] == pytest.approx(20)


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
