"""The recipe of the ICU model."""

from dataclasses import asdict

import pytest

from medview.domain.errors import DataError
from medview.learning.icu_recipe import IcuRecipe
from medview.services.recipes import read_recipe


def test_the_shipped_recipe_says_every_setting_with_its_default():
    assert read_recipe("icu") == asdict(IcuRecipe())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"fusing": "sum"}, "fusing = sum means nothing"),
        ({"loss": "mse"}, "loss = mse"),
        ({"speed": 3}, "no setting called speed"),
    ],
)
def test_what_means_nothing_is_named(values, said):
    with pytest.raises(DataError, match=said):
        IcuRecipe.of(values)


def test_runs_that_differ_in_measuring_only_can_share_their_networks():
    one, two = IcuRecipe(folds=5, phases="final"), IcuRecipe(leave_sites=True)
    assert one.run == two.run
    assert one.run != IcuRecipe(rate=1e-3).run
