"""Rows, their scale, and who learns from whom."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from armed_ages import QUICK, age_cases

from medview.domain.errors import DataError
from medview.learning.armed_age_recipe import AgeRecipe
from medview.learning.armed_age_table import Scale, divided, plans_for, table_of
from medview.learning.cases import find_subsets

pytestmark = pytest.mark.usefixtures("seeded")


def test_nobody_is_scored_by_a_network_that_saw_him(tmp_path: Path) -> None:
    table, _ = table_of(find_subsets((str(age_cases(tmp_path)),), "brain-age-armed"))
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
    few = find_subsets((str(age_cases(tmp_path / "few", 12)),), "brain-age-armed")
    with pytest.raises(DataError, match="12 rows of 3 sites"):
        table_of(few)
    with pytest.raises(DataError, match="folds 0 or at least 2"):
        AgeRecipe.of({"folds": 1})


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
