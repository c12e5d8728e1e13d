"""Temperatures and intervals from made-up cases whose right answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from medview.learning.calibration import (
    FOLDS,
    Local,
    cross_fitted,
    judged,
    stretch,
    temperature,
    without_site,
    worse,
)
from medview.learning.temperature import calmed


def outcomes(n=400, sharp=3.0):
    """Outcomes drawn from true chances, told with logits `sharp` times too large."""
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 1.2, n)
    truth = (rng.random(n) < 1 / (1 + np.exp(-logits))).astype(float)
    said = 1 / (1 + np.exp(-sharp * logits))
    return Local("mortality", truth, said, tuple(f"p{k}" for k in range(n)))


def ages(n=300, spread=6.0, half=4.0, seed=3):
    """Ages told with errors of a standard deviation, and an interval of +- `half` years."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(20, 80, n)
    said = truth + rng.normal(0, spread, n)
    names = tuple(f"p{k}" for k in range(n))
    return Local("age", truth, said, names, np.full(n, half))


@pytest.mark.parametrize("sharp", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_how_sharp_the_logits_are(sharp):
    assert temperature(outcomes(3000, sharp)) == pytest.approx(sharp, rel=0.15)


def test_few_cases_that_are_all_ranked_right_do_not_make_a_model_certain_of_all():
    truth = (np.arange(40) < 6).astype(float)
    said = np.where(truth > 0.5, 0.45, np.linspace(0.05, 0.3, 40))
    cases = Local("mortality", truth, said, tuple(f"p{n}" for n in range(40)))
    told = calmed(said, temperature(cases))
    assert told.min() > 0.001
    assert told.max() < 0.6


def test_patients_of_both_outcomes_are_counted_not_their_cases():
    truth = np.array([1.0] * 8 + [0.0] * 40)
    names = tuple(f"p{n // 2}" for n in range(8)) + tuple(f"q{n}" for n in range(40))
    cases = Local("mortality", truth, np.full(48, 0.3), names)
    assert (cases.people, cases.rarer, cases.tells) == (44, 4, False)
    assert cases.only(truth < 0.5).rarer == 0
    assert ages().rarer == 300


def test_calibration_error_falls_and_the_difference_has_an_interval():
    value, rows, differences = judged(outcomes(800))
    told = {(row["predictor"], row["name"]): row["value"] for row in rows}
    assert value > 2
    assert told["new", "ece"] < 0.6 * told["old", "ece"]
    assert told["new", "brier"] < told["old", "brier"]
    apart = {one["name"]: one for one in differences}
    assert apart["ece"]["low"] < apart["ece"]["new_minus_old"] < apart["ece"]["high"] < 0
    assert worse(differences) == []


def test_intervals_of_new_people_hold_what_they_promise():
    cases = ages()
    factor = stretch(cases)
    assert factor == pytest.approx(1.96 * 6 / 4, rel=0.12)
    _, rows, differences = judged(cases)
    told = {(row["predictor"], row["name"]): row["value"] for row in rows}
    assert told["old", "coverage"] < 0.65
    assert told["new", "coverage"] == pytest.approx(0.95, abs=0.03)
    fresh = ages(2000, seed=4)
    inside = np.abs(fresh.said - fresh.truth) <= fresh.half * factor
    assert inside.mean() == pytest.approx(0.95, abs=0.02)
    assert worse(differences) == []


def test_no_patient_is_judged_by_a_fit_that_saw_them():
    patients = tuple(f"p{k // 3}" for k in range(60))
    cases = Local("mortality", np.tile([0.0, 1.0], 30), np.full(60, 0.5), patients)
    asked = []

    def fit(part):
        asked.append(set(part.patients))
        return float(len(asked))

    factors = cross_fitted(cases, fit)
    assert len(asked) == FOLDS
    for patient, factor in zip(patients, factors, strict=True):
        assert patient not in asked[int(factor) - 1]


def test_what_is_worse_for_sure_is_named():
    assert worse([{"name": "ece", "low": 0.01}, {"name": "interval_width", "low": 0.5}]) == [
        "cross-fitted ece"
    ]


def at_two_sites(n=200):
    """Outcomes that are told three times too sharply at "a", and rightly at "b"."""
    sharp, right = outcomes(n), outcomes(n, sharp=1.0)
    return Local(
        "mortality",
        np.concatenate([sharp.truth, right.truth]),
        np.concatenate([sharp.said, right.said]),
        tuple(f"p{k}" for k in range(2 * n)),
        sites=("a",) * n + ("b",) * n,
    )


def test_a_site_that_is_left_out_has_no_say_in_its_own_calibration():
    cases = at_two_sites(1000)
    rows, differences = without_site(cases, "b")
    assert {row["group"] for row in (*rows, *differences)} == {"site:b"}
    assert {row["n"] for row in rows} == {1000}
    # What is right for "a" makes "b" worse; under its own fit it would have stayed as it is.
    apart = {one["name"]: one["new_minus_old"] for one in differences}
    assert apart["ece"] > 0.03


def test_patients_of_both_sites_are_fitted_on_for_neither():
    cases = replace(at_two_sites(40), patients=tuple(f"p{k % 50}" for k in range(80)))
    assert without_site(cases, "b") is None  # ten of "a" were never at "b"
    assert without_site(at_two_sites(40), "b") is not None


@pytest.mark.parametrize(("right", "limit"), [(True, 1 / 12), (False, 33)])
def test_a_temperature_stays_within_its_limits(right, limit):
    truth = np.tile([0.0, 1.0], 40)
    said = np.where((truth > 0.5) == right, 0.51, 0.49)
    cases = Local("mortality", truth, said, tuple(f"p{k}" for k in range(80)))
    assert temperature(cases) == pytest.approx(limit, rel=0.02)


@pytest.mark.parametrize(("n", "rank"), [(39, 38), (40, 39), (59, 57), (10, 10)])
def test_half_widths_are_stretched_by_the_ratio_of_the_promised_rank(n, rank):
    # Errors of 1 to n years, told as +- 2: the ceil((n + 1) 0.95)-th, or the largest.
    errors = np.random.default_rng(5).permutation(np.arange(1.0, n + 1))
    signs = np.where(np.arange(n) % 2, 1, -1)
    cases = Local("age", np.full(n, 50.0), 50 + signs * errors, ("p",) * n, np.full(n, 2.0))
    assert stretch(cases) == rank / 2


def test_cases_that_are_left_keep_all_that_is_known_of_them():
    every = replace(ages(6), half=np.arange(6.0), sites=tuple("aabbcc"))
    some = every.only(np.array([False, True, False, True, True, False]))
    assert (some.score, some.patients, some.sites) == ("age", ("p1", "p3", "p4"), tuple("abc"))
    for name in ("truth", "said", "half"):
        assert getattr(some, name).tolist() == getattr(every, name)[[1, 3, 4]].tolist()
    assert replace(every, half=None, sites=()).only(np.ones(6, bool)).half is None


@pytest.mark.parametrize(
    ("ill", "patients", "tells"),
    [
        *((5, 30, True), (25, 30, True), (4, 30, False), (26, 30, False)),
        *((0, 30, False), (30, 30, False), (15, 29, False)),
    ],
)
def test_a_fit_needs_thirty_patients_and_five_of_each_outcome(ill, patients, tells):
    names = tuple(f"p{min(k, patients - 1)}" for k in range(30))
    truth = (np.arange(30) < ill).astype(float)
    assert Local("mortality", truth, np.full(30, 0.4), names).tells is tells
    # Ages have no outcomes: there is nothing to be on one side of.
    aged = Local("age", np.full(30, 60.0), np.full(30, 61.0), names, np.full(30, 5.0))
    assert aged.tells is (patients == 30)


def test_figures_before_and_after_are_those_of_the_cases():
    cases = replace(outcomes(90), patients=tuple(f"p{k // 2}" for k in range(90)))
    _, rows, differences = judged(cases)
    told = {(row["predictor"], row["name"]): row for row in rows}
    ill = int(cases.truth.sum())
    for row in rows:
        assert (row["n"], row["n_patients"], row["n_positive"]) == (90, 45, ill)
        assert row["prevalence"] == ill / 90
        assert (row["task"], row["group"]) == ("mortality", "cross-fitted")
    after = calmed(cases.said, cross_fitted(cases, temperature))
    for who, score in (("old", cases.said), ("new", after)):
        tenth = np.minimum((score * 10).astype(int), 9)
        apart = [abs((score - cases.truth)[tenth == n].sum()) for n in range(10)]
        assert told[who, "ece"]["value"] == pytest.approx(sum(apart) / 90)
        assert told[who, "brier"]["value"] == pytest.approx(np.mean((score - cases.truth) ** 2))
    for one in differences:
        values = [told[who, one["name"]]["value"] for who in ("new", "old")]
        assert one["new_minus_old"] == pytest.approx(values[0] - values[1])


def test_widths_before_and_after_are_whole_ones_and_of_ages_none_is_positive():
    cases = ages(40)
    _, rows, differences = judged(cases)
    told = {(row["predictor"], row["name"]): row for row in rows}
    factors = cross_fitted(cases, stretch)
    error = abs(cases.said - cases.truth)
    for who, half in (("old", cases.half), ("new", cases.half * factors)):
        assert told[who, "interval_width"]["value"] == pytest.approx(2 * half.mean())
        assert told[who, "coverage"]["value"] == pytest.approx((error <= half).mean())
    assert {row["n_positive"] for row in rows} == {row["prevalence"] for row in rows} == {None}
    assert {one["name"] for one in differences} == {"coverage", "interval_width"}
    wider = next(one for one in differences if one["name"] == "interval_width")
    assert 0 < wider["low"] < wider["new_minus_old"] < wider["high"]
