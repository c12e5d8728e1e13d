"""Recipes from plain values: what is known is taken, the rest refused by name."""

from dataclasses import dataclass, field

import pytest

from medview.domain.errors import DataError
from medview.learning.recipe_values import names_of, odd_value, recipe_of


@dataclass(frozen=True)
class Part:
    size: int = 1


@dataclass(frozen=True)
class Recipe:
    steps: int = 3
    part: Part = field(default_factory=Part)


def test_values_and_tables_become_a_recipe_and_the_rest_is_the_default():
    assert recipe_of(Recipe, {}) == Recipe()
    made = recipe_of(Recipe, {"part": {"size": 5}}, {"part": Part})
    assert made == Recipe(part=Part(5))


@pytest.mark.parametrize(
    ("values", "says", "known"),
    [
        ({"steps": 1, "step": 2}, "no setting called step\\.", "part, steps"),
        ({"part": {"width": 2}}, "a table part that cannot be used", "size"),
        ({"part": 2}, "a table part that cannot be used", "size"),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(values, says, known):
    with pytest.raises(DataError, match=says) as caught:
        recipe_of(Recipe, values, {"part": Part})
    assert caught.value.do == f"Known are: {known}."
    assert caught.value.code == "MV-DAT-020"


def test_the_values_given_stay_as_they_are():
    values = {"part": {"size": 5}}
    recipe_of(Recipe, values, {"part": Part})
    assert values == {"part": {"size": 5}}


def test_an_odd_value_says_what_there_is():
    assert names_of(Recipe) == ["part", "steps"]
    assert odd_value("x is 3", ("1", "2")).do == "Known are: 1, 2."
