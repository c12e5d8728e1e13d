"""Variants of the age model: what each changes, and what it is compared on."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from age_sets import write_abide, write_ixi_table

from medview.domain.ablation import AblateRequest
from medview.domain.progress import Silent
from medview.learning.brain_age_ablation import CHANGES, changed, study, without
from medview.learning.brain_age_recipe import AgeRecipe

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
    assert not {"no-ratio", "no-cross", "smri-only", "fmri-missing-50"} & set(names)
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


def test_missing_modalities_are_asked_of_the_network_of_the_default(tmp_path, monkeypatch):
    write_abide(tmp_path, count=40, pairs=40)
    one = made(tmp_path, recipe={**TINY, "rows": "pairs", "features": 20})
    names = ("default", "fmri-missing-50", "fmri-missing-100", "smri-missing-100")
    first = one.run(Silent(), names[0], {}, 0, "1")[0]
    monkeypatch.setattr("medview.learning.brain_age_ablation.fit_fold", None)
    some, none, other = (one.run(Silent(), name, {}, 0, "1")[0] for name in names[1:])
    same = np.isclose(first.score, some.score)
    assert some.cases == first.cases
    assert 0 < same.sum() < len(same)
    assert np.allclose(np.array(some.score)[~same], np.array(none.score)[~same])
    assert not np.isclose(first.score, none.score).any()
    assert not np.isclose(other.score, none.score).any()


def test_who_lacks_a_modality_lacks_it_at_every_larger_share(tmp_path):
    write_abide(tmp_path, count=40, pairs=30)
    table = made(tmp_path).table
    left = [~without(table, "fmri", share, 0).present("fmri") for share in (0.3, 0.6, 1.0)]
    alone = ~table.present("fmri")
    assert alone.sum() < left[0].sum() < left[1].sum() < left[2].sum() == len(table)
    assert all((one <= more).all() for one, more in pairwise(left))
    here = without(table, "smri", 1.0, 0).present("smri")
    assert (here == alone).all()  # who has nothing else keeps it
