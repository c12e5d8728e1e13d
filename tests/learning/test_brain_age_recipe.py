"""The recipe of brain age: what it takes and what it refuses."""

import pytest

from medview.domain.errors import DataError
from medview.learning.brain_age_recipe import AgeRecipe
from medview.services.recipes import read_recipe


def test_the_shipped_recipe_is_what_the_program_has_without_one():
    assert AgeRecipe.of(read_recipe("brain-age")) == AgeRecipe()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"rows": "some"}, "rows is 'some'"),
        ({"tea": 1}, "no setting called tea"),
        ({"train": {"tea": 1}}, "table train that cannot be used"),
        ({"members": 1}, "at least 2 members"),
    ],
)
def test_a_recipe_that_means_nothing_is_refused(values, said):
    with pytest.raises(DataError, match=said):
        AgeRecipe.of(values)
