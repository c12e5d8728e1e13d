"""Calibration on local cases: a temperature for outcomes, wider or narrower intervals for ages.

Fitted on all cases, judged by cross-fitting: what is told of a patient comes from a fit that has
not seen that patient, and of a site that is left out from a fit on the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from medview.learning.conformal import half_width
from medview.learning.metrics import Difference, drawn_patients, paired_mean_difference
from medview.learning.temperature import calibration_error, calmed

Values = NDArray[np.float64]
Rows = list[dict[str, Any]]
CROSS_FITTED = "cross-fitted"
FEWEST = 30
"""Patients; with fewer a fit says more of chance than of the site."""
FEWEST_OF_EACH = 5
"""Patients with the rarer outcome: with one among forty all chances became 0 or 1."""
FOLDS = 5
_TEMPERATURES = (-2.5, 3.5)
"""Natural logarithms: from a twelfth to 33."""


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """Local cases of one score: truth, what the model says, and the half width of an age's
    interval (None for a probability); all (n,). `sites` is empty where none is known.
    """

    score: str
    truth: Values
    said: Values
    patients: tuple[str, ...]
    half: Values | None = None
    sites: tuple[str, ...] = ()

    @property
    def is_age(self) -> bool:
        """An age with an interval, not a probability."""
        return self.half is not None

    @property
    def people(self) -> int:
        """Different patients."""
        return len(set(self.patients))

    def only(self, rows: NDArray[np.bool_]) -> Local:
        """The cases of some rows."""
        at = np.flatnonzero(rows).tolist()
        names = tuple(self.patients[n] for n in at)
        sites = tuple(self.sites[n] for n in at) if self.sites else ()
        half = None if self.half is None else self.half[rows]
        return Local(self.score, self.truth[rows], self.said[rows], names, half, sites)

    @property
    def rarer(self) -> int:
        """Different patients with the outcome that fewer of them have; of ages all."""
        if self.is_age:
            return self.people
        ill = self.truth > 0.5
        return min(self.only(ill).people, self.only(~ill).people)

    @property
    def tells(self) -> bool:
        """Enough patients, and of both outcomes."""
        return self.people >= FEWEST and self.rarer >= FEWEST_OF_EACH


def temperature(cases: Local) -> float:
    """By what logits are divided so that the outcomes are likeliest (Guo and others 2017).

    Outcomes count as a little less than certain (Platt 1999): of few cases the model may rank all
    of one outcome first, and what fits those best is to be certain of everything.
    """
    ill = cases.truth > 0.5
    true = np.where(ill, (ill.sum() + 1) / (ill.sum() + 2), 1 / ((~ill).sum() + 2))

    def loss(log: float) -> float:
        told = np.clip(calmed(cases.said, np.exp(log)), 1e-12, 1 - 1e-12)
        return float(-(true * np.log(told) + (1 - true) * np.log(1 - told)).mean())

    found = minimize_scalar(loss, bounds=_TEMPERATURES, method="bounded")
    return float(np.exp(found.x))


def stretch(cases: Local) -> float:
    """By what half widths are multiplied so that 95 % of new ages lie inside.

    Split conformal, with the present half width as the scale of an error.
    """
    assert cases.half is not None
    return half_width((cases.said - cases.truth) / np.maximum(cases.half, 1e-9))


def cross_fitted(cases: Local, fit: Callable[[Local], float]) -> Values:
    """For each case what a fit without its patient gives, (n,)."""
    names = sorted(set(cases.patients))
    order = np.random.default_rng(0).permutation(len(names))
    fold = {names[place]: number % FOLDS for number, place in enumerate(order)}
    own = np.array([fold[patient] for patient in cases.patients])
    found = np.empty(len(own))
    for number in range(FOLDS):
        found[own == number] = fit(cases.only(own != number))
    return found


def judged(cases: Local) -> tuple[float, Rows, Rows]:
    """What was fitted on all cases, rows of figures before and after, and their differences."""
    fit = stretch if cases.is_age else temperature
    return fit(cases), *_told(cases, cross_fitted(cases, fit), CROSS_FITTED)


def without_site(cases: Local, site: str) -> tuple[Rows, Rows] | None:
    """Rows of one site under a fit on patients who were never there, and their differences.

    None where too few of those are left to fit on.
    """
    here = np.array([one == site for one in cases.sites], np.bool_)
    patients = {patient for patient, there in zip(cases.patients, here, strict=True) if there}
    others = cases.only(np.array([one not in patients for one in cases.patients], np.bool_))
    if not others.tells:
        return None
    factor = stretch(others) if cases.is_age else temperature(others)
    own = cases.only(here)
    return _told(own, np.full(len(own.truth), factor), f"site:{site}")


def _told(cases: Local, factors: Values, group: str) -> tuple[Rows, Rows]:
    """Rows of figures before and after, and their differences, under one factor for each case."""
    figures = _age_figures(cases, factors) if cases.is_age else _risk_figures(cases, factors)
    rows, differences = [], []
    for name, (old, new, apart) in figures.items():
        rows += [
            _row(cases, name, who, value) | {"group": group}
            for who, value in (("old", old), ("new", new))
        ]
        differences.append(_line(cases, name, apart) | {"group": group})
    return rows, differences


_Figure = tuple[float, float, Difference]


def _risk_figures(cases: Local, factors: Values) -> dict[str, _Figure]:
    old = cases.said
    new = calmed(old, factors)
    truth = cases.truth > 0.5

    def ece(score: Values, weights: Values) -> Values:
        return calibration_error(truth, score, weights)

    one = np.ones((1, len(truth)))
    before, after = float(ece(old, one)[0]), float(ece(new, one)[0])
    draws = drawn_patients(cases.patients)
    apart = Difference(after - before, None, None, None)
    if draws is not None:
        drawn = ece(new, draws) - ece(old, draws)
        low, high = (float(v) for v in np.percentile(drawn, (2.5, 97.5)))
        apart = Difference(after - before, low, high, None)
    errors = [(score - truth) ** 2 for score in (new, old)]
    brier = paired_mean_difference(errors[0], errors[1], cases.patients)
    return {
        "ece": (before, after, apart),
        "brier": (float(errors[1].mean()), float(errors[0].mean()), brier),
    }


def _age_figures(cases: Local, factors: Values) -> dict[str, _Figure]:
    assert cases.half is not None
    widths = (cases.half, cases.half * factors)
    error = np.abs(cases.said - cases.truth)
    inside = [np.asarray(error <= width, dtype=np.float64) for width in widths]
    wide = [2 * width for width in widths]
    return {
        name: (
            float(old.mean()),
            float(new.mean()),
            paired_mean_difference(new, old, cases.patients),
        )
        for name, (old, new) in (("coverage", inside), ("interval_width", wide))
    }


def _row(cases: Local, name: str, who: str, value: float) -> dict[str, Any]:
    positive = None if cases.is_age else int((cases.truth > 0.5).sum())
    return {
        "predictor": who,
        "task": cases.score,
        "level": "case",
        "name": name,
        "subset": "local",
        "value": value,
        "low": None,
        "high": None,
        "ci": "",
        "n": len(cases.truth),
        "n_patients": cases.people,
        "n_positive": positive,
        "prevalence": None if positive is None else positive / len(cases.truth),
    }


def _line(cases: Local, name: str, apart: Difference) -> dict[str, Any]:
    return {
        "task": cases.score,
        "level": "case",
        "name": name,
        "subset": "local",
        "new_minus_old": apart.value,
        "low": apart.low,
        "high": apart.high,
        "p": apart.p,
        "n": len(cases.truth),
    }


def worse(differences: Sequence[dict[str, Any]]) -> list[str]:
    """Figures that are worse for sure: a larger calibration error or Brier score.

    A wider interval is not worse: it is what too low a coverage asks for.
    """
    return [
        f"{CROSS_FITTED} {one['name']}"
        for one in differences
        if one["name"] in ("ece", "brier") and one["low"] is not None and one["low"] > 0
    ]
