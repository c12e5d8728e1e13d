"""A small age model, really trained on made-up people, for tests of everything around it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from age_sets import write_ixi_table

from medview.domain.progress import Silent
from medview.io.cards import WEIGHTS
from medview.learning.brain_age_card import make_card
from medview.learning.brain_age_fit import Fitted, fit_age_model, usable
from medview.learning.brain_age_recipe import AgeRecipe, TrainOptions
from medview.learning.brain_age_sets import load_ixi_roi
from medview.learning.brain_age_table import AgeTable, table_of
from medview.learning.weights import save

QUICK = AgeRecipe(
    members=2, dropout=0.0, train=TrainOptions(epochs=8, batch=16, noise=0.2, mix=0.0)
)


def made_up_table(folder: Path, rows=None) -> AgeTable:
    """The people of `write_ixi_table` as a table."""
    write_ixi_table(folder, rows)
    return table_of([load_ixi_roi(folder)])


def write_age_weights(folder: Path, recipe: AgeRecipe = QUICK) -> tuple[Path, Fitted, AgeTable]:
    """Train on made-up people in `folder`/data, and write weights and card into `folder`."""
    table = usable(made_up_table(folder / "data"), recipe)
    subset = replace(load_ixi_roi(folder / "data"), name="ixi-roi")
    fitted = fit_age_model(Silent(), table, recipe)
    save(fitted.model.ensemble, make_card([subset], table, recipe, fitted, ()), folder, half=False)
    return folder / WEIGHTS, fitted, table
