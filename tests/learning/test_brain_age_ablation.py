"""Variants of the age model: what each changes, and what it is compared on."""

from dataclasses import replace

import numpy as np
import pytest
from age_sets import write_abide, write_ixi_table

from medview.domain.ablation import AblateRequest
from medview.domain.progress import Silent
from medview.learning.brain_age_ablation import CHANGES, changed, study
from medview.learning.brain_age_fit import AgeRecipe

TINY = {"members": 2, "target": "years", "train": {"epochs": 1, "batch": 16}}


def made(folder, **more):
    request = AblateRequest("brain-age", (str(folder),), "out", TINY, folds=2)
    return study(Silent(), replace(request, **more))


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "default"])
def test_every_variant_changes_the_recipe(name):
    assert changed(AgeRecipe(), CHANGES[name]) != AgeRecipe()


def test_a_change_inside_a_table_leaves_the_rest():
    recipe = changed(AgeRecipe(), {"loss.kl": 0.0, "predictor": "shared"})
    assert (recipe.loss.kl, recipe.loss.age, recipe.predictor) == (0.0, 1.0, "shared")


def test_with_one_modality_variants_of_two_are_not_offered(tmp_path):
    write_ixi_table(tmp_path)
    names = made(tmp_path).variants()
    assert names[0] == "default"
    assert not {"no-ratio", "no-cross", "smri-only"} & set(names)
    assert {"no-kl", "mean", "ridge", "svr", "site-mean"} <= set(names)


def test_a_run_tells_its_fold_and_groups_of_it(tmp_path):
    write_abide(tmp_path, count=40, pairs=20)
    one = made(tmp_path)
    found = {scored.subset: scored for scored in one.run(Silent(), "site-mean", {}, 0, "1")}
    assert set(found) == {"abide", "abide:control", "abide:case", "abide:pairs"}
    whole = found["abide"]
    assert whole.names == ("mae", "rmse", "pearson_r", "bias_slope")
    assert len(whole.cases) == 20
    assert len(found["abide:control"].cases) + len(found["abide:case"].cases) == 20
    assert len(set(whole.score)) == 2  # two sites, two means
    second = one.run(Silent(), "mean", {}, 0, "2")[0]
    assert set(second.cases).isdisjoint(whole.cases)


def test_one_modality_alone_is_told_for_the_same_rows(tmp_path):
    write_abide(tmp_path, count=40, pairs=40)
    one = made(tmp_path, recipe={**TINY, "rows": "pairs", "features": 20})
    runs = {name: one.run(Silent(), name, {}, 0, "1")[0] for name in ("default", "smri-only")}
    assert runs["default"].cases == runs["smri-only"].cases
    assert not np.allclose(runs["default"].score, runs["smri-only"].score)
