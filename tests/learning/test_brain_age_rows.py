"""Figures of ages by hand, in groups, with intervals by patient."""

import numpy as np
import pytest

from medview.learning.brain_age_rows import (
    Told,
    age_rows,
    balanced_many,
    groups_of,
    interval,
    mae_many,
    pearson_many,
    rmse_many,
    slope_many,
)

ONE = np.ones((1, 3))


def test_figures_by_hand_and_by_weights():
    truth, score = np.array([20.0, 40.0, 60.0]), np.array([30.0, 40.0, 50.0])
    assert mae_many(truth, score, ONE) == pytest.approx(20 / 3)
    assert rmse_many(truth, score, ONE) == pytest.approx((200 / 3) ** 0.5)
    assert pearson_many(truth, score, ONE) == pytest.approx(1)
    assert slope_many(truth, score, ONE) == pytest.approx(-0.5)
    assert mae_many(truth, score, np.array([[2.0, 0, 0]])) == pytest.approx(10)
    assert np.isnan(pearson_many(truth, np.full(3, 5.0), ONE))[0]
    assert np.isnan(slope_many(np.full(3, 5.0), score, ONE))[0]
    assert balanced_many(np.array([0, 0, 1.0]), np.array([1, 0, 1.0]), ONE) == pytest.approx(0.75)


def test_weighted_figures_are_those_of_the_rows_repeated():
    rng = np.random.default_rng(0)
    truth = rng.uniform(20, 80, 12)
    score = truth + rng.normal(0, 5, 12)
    times = rng.integers(0, 3, 12)
    for figure in (mae_many, rmse_many, pearson_many, slope_many):
        weighted = figure(truth, score, times[None].astype(float))[0]
        repeated = figure(
            np.repeat(truth, times), np.repeat(score, times), np.ones((1, times.sum()))
        )[0]
        assert weighted == pytest.approx(repeated)


def test_few_patients_get_a_figure_without_an_interval():
    truth, score = np.array([20.0, 40.0]), np.array([25.0, 45.0])
    assert interval(mae_many, truth, score, ["a", "b"]) == (5.0, None, None)
    assert interval(mae_many, truth[:0], score[:0], []) == (None, None, None)


def test_a_correlation_of_few_people_ends_at_one():
    rng = np.random.default_rng(4)
    for count in (5, 6, 7):
        truth = rng.uniform(40, 80, count)
        score = truth + rng.normal(0, 4, count)
        value, low, high = interval(pearson_many, truth, score, [f"p{n}" for n in range(count)])
        assert -1 <= low <= value <= high <= 1


def test_one_draw_with_a_value_is_no_interval():
    def seldom(truth, score, weights):
        return np.where(np.arange(len(weights)) == 0, 1.0, np.nan)

    ages = np.arange(5.0)
    assert interval(seldom, ages, ages, list("abcde")) == (1.0, None, None)


def test_who_has_no_diagnosis_is_no_control():
    unknown = (np.full(3, 50.0), np.zeros(3), [""] * 3, [1, None, 0], ["smri"] * 3)
    groups = groups_of(*unknown)
    assert groups["diagnosis:control"].tolist() == [False, False, True]


def test_groups_are_those_that_part_the_people():
    groups = groups_of(
        *(np.array([20.0, 30, 40, 50]), np.array([1, 0, 1, np.nan]), ["A", "A", "B", ""]),
        *([0, 1, 0, 0], ["smri"] * 4, ["internal_test", "", "", "external_test"]),
    )
    assert set(groups) == {
        *("part:internal_test", "part:external_test"),
        *("all", "age:0-25", "age:25-35", "age:35-45", "age:45-55", "sex:F", "sex:M"),
        *("site:A", "site:B", "diagnosis:control", "diagnosis:case"),
    }
    assert groups["sex:F"].tolist() == [True, False, True, False]
    assert groups["diagnosis:case"].tolist() == [False, True, False, False]


def told(count=30, **changes):
    rng = np.random.default_rng(0)
    age = rng.uniform(40, 80, count)
    guess = age + rng.normal(0, 4, count)
    sex = np.arange(count) % 2.0
    values = {
        "subset": "made-up",
        "patients": tuple(f"p{n}" for n in range(count)),
        "age": age,
        "ages": {"model": guess, "mean": np.full(count, 60.0)},
        "low": guess - 3,
        "high": guess + 5,
        "corrected": guess - age,
        "female": np.where(sex == 1, 0.9, 0.2),
        "sex": sex,
        "groups": {"all": np.ones(count, bool), "sex:F": sex == 1, "site:X": np.arange(count) < 2},
    }
    return Told(**(values | changes))


def test_rows_have_every_predictor_and_coverage_and_leave_tiny_groups_out():
    one = told()
    rows = {(r.predictor, r.task, r.name, r.group): r for r in age_rows(one)}
    above = one.ages["model"] - one.age
    error, inside = np.abs(above), (above <= 3) & (above >= -5)
    assert (above > 3).any()
    assert (above < -5).any()
    assert rows["model", "brain-age", "mae", "all"].value == pytest.approx(error.mean())
    assert rows["model", "brain-age", "coverage", "all"].value == pytest.approx(inside.mean())
    assert rows["model", "brain-age", "interval_width", "all"].value == pytest.approx(8)
    assert rows["mean", "brain-age", "bias_slope", "all"].value == pytest.approx(-1)
    assert rows["mean", "brain-age", "pearson_r", "all"].value is None
    assert rows["model", "sex", "balanced_accuracy", "all"].value == 1
    assert rows["model", "brain-age", "mae", "sex:F"].n == 15
    assert not any(group == "site:X" for *_, group in rows)


def test_sex_is_only_measured_where_both_are_known():
    assert not [r for r in age_rows(told(sex=np.ones(30))) if r.task == "sex"]
    assert not [r for r in age_rows(told(female=None)) if r.task == "sex"]
