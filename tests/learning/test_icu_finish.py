"""What a finished training of the ICU model says of itself."""

from types import SimpleNamespace

import numpy as np
import pytest

from medview.domain.training import TrainRequest
from medview.learning.icu_finish import _unavailable, command_of
from medview.learning.icu_recipe import ArmedRecipe, IcuRecipe
from medview.learning.metrics import MetricRow

LABELS = np.array([[1, 1, 0], [1, 0, 0], [0, 1, np.nan], [1, 1, 1]], float)


def area(task, low, **more):
    said = {"predictor": "model", "level": "case", "subset": "a set", "n": 4, "n_patients": 4}
    return MetricRow(**said, name="roc_auc", value=0.7, low=low, task=task, **more)


def test_an_output_is_withheld_that_few_stays_teach_or_that_is_no_better_than_chance():
    work = SimpleNamespace(outputs=("one", "two", "three"), labels=LABELS)
    chance = "on stays left out in training it was no better than chance"
    few = "only 1 stay to learn it from"
    rows = [area("one", 0.51), area("two", 0.5), area("three", 0.6), area("one", 0.4, group="men")]
    assert _unavailable(work, rows, fewest=3) == {"two": chance, "three": few}
    assert _unavailable(work, [area("one", None)], fewest=1) == {"one": chance}
    assert _unavailable(work, [], fewest=1) == {}


def test_a_risk_alone_is_never_withheld():
    work = SimpleNamespace(outputs=("mortality",), labels=LABELS[:, 2:])
    assert _unavailable(work, [area("mortality", 0.4)], fewest=9) == {}


@pytest.mark.parametrize(
    ("recipe", "data", "said"),
    [
        (IcuRecipe(), "/home/me/data/icu/set", "icu --data ../shared/data/icu/set --out DIR"),
        (IcuRecipe(folds=3), "/mine/set", "icu --data set --set folds=3 --out DIR"),
        (
            ArmedRecipe(compare=True, phases="final"),
            "mimic4=/mine/set",
            "icu-armed --data mimic4=set --set compare=true --out DIR",
        ),
    ],
)
def test_the_command_of_the_figures_names_no_folder_of_this_machine(recipe, data, said):
    assert command_of(TrainRequest((data,), "out", {}), recipe) == f"medview train {said}"
