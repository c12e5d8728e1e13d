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
