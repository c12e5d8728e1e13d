"""Settings of a chest film training."""

from dataclasses import fields

import pytest

from medview.domain.errors import DataError
from medview.learning.armed_rules import RULES
from medview.learning.cxr_recipe import RECIPES, CxrRecipe, SiteRecipe, same_run
from medview.services.recipes import shipped_recipe


@pytest.mark.parametrize(("model", "kind"), RECIPES.items())
def test_the_shipped_recipe_has_every_setting_and_the_defaults(model, kind):
    recipe = shipped_recipe(model)
    assert kind.of(recipe) == kind()
    assert set(recipe) == {each.name for each in fields(kind)}


def test_what_the_terms_of_the_loss_count_is_that_of_the_variants():
    assert SiteRecipe().weights == RULES["armed"]


def test_unknown_words_of_a_recipe_are_refused():
    with pytest.raises(DataError, match="no setting called rates"):
        CxrRecipe.of({"rates": 1})
    with pytest.raises(DataError, match='severity "zones"'):
        CxrRecipe.of({"severity": "zones"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("method", "all"),
        ("outcome", "wide"),
        ("prognosis_loss", "hinge"),
        ("reduction", "sum"),
        ("select", "best"),
    ],
)
def test_a_word_that_is_no_choice_is_named(name, value):
    with pytest.raises(DataError, match=f'{name} "{value}" is no choice'):
        CxrRecipe.of({name: value})


def test_a_size_that_the_encoder_cannot_halve_five_times_is_refused():
    with pytest.raises(DataError, match="multiple of 32"):
        CxrRecipe.of({"size": 225})


def test_the_number_of_folds_alone_does_not_make_another_run():
    assert same_run(CxrRecipe(folds=5)) == same_run(CxrRecipe())
    assert same_run(CxrRecipe(rate=0.1)) != same_run(CxrRecipe())
