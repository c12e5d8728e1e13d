"""Which tasks can be taught at all."""

import numpy as np
import pytest
from chest_given import NAN, labelled

from medview.domain.errors import DataError
from medview.learning.cxr_fit import taught
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
