"""Which tasks can be taught at all, and which epoch is kept."""

import numpy as np
import pytest
from chest_given import NAN, RECIPE, given, labelled

from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.learning.cxr_fit import fit_method, taught
from medview.learning.cxr_recipe import CxrRecipe

KNOWN, NONE = [1.0, 0.0], [NAN, NAN]


@pytest.mark.parametrize(
    ("outcome", "zones", "method", "left"),
    [
        (KNOWN, [1.0, 2.0], "mdmt", "mdmt"),
        (KNOWN, NONE, "mdmt", "stl-prognosis"),
        (KNOWN, NONE, "ft", "stl-prognosis"),
        (NONE, [1.0, 2.0], "mdmt", "stl-severity"),
        (NONE, [1.0, 2.0], "stl-severity", "stl-severity"),
    ],
)
def test_a_task_that_no_film_teaches_is_left_out(outcome, zones, method, left):
    recipe = CxrRecipe(method=method)
    assert taught(recipe, labelled("ab", outcome, zones), np.arange(2)).method == left


@pytest.mark.parametrize(
    ("outcome", "zones", "method", "says"),
    [
        (NONE, [1.0, 2.0], "ft", "no film to train on has an outcome"),
        (KNOWN, NONE, "stl-severity", "no film to train on has a Brixia score"),
        (NONE, NONE, "mdmt", "no film to train on has an outcome"),
    ],
)
def test_a_method_without_its_labels_is_refused(outcome, zones, method, says):
    with pytest.raises(DataError, match=says):
        taught(CxrRecipe(method=method), labelled("ab", outcome, zones), np.arange(2))


def test_from_first_weights_the_best_epoch_is_kept_also_where_the_warm_up_is_longer():
    films, parts = given(), (np.arange(12), np.arange(12, 80))
    recipe = CxrRecipe(**{**RECIPE, "method": "mdmt", "epochs": 4, "warmup": 15, "rate": 0.3})
    first = fit_method(Silent(), recipe, films, parts, 0)
    assert first.best_epoch == 4  # without first weights it is the last: until then little is said
    further = fit_method(Silent(), recipe, films, parts, 0, init=first.model.state_dict())
    lost = dict.fromkeys(range(1, 5), 0.0)
    for epoch, part, _, value in further.history:
        if part == "val":
            lost[epoch] += value
    assert further.best_epoch == min(lost, key=lost.get) != 4
