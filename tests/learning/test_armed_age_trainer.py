"""The training loop: the same curve, also after an interruption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from armed_ages import QUICK, age_cases, age_trainer

from medview.learning.armed_age_ensemble import Ensemble, fresh
from medview.learning.armed_age_recipe import AgeRecipe
from medview.learning.armed_age_table import plans_for, table_of
from medview.learning.armed_age_trainer import AgeTrainer
from medview.learning.cases import find_subsets

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.mark.usefixtures("every_epoch")
def test_resumed_training_has_the_same_curve(tmp_path: Path) -> None:
    whole = age_trainer(tmp_path / "d")
    list(whole.fit())
    first = age_trainer(tmp_path / "d")
    first.folder = tmp_path / "run"
    for report in first.fit():
        if report.epoch == 5:
            break
    torch.rand(17)  # whatever happens between
    second = age_trainer(tmp_path / "d")
    second.resume(tmp_path / "run")
    assert second.epoch == 5
    list(second.fit())
    assert [row[:3] for row in second.history] == [row[:3] for row in whole.history]
    np.testing.assert_allclose(
        [row[3] for row in second.history], [row[3] for row in whole.history], atol=1e-6
    )


def test_sites_without_rows_keep_their_effects_when_others_learn(tmp_path: Path) -> None:
    cases = find_subsets((str(age_cases(tmp_path)),), "brain-age-armed")
    known = ("Gone", "North", "South", "West")
    table, _ = table_of(cases, known)
    recipe = AgeRecipe.of({**QUICK, "epochs": 2, "folds": 0, "leave_out": False})
    start = Ensemble([fresh(recipe, len(table.names), len(known)) for _ in range(recipe.members)])
    trainer = AgeTrainer(recipe, table, plans_for(table, recipe), 3, method="site-effects")
    trainer.begin_with(start)
    list(trainer.fit())
    pairs = zip(start.models, trainer.members(0).models, strict=True)
    for before, after in ((a.state_dict(), b.state_dict()) for a, b in pairs):
        for name in before:
            if name.startswith(("slopes.", "intercept.")):
                assert torch.equal(before[name][0], after[name][0])
                assert not torch.equal(before[name][1:], after[name][1:])
