"""Classical models of films: who counts how much, and what they say."""

import numpy as np
import pytest

from medview.learning.cxr_baselines import (
    LOGISTIC,
    RIDGE,
    classes_alike,
    fit_models,
    patients_alike,
    with_baselines,
)
from medview.learning.cxr_metrics import Said
from medview.learning.subset import TrainCase


def test_every_patient_counts_the_same_however_many_films_he_has():
    weight = patients_alike(["a", "b", "b", "c", "c", "c"])
    assert weight.mean() == pytest.approx(1)
    assert weight[0] == pytest.approx(weight[1:3].sum()) == pytest.approx(weight[3:].sum())


def test_both_outcomes_count_the_same_and_patients_stay_alike_within_them():
    severe = np.array([True, False, False, False, False])
    weight = classes_alike(patients_alike(["a", "b", "b", "c", "d"]), severe)
    assert weight[severe].sum() == pytest.approx(weight[~severe].sum()) == pytest.approx(2.5)
    assert weight[1] + weight[2] == pytest.approx(weight[3]) == pytest.approx(weight[4])


def films(n=40, severe=lambda k: k % 2 == 0, brixia=lambda k: f"{k % 4}00000"):
    return tuple(
        TrainCase(
            f"c{k}",
            f"p{k}",
            {},
            "film",
            cells={"prognosis": "SEVERE" if severe(k) else "MILD", "brixia": brixia(k)},
        )
        for k in range(n)
    )


def table_of(cases):
    """Features that tell the outcome and the total, beside noise."""
    dice = np.random.default_rng(0)
    x = dice.normal(0, 0.1, (len(cases), 6))
    x[:, 0] += [case.cells["prognosis"] == "SEVERE" for case in cases]
    x[:, 1] += [int(case.cells["brixia"][0]) for case in cases]
    return x


def test_models_find_what_the_features_tell():
    cases = films()
    table = table_of(cases)
    models = fit_models(table, cases)
    assert set(models) == {LOGISTIC, RIDGE}
    severe = np.array([case.cells["prognosis"] == "SEVERE" for case in cases])
    said = models[LOGISTIC](table)
    assert said[severe].min() > said[~severe].max()
    total = np.array([int(case.cells["brixia"][0]) for case in cases])
    assert np.corrcoef(models[RIDGE](table), total)[0, 1] > 0.9


def test_without_both_outcomes_or_enough_scored_patients_there_is_no_model():
    mild = films(severe=lambda k: False, brixia=lambda k: "100000" if k < 3 else "")
    assert fit_models(np.zeros((40, 6)), mild) == {}


def test_totals_stay_within_the_scale():
    n = 4
    blank = np.full(n, np.nan)
    said = Said(films(n), blank, np.full((n, 6), np.nan), blank, blank)
    told = {LOGISTIC: lambda x: x[:, 0], RIDGE: lambda x: x[:, 0]}
    table = np.array([[-3.0], [5.0], [18.5], [40.0]])
    found = with_baselines(said, told, table).baselines
    assert found[RIDGE].tolist() == [0, 5, 18, 18]
    assert found[LOGISTIC].tolist() == [-3, 5, 18.5, 40]
