"""The site of somebody from nowhere, found by his measures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from armed_ages import age_trainer

from medview.learning.armed_age_table import plans_for
from medview.learning.armed_age_trainer import AgeTrainer
from medview.learning.armed_age_unseen import unseen_ways

pytestmark = pytest.mark.usefixtures("seeded")


def test_a_z_predictor_finds_the_site_that_a_measure_gives_away(tmp_path: Path) -> None:
    trainer = age_trainer(tmp_path)
    table = trainer.table
    x = np.c_[np.eye(3)[table.site] * 4, table.x[:, :2]]
    told = replace(table, x=x)
    recipe = replace(trainer.recipe, folds=0, leave_out=True, compare=False)
    ways, right = unseen_ways(AgeTrainer(recipe, told, plans_for(told, recipe), 0))
    assert right > 0.9
    assert set(ways) == {"zero", "soft", "argmax", "average"}
    assert all(np.isfinite(ages).all() for ages in ways.values())
