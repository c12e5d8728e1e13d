"""Ages of people and heads from volumes of regions: nothing of a patient is in two parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np

from medview.learning.brain_age_rows import interval, pearson_many, rmse_many
from medview.learning.conformal import half_width
from medview.learning.metrics import MetricRow, mean_interval
from medview.learning.region_age import Array, VolumeError, balanced_folds, fit_age
from medview.learning.region_cases import LabelledHead
from medview.learning.region_measure import SMALLEST, Measured, error_of


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """People that an age is learnt from: volumes (n, regions) in ml, ages, and whose set each is.

    `sets` is empty where all are of one.
    """

    patients: tuple[str, ...]
    ml: Array
    age: Array
    sets: tuple[str, ...] = ()

    def without(self, patients: Sequence[str]) -> Table:
        """The others."""
        return self._of([p not in patients for p in self.patients])

    def and_heads(self, heads: Sequence[LabelledHead]) -> Table:
        """These people, and those of labelled heads that are not among them and have an age."""
        more = {
            h.case.patient: h
            for h in heads
            if h.case.age_years is not None and h.case.patient not in self.patients
        }
        if not more:
            return self
        return Table(
            (*self.patients, *more),
            np.concatenate([self.ml, [head.ml for head in more.values()]]),
            np.concatenate([self.age, [head.case.age_years for head in more.values()]]),
            (*self.sets, *(head.case.subset for head in more.values())),
        )

    def _of(self, kept: Sequence[bool]) -> Table:
        names, sets = (tuple(compress(each, kept)) for each in (self.patients, self.sets))
        return Table(names, self.ml[np.array(kept)], self.age[np.array(kept)], sets)


@dataclass(frozen=True, slots=True, eq=False)
class Ages:
    """Ages found of people, years: `found` (n,) with half of the 95 % interval, (n,).

    `strange` above 1 marks volumes unlike those of the people fitted on.
    """

    patients: tuple[str, ...]
    age: Array
    found: Array
    half: Array
    strange: Array | None = None

    def only(self, kept: Sequence[bool]) -> Ages:
        """Those of some people, (n,)."""
        chosen, strange = np.array(kept), self.strange
        return Ages(
            tuple(compress(self.patients, kept)),
            self.age[chosen],
            self.found[chosen],
            self.half[chosen],
            None if strange is None else strange[chosen],
        )


def table_ages(
    table: Table, heads: Sequence[Measured], *, exact: bool = False, mean: bool = False
) -> Ages:
    """Ages of all people of a table from its own volumes, each by a fit without them.

    Penalty and width are chosen inside each fit. `exact`: the fit is told of no volume error;
    `mean`: everybody gets the mean age of the others.
    """
    found, half = np.empty(len(table.age)), np.empty(len(table.age))
    for test in balanced_folds(table.age):
        out = [table.patients[n] for n in test]
        rest = table.without(out)
        error = VolumeError.none() if exact else error_of(heads, out)
        model = fit_age(rest.ml, rest.age, error)
        found[test], half[test] = model.from_table(table.ml[test]), model.residual
        if mean:
            found[test] = rest.age.mean()
            half[test] = half_width(rest.age - rest.age.mean())
    return Ages(table.patients, table.age, found, half)


def head_ages(table: Table, heads: Sequence[Measured], seen: Sequence[Measured]) -> dict[str, Ages]:
    """Ages of heads: "table" from their true volumes, "model" from the network's.

    "uncorrected" are the network's as well, but with the mean error of its volumes left in.
    Each is told by a fit without that patient's row, and with the volume error of the `seen`
    heads of other patients only: nothing of a patient is in two parts.
    """
    known = [head for head in heads if head.age_years is not None]
    rows: dict[str, list[tuple[float, ...]]] = {"table": [], "model": [], "uncorrected": []}
    for head in known:
        rest = table.without([head.patient])
        model = fit_age(rest.ml, rest.age, error_of(seen, [head.patient]))
        exact = float(model.from_table(head.true_ml[None])[0])
        ours = float(model.from_network(head.found_ml[None])[0])
        rows["table"].append((exact, model.residual, 0.0))
        rows["model"].append((ours, model.half_width, model.strangeness(head.found_ml)))
        plain = float(model.from_table(head.found_ml[None])[0])
        rows["uncorrected"].append((plain, model.half_width, 0.0))
    age = np.array([head.age_years for head in known], dtype=np.float64)
    names = tuple(head.patient for head in known)
    return {
        name: Ages(names, age, *np.array(values, dtype=np.float64).reshape(-1, 3).T)
        for name, values in rows.items()
    }


def age_rows(ages: Ages, subset: str, predictor: str) -> list[MetricRow]:
    """Error, bias, correlation, coverage and width of ages that were found."""
    gap = ages.found - ages.age
    figures = {
        "mae": np.abs(gap),
        "bias": gap,
        "coverage": (np.abs(gap) <= ages.half).astype(np.float64),
        "interval_width": 2 * ages.half,
    }
    if ages.strange is not None and predictor == "model":
        figures["share_told_unlike"] = (ages.strange > 1).astype(np.float64)
    rows = []
    for name, values in figures.items():
        found = mean_interval(values, ages.patients)
        rows.append(_age_row(predictor, name, subset, found.value, found.low, found.high, ages))
    wholes = {"rmse": rmse_many}
    if len(gap) > SMALLEST and ages.found.std() > 0:
        wholes["pearson_r"] = pearson_many
    for name, figure in wholes.items():
        ends = interval(figure, ages.age, ages.found, ages.patients)
        rows.append(_age_row(predictor, name, subset, *ends, ages))
    return rows


def effect_row(ours: Ages, exact: Ages, subset: str) -> MetricRow:
    """How far the ages move when the network's volumes take the place of the labels', years."""
    moved = np.abs(ours.found - exact.found)
    found = mean_interval(moved, ours.patients)
    name = "age_moved_by_volumes"
    return _age_row("model", name, subset, found.value, found.low, found.high, ours)


def _age_row(
    predictor: str,
    name: str,
    subset: str,
    value: float | None,
    low: float | None,
    high: float | None,
    ages: Ages,
) -> MetricRow:
    n = len(ages.age)
    return MetricRow(
        predictor, "case", name, subset, value, n, len(set(ages.patients)), low, high, task="age"
    )
