"""How well regions are found, and what their error does to the age: figures for the card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from medview.learning.metrics import MetricRow, mean_interval
from medview.learning.region_age import FEATURES, Array, VolumeError
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
    dice = np.stack([head.dice for head in heads])
    ratio = np.array(
        [[_over(*pair) for pair in zip(h.found_ml, h.true_ml, strict=True)] for h in heads]
    )
    whole = np.array([100 * (h.found_ml.sum() / h.true_ml.sum() - 1) for h in heads])
    table = {"dice": dice, "volume_error": np.abs(ratio), "volume_bias": ratio}

    row = partial(figure_of_heads, heads)
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


def figure_of_heads(heads: Sequence[Measured], name: str, values: Array, group: str) -> MetricRow:
    """The mean of a figure over heads of a set, (n,); NaN where a head has no such region."""
    patients = [head.patient for head in heads]
    whose = [p for p, value in zip(patients, values, strict=True) if np.isfinite(value)]
    found = mean_interval(values, patients)
    return MetricRow(
        "model",
        "case",
        name,
        heads[0].subset,
        found.value,
        len(whose),
        len(set(whose)),
        found.low,
        found.high,
        group,
        task="regions",
        truth="DLMUSE labels",
    )


def _mean_of_known(values: Array) -> Array:
    """Mean of each row (n,) over its numbers; NaN where it has none."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _over(found: float, true: float) -> float:
    """By how many per cent a volume was found too large; NaN where there is none."""
    return 100 * (found / true - 1) if true > 0 else np.nan


def error_of(heads: Sequence[Measured], without: Sequence[str] = ()) -> VolumeError:
    """Error of the network's volumes on heads that it had not seen, some patients left out."""
    kept = [head for head in heads if head.patient not in without]
    if len(kept) < SMALLEST:
        return VolumeError.none()
    return VolumeError.of(
        np.stack([head.found_ml for head in kept]), np.stack([head.true_ml for head in kept])
    )
