"""The recipe of the anomaly model: what it takes, what it refuses, which runs are the same."""

from dataclasses import replace

import pytest

from medview.domain.errors import DataError
from medview.learning.anomaly_recipe import Recipe, same_run
from medview.learning.augment import Augmentation
from medview.models.anomaly_vae import VaeOptions


def test_a_recipe_is_made_of_plain_values():
    made = Recipe.of({"epochs": 7, "network": {"heads": 4}, "augment": {"gamma": 0.5}})
    assert (made.epochs, made.network.heads, made.augment.gamma) == (7, 4, 0.5)
    assert made.batch == Recipe().batch
    assert made.augment.noise == Augmentation().noise


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"epoch": 7}, "no setting called epoch"),
        ({"network": {"layers": 7}}, "table network that cannot be used"),
        ({"augment": 3}, "table augment that cannot be used"),
    ],
)
def test_what_no_recipe_knows_is_refused_with_what_is_known(values, says):
    with pytest.raises(DataError, match=says) as caught:
        Recipe.of(values)
    assert "Known are" in caught.value.do


def test_runs_are_the_same_when_all_but_the_folds_is():
    assert same_run(Recipe()) == same_run(replace(Recipe(), folds=5))
    assert same_run(Recipe()) != same_run(replace(Recipe(), network=VaeOptions(heads=4)))
    assert same_run(Recipe()) != same_run(replace(Recipe(), network=VaeOptions(deterministic=True)))


def test_checkpoints_from_before_a_setting_existed_can_be_gone_on_from():
    told = same_run(Recipe())
    assert not any(name in told for name in ("deterministic", "curve", "dim"))
    for name in ("curve", "dim"):
        assert name in same_run(replace(Recipe(), augment=replace(Augmentation(), **{name: 0.5})))
