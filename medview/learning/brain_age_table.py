"""Rows of feature vectors with ages, as matrices: what an age model is trained and asked on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from medview.domain.errors import DataError
from medview.learning.subset import Subset, TrainCase, none_usable
from medview.learning.vectors import Vector
from medview.models.mavae import ROLES

Indices = NDArray[np.intp]
Matrix = NDArray[np.float64]
Columns = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class AgeTable:
    """N rows; `values` by role are (N, columns), all NaN where a row lacks that modality."""

    cases: tuple[TrainCase, ...]
    columns: Columns
    values: Mapping[str, Matrix]

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def age(self) -> Vector:
        """Ages (N,) in years, NaN where unknown."""
        return np.array(
            [np.nan if case.age_years is None else case.age_years for case in self.cases]
        )

    @property
    def female(self) -> Vector:
        """(N,) 1 for female, 0 for male, NaN unknown."""
        codes = {"F": 1.0, "M": 0.0}
        return np.array([codes.get(case.sex or "", np.nan) for case in self.cases])

    @property
    def patients(self) -> tuple[str, ...]:
        """Who each row is of."""
        return tuple(case.patient for case in self.cases)

    @property
    def sites(self) -> tuple[str, ...]:
        """Where each row is from; empty where unknown."""
        return tuple(case.site for case in self.cases)

    def present(self, role: str) -> NDArray[np.bool_]:
        """(N,) whether a row has a modality."""
        if role not in self.values:
            return np.zeros(len(self), dtype=np.bool_)
        return known_rows(self.values[role])

    def take(self, chosen: Indices | NDArray[np.bool_]) -> AgeTable:
        """Some of the rows."""
        index = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        return AgeTable(
            tuple(self.cases[number] for number in index),
            self.columns,
            {role: matrix[index] for role, matrix in self.values.items()},
        )


def known_rows(matrix: Matrix) -> NDArray[np.bool_]:
    """(N,) whether a row of (N, columns) has any value."""
    return np.asarray(np.isfinite(matrix).any(axis=1), dtype=np.bool_)


def table_of(subsets: Sequence[Subset]) -> AgeTable:
    """All cases of subsets with the same columns as one table.

    Raises
    ------
    DataError
        There is no case, or two sets have other columns: they cannot be pooled.
    """
    used = [subset for subset in subsets if subset.cases]
    skipped = [one for subset in subsets for one in subset.skipped]
    if not used and skipped:
        raise none_usable(skipped, "MV-DAT-104")
    if not used:
        raise DataError("there is no row that can be used", do="Check the data.", code="MV-DAT-104")
    columns = _columns_of(used)
    cases = tuple(case for subset in used for case in subset.cases)
    return AgeTable(cases, columns, {role: _matrix(cases, role, columns[role]) for role in columns})


def _columns_of(used: Sequence[Subset]) -> dict[str, tuple[str, ...]]:
    """The columns of each role, which all sets that have the role must share."""
    columns: dict[str, tuple[str, ...]] = {}
    for subset in used:
        for role, names in subset.columns.items():
            known = columns.setdefault(role, names)
            if known != names:
                raise DataError(
                    f"its {role} columns are others than those of {used[0].name} "
                    f"({len(names)} against {len(known)})",
                    file=subset.name,
                    do="Give sets with the same columns, or one of them.",
                    code="MV-DAT-105",
                )
    return columns


def _matrix(cases: Sequence[TrainCase], role: str, names: Sequence[str]) -> Matrix:
    matrix = np.full((len(cases), len(names)), np.nan)
    for number, case in enumerate(cases):
        if role in case.rows:
            matrix[number] = case.rows[role]
    return matrix


def aligned(vector: Vector, names: Sequence[str] | None, wanted: Sequence[str]) -> Vector | str:
    """A vector in the order of the wanted columns, or what does not fit, in words.

    Without names (an array) the order must be that of the training.
    """
    unnamed = names is None or list(names) == [str(number) for number in range(len(names))]
    if unnamed:
        if vector.size != len(wanted):
            return f"it has {vector.size} values, the model was trained on {len(wanted)}"
        return vector
    place = {name: number for number, name in enumerate(names or ())}
    missing = [name for name in wanted if name not in place]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        lack = "are" if more else "is"
        return f'the column "{missing[0]}"{more} of {len(wanted)} {lack} missing'
    return np.asarray(vector[[place[name] for name in wanted]])


def strata_of(ages: Vector, count: int) -> Indices:
    """Which of `count` equally large age groups each age is in (upper bounds belong to it)."""
    edges = np.quantile(ages, np.linspace(0, 1, count + 1))
    return np.searchsorted(edges[1:-1], ages, side="left")


def fold_numbers(table: AgeTable, folds: int, *, strata: int = 5, seed: int = 0) -> Indices:
    """The fold (N,) of each row: shuffled, even in age, all rows of a patient in one fold.

    Raises
    ------
    DataError
        There are fewer patients than folds.
    """
    if len(set(table.patients)) < folds:
        raise DataError(
            f"the rows are of {len(set(table.patients))} patients, and are to be parted into "
            f"{folds} groups of patients",
            do="Give more patients, or set fewer folds and members.",
            code="MV-DAT-104",
        )
    patients, first, codes = np.unique(
        np.asarray(table.patients), return_index=True, return_inverse=True
    )
    order = np.argsort(first)  # patients in the order in which they appear
    ages = table.age[first[order]]
    groups = strata_of(ages, min(strata, max(1, len(patients) // folds)))
    numbers = np.empty(len(patients), dtype=np.intp)
    split = StratifiedKFold(folds, shuffle=True, random_state=seed).split(ages, groups)
    for number, (_, held) in enumerate(split):
        numbers[order[held]] = number
    return numbers[codes]


def kinds_of(table: AgeTable) -> tuple[str, ...]:
    """What each row has: "smri", "fmri" or "smri+fmri"."""
    given = [table.present(role) for role in ROLES]
    return tuple(
        "+".join(role for role, here in zip(ROLES, row, strict=True) if here)
        for row in zip(*given, strict=True)
    )
