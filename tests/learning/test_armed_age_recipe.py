"""The recipe of ages with site effects, and what each way of training changes."""

import pytest

from medview.domain.errors import DataError
from medview.learning.armed_age_ensemble import fresh
from medview.learning.armed_age_recipe import LEARNS, AgeRecipe
from medview.learning.site_effects import EFFECTS
from medview.services.recipes import read_recipe


def test_the_shipped_recipe_is_what_the_program_has_without_one():
    assert AgeRecipe.of(read_recipe("brain-age-armed")) == AgeRecipe()


@pytest.mark.parametrize("values", [{"folds": 1}, {"members": 0}, {"width": 0}, {"width_2": 0}])
def test_what_trains_nothing_is_refused(values):
    with pytest.raises(DataError, match="at least 1, folds 0 or at least 2") as caught:
        AgeRecipe.of(values)
    assert caught.value.code == "MV-DAT-021"


def test_a_recipe_says_how_wide_the_network_is():
    made = AgeRecipe.of({"width": 12, "width_2": 8, "dropout": 0.2, "input_dropout": 0.05})
    options = made.with_inputs(7)
    assert (options.inputs, options.hidden) == (7, (12, 8))
    assert (options.input_dropout, options.dropout) == (0.05, 0.2)


def test_each_way_of_training_changes_parts_that_there_are():
    names = [name for name, _ in fresh(AgeRecipe(width=6, width_2=4), 3, 2).named_parameters()]
    for begins in (LEARNS["head"], LEARNS["site-effects"]):
        for begin in begins:
            assert any(name.startswith(begin) for name in names), begin
    effects = {name for name in names if name.startswith(EFFECTS)}
    head = {name for name in names if name.startswith(LEARNS["head"])}
    assert effects < head < set(names)
