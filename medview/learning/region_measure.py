"""How well regions are found, and what their error does to the age: figures for the card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medview.learning.brain_age_rows import interval, pearson_many, rmse_many
from medview.learning.metrics import MetricRow, mean_interval
from medview.learning.region_age import (
    FEATURES,
    Array,
    VolumeError,
    balanced_folds,
    conformal,
    fit_age,
)
from medview.learning.region_cases import LabelledHead
from medview.learning.region_groups import CLASSES, REGIONS, UNKNOWN
from medview.learning.regions import Regions, find_regions
from medview.models.region_net import RegionNet

SMALLEST = 3
"""Patients whose volumes must be known before their error is believed."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A head that the network had not seen: Dice and volumes (regions,) beside the truth."""

    case: str
    patient: str
    subset: str
    age_years: float | None
    dice: Array
    found_ml: Array
    true_ml: Array


def measure(network: RegionNet, head: LabelledHead) -> Measured:
    """Find the regions of a head and compare them with its labels, on its own grid."""
    return compared(head, find_regions(head.volume, network, head.box))


def compared(head: LabelledHead, found: Regions) -> Measured:
    """Regions that were found in a head beside its labels."""
    case = head.case
    return Measured(
        case.case,
        case.patient,
        case.subset,
        case.age_years,
        dice_of(found.map, head.regions),
        found.ml,
        head.ml,
    )


def dice_of(found: NDArray[np.uint8], true: NDArray[np.uint8]) -> Array:
    """Dice of each region (regions,); NaN where neither has it. Unsorted voxels do not count."""
    known = true != UNKNOWN
    pair = np.bincount(
        true[known].astype(np.intp) * CLASSES + found[known], minlength=CLASSES**2
    ).reshape(CLASSES, CLASSES)
    both = pair.sum(axis=0) + pair.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray((2 * np.diag(pair) / both)[1:], dtype=np.float64)


def region_rows(heads: Sequence[Measured]) -> list[MetricRow]:
    """Dice, error and bias of the volumes in %: over all regions, of groups and of each.

    Of a group (a feature of the age model) the volumes are those of its regions together, and
    Dice is the mean over them.
    """
    subset, patients = heads[0].subset, [head.patient for head in heads]
    dice = np.stack([head.dice for head in heads])
    ratio = np.array(
        [[_over(*pair) for pair in zip(h.found_ml, h.true_ml, strict=True)] for h in heads]
    )
    whole = np.array([100 * (h.found_ml.sum() / h.true_ml.sum() - 1) for h in heads])
    table = {"dice": dice, "volume_error": np.abs(ratio), "volume_bias": ratio}

    def row(name: str, values: Array, group: str) -> MetricRow:
        # A region that a head does not have is not measured in it.
        whose = [p for p, value in zip(patients, values, strict=True) if np.isfinite(value)]
        found = mean_interval(values, patients)
        return MetricRow(
            "model",
            "case",
            name,
            subset,
            found.value,
            len(whose),
            len(set(whose)),
            found.low,
            found.high,
            group,
            task="regions",
            truth="DLMUSE labels",
        )

    rows = [row(name, _mean_of_known(values), "all") for name, values in table.items()]
    for name, values in (("volume_error", np.abs(whole)), ("volume_bias", whole)):
        rows.append(row(name, values, "region:intracranial volume"))
    for name, regions in FEATURES.items():
        mine = np.array([region.name in regions for region in REGIONS])
        both = np.array([[h.found_ml[mine].sum(), h.true_ml[mine].sum()] for h in heads])
        apart = np.array([_over(*pair) for pair in both])
        rows += [
            row("dice", _mean_of_known(dice[:, mine]), f"group:{name}"),
            row("volume_error", np.abs(apart), f"group:{name}"),
            row("volume_bias", apart, f"group:{name}"),
        ]
    for number, region in enumerate(REGIONS):
        rows += [row(n, v[:, number], f"region:{region.title}") for n, v in table.items()]
    return rows


def _mean_of_known(values: Array) -> Array:
    """Mean of each row (n,) over its numbers; NaN where it has none."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _over(found: float, true: float) -> float:
    """By how many per cent a volume was found too large; NaN where there is none."""
    return 100 * (found / true - 1) if true > 0 else np.nan


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """People of a table: volumes (n, regions) in ml and ages."""

    patients: tuple[str, ...]
    ml: Array
    age: Array

    def without(self, patients: Sequence[str]) -> Table:
        """The others."""
        kept = np.array([p not in patients for p in self.patients])
        names = tuple(p for p in self.patients if p not in patients)
        return Table(names, self.ml[kept], self.age[kept])


def error_of(heads: Sequence[Measured], without: Sequence[str] = ()) -> VolumeError:
    """Error of the network's volumes on heads that it had not seen, some patients left out."""
    kept = [head for head in heads if head.patient not in without]
    if len(kept) < SMALLEST:
        return VolumeError.none()
    return VolumeError.of(
        np.stack([head.found_ml for head in kept]), np.stack([head.true_ml for head in kept])
    )


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


def table_ages(
    table: Table,
    heads: Sequence[Measured],
    *,
    exact: bool = False,
    mean: bool = False,
    folds: int = 5,
) -> Ages:
    """Ages of all people of a table from its own volumes, each by a fit without them.

    Penalty and width are chosen inside each fit. `exact`: the fit is told of no volume error;
    `mean`: everybody gets the mean age of the others.
    """
    found, half = np.empty(len(table.age)), np.empty(len(table.age))
    for test in balanced_folds(table.age, folds):
        out = [table.patients[n] for n in test]
        rest = table.without(out)
        error = VolumeError.none() if exact else error_of(heads, out)
        model = fit_age(rest.ml, rest.age, error)
        found[test], half[test] = model.from_table(table.ml[test]), model.residual
        if mean:
            found[test] = rest.age.mean()
            half[test] = conformal(np.abs(rest.age - rest.age.mean()))
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
