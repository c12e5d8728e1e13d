"""How often films are drawn, and what of the network shrinks."""

import numpy as np
import pytest
from chest_given import NAN, RECIPE, given, labelled

from medview.domain.progress import Silent
from medview.learning.cxr_fit import fit_method
from medview.learning.cxr_phase import chances
from medview.learning.cxr_recipe import CxrRecipe


def test_outcomes_are_drawn_alike_and_so_are_patients_within_them():
    films = labelled("aabcd", [1.0, 1.0, 0.0, 0.0, NAN])
    found = chances(films, np.arange(5), "prognosis")
    assert found == pytest.approx([0.25, 0.25, 0.25, 0.25, 0])
    # Without the films of the one with the severe course there is one class.
    assert chances(films, np.array([2, 3, 4]), "prognosis") == pytest.approx([0.5, 0.5, 0])


def test_films_with_a_score_of_one_patient_share_his_part():
    films = labelled("aaab", [NAN] * 4, [1.0, 2.0, NAN, 3.0])
    assert chances(films, np.arange(4), "zones") == pytest.approx([0.25, 0.25, 0, 0.5])


def test_nobody_is_drawn_where_nothing_is_known():
    assert chances(labelled("ab", [NAN, NAN]), np.arange(2), "prognosis").tolist() == [0, 0]


@pytest.mark.parametrize("outcome", ["linear", "deep"])
def test_the_head_of_the_outcome_shrinks_and_other_layers_do_not(outcome):
    def sizes(shrinkage):
        recipe = CxrRecipe(**{**RECIPE, "outcome": outcome, "shrinkage": shrinkage})
        parts = np.arange(60), np.arange(60, 80)
        found = fit_method(Silent(), recipe, given(), parts, 0).model.state_dict()
        return {name: value.norm().item() for name, value in found.items()}

    free, shrunk = sizes(0.0), sizes(10.0)
    weights = [name for name in free if "prognosis" in name and name.endswith(".weight")]
    assert len(weights) == (1 if outcome == "linear" else 3)
    assert all(shrunk[name] < 0.7 * free[name] for name in weights)
    for name in ("heads.zones.linear.weight", "adapter.down.weight"):
        assert shrunk[name] > 0.7 * free[name]
