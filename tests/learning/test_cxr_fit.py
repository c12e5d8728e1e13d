"""How often films are drawn, and which tasks can be taught at all."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from medview.domain.errors import DataError
from medview.learning.cxr_fit import chances, taught
from medview.learning.cxr_recipe import CxrRecipe
from medview.learning.subset import TrainCase

NAN = float("nan")


def given(patients, outcome, zones=None):
    """Films of patients (a letter each) with their outcome; `zones` is one score for all six."""
    cases = [TrainCase(f"c{n}", who, {}, "film") for n, who in enumerate(patients)]
    labels = {"prognosis": torch.tensor(outcome)}
    if zones is not None:
        labels["zones"] = torch.tensor([[value] * 6 for value in zones])
    return SimpleNamespace(films=SimpleNamespace(cases=cases), labels=labels)


def test_outcomes_are_drawn_alike_and_so_are_patients_within_them():
    films = given("aabcd", [1.0, 1.0, 0.0, 0.0, NAN])
    found = chances(films, np.arange(5), "prognosis")
    assert found == pytest.approx([0.25, 0.25, 0.25, 0.25, 0])
    # Without the films of the one with the severe course there is one class.
    assert chances(films, np.array([2, 3, 4]), "prognosis") == pytest.approx([0.5, 0.5, 0])


def test_films_with_a_score_of_one_patient_share_his_part():
    films = given("aaab", [NAN] * 4, [1.0, 2.0, NAN, 3.0])
    assert chances(films, np.arange(4), "zones") == pytest.approx([0.25, 0.25, 0, 0.5])


def test_nobody_is_drawn_where_nothing_is_known():
    assert chances(given("ab", [NAN, NAN]), np.arange(2), "prognosis").tolist() == [0, 0]


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
    assert taught(recipe, given("ab", outcome, zones), np.arange(2)).method == left


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
        taught(CxrRecipe(method=method), given("ab", outcome, zones), np.arange(2))
