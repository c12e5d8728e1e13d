"""Rows of brain measures with age and site, their scale, and plans of who learns from whom.

Ages are learned as logarithms, because errors grow with age and most ages are young.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from medview.domain.errors import DataError
from medview.learning.armed_age_recipe import AgeRecipe
from medview.learning.site_effects import joined
from medview.learning.subset import Subset, TrainCase

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
FEWEST = 20
"""Rows with age and site below which nothing is trained."""
ICV = "MUSE_702"
"""The intracranial volume among IXI's regions: the others are divided by it."""
FURTHEST = 4.0
"""Standardised measures are cut off so many standard deviations from their mean."""


@dataclass(frozen=True, slots=True, eq=False)
class AgeTable:
    """Rows with measures `x` (n, d; NaN unknown), `age` (n,) years and `site` (n,) numbers."""

    names: tuple[str, ...]
    x: Floats
    age: Floats
    site: Indices
    sites: tuple[str, ...]
    cases: tuple[TrainCase, ...]

    @property
    def patients(self) -> list[str]:
        """The patient of each row."""
        return [case.patient for case in self.cases]


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """How rows are made ready: means and standard deviations of training rows.

    `age` is of the logarithm of years.
    """

    mean: Floats
    sd: Floats
    age_mean: float
    age_sd: float

    @classmethod
    def of(cls, x: Floats, age: Floats) -> Scale:
        """From training rows."""
        known = np.isfinite(x)
        count = np.maximum(known.sum(0), 1)
        mean = np.where(known, x, 0).sum(0) / count
        spread = np.sqrt(np.where(known, (x - mean) ** 2, 0).sum(0) / count)
        log = np.log(age)
        return cls(mean, np.where(spread > 0, spread, 1.0), float(log.mean()), float(log.std()))

    def inputs(self, x: Floats) -> NDArray[np.float32]:
        """Standardised measures; unknown ones are at the mean."""
        z = np.clip((x - self.mean) / self.sd, -FURTHEST, FURTHEST)
        return np.where(np.isfinite(z), z, 0.0).astype(np.float32)

    def target(self, age: Floats) -> NDArray[np.float32]:
        """Standardised logarithms of ages."""
        return np.asarray((np.log(age) - self.age_mean) / self.age_sd, dtype=np.float32)

    def years(self, said: Floats) -> Floats:
        """Ages of what the network says."""
        return np.asarray(np.exp(said * self.age_sd + self.age_mean))


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Who learns from whom: "seen" and "unseen" folds, and "final" on everybody."""

    kind: str
    train: Indices
    test: Indices
    scale: Scale


def divided(names: Sequence[str], x: Floats) -> Floats:
    """Regions as shares of the intracranial volume, where that is among the measures."""
    if ICV not in names:
        return x
    whole = x[:, [list(names).index(ICV)]]
    keep = np.array([name == ICV for name in names])
    return np.asarray(np.where(keep, x, x / whole))


def table_of(subsets: Sequence[Subset], sites: tuple[str, ...] = ()) -> tuple[AgeTable, list[str]]:
    """The rows that can be trained on, and in words what is left out.

    Of sets with different measures the ones with the most sites are taken. `sites` come first,
    whether they have rows or not.

    Raises
    ------
    DataError
        Too few rows, or no two sites.
    """
    groups: dict[tuple[str, ...], list[TrainCase]] = {}
    told = []
    for subset in subsets:
        usable = [case for case in subset.cases if _is_usable(case)]
        groups.setdefault(subset.columns.get("smri", ()), []).extend(usable)
        if len(usable) < len(subset.cases):
            left = len(subset.cases) - len(usable)
            told.append(f"{subset.name}: {left} rows without measures, age or site, or not train")
    names = max(groups, key=lambda key: len({c.site for c in groups[key]}), default=())
    cases = groups.get(names, [])
    told += [
        f"{len(others)} rows of {others[0].subset} have other measures and were not used"
        for key, others in groups.items()
        if key != names and others
    ]
    here = {case.site for case in cases}
    sites = joined(sites, here)
    if len(cases) < FEWEST or len(sites) < 2:
        raise DataError(
            f"{len(cases)} rows of {len(here)} sites have measures, age and site; "
            f"{FEWEST} rows of 2 sites are needed",
            code="MV-DAT-104",
            do="Give rows with smri, age_years and site.",
        )
    x = divided(names, np.stack([case.rows["smri"] for case in cases]).astype(np.float64))
    age = np.array([case.age_years for case in cases], dtype=np.float64)
    site = np.array([sites.index(case.site) for case in cases], dtype=np.intp)
    return AgeTable(names, x, age, site, sites, tuple(cases)), told


def _is_usable(case: TrainCase) -> bool:
    is_known = bool("smri" in case.rows and case.age_years and case.site)
    return is_known and case.split in ("", "train")


def plans_for(table: AgeTable, recipe: AgeRecipe, scale: Scale | None = None) -> list[Plan]:
    """Folds by site, each site left out, and everybody: in this order.

    `scale` is that of weights to start from; without it every plan has that of its own rows.
    """
    made = []

    def plan(kind: str, train: Indices, test: Indices) -> None:
        own = scale or Scale.of(table.x[train], table.age[train])
        made.append(Plan(kind, train, test, own))

    everyone = np.arange(len(table.age))
    if recipe.folds:
        parts = StratifiedKFold(recipe.folds, shuffle=True, random_state=0)
        for train, test in parts.split(table.x, table.site):
            plan("seen", train, test)
    if recipe.leave_out:
        for number in np.unique(table.site):
            plan("unseen", everyone[table.site != number], everyone[table.site == number])
    plan("final", everyone, everyone[:0])
    return made
