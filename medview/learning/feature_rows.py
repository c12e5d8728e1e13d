"""Rows of feature tables on their way to cases: what each cell must be, and who is left out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from medview.domain.errors import DataError
from medview.learning.subset import LeftOut, Subset, TrainCase
from medview.learning.vectors import Vector, odd

FEWEST = 10
"""Fewer rows than this teach nothing and measure nothing."""
_UNKNOWN = ("", "na", "n/a", "nan")
"""What programs write where nothing is known, in small letters."""


def checked(subset: Subset, file: str) -> Subset:
    """Refuse a set in which somebody is twice or that is too small to use.

    Raises
    ------
    DataError
        Naming the first such case, or how many rows there are.
    """
    seen: set[str] = set()
    for case in subset.cases:
        if case.case in seen:
            raise odd(file, f'"{case.case}" is there twice', "Keep one row of each.")
        seen.add(case.case)
    return subset


def refuse_few(count: int, skipped: Sequence[LeftOut] = ()) -> None:
    """Refuse fewer rows than a model can be trained on.

    Raises
    ------
    DataError
        With the number of rows that there are and that are needed, and why the first of those
        left out was.
    """
    if count < FEWEST:
        lost = f"; {len(skipped)} were left out, the first: {skipped[0].what}" if skipped else ""
        raise DataError(
            f"only {count} rows with an age can be used, {FEWEST} are needed{lost}",
            file=skipped[0].case if skipped else "",
            do="Correct the rows or give more." if skipped else "Give more cases.",
            code="MV-DAT-104",
        )


def with_vector(
    person: TrainCase,
    role: str,
    line: Mapping[str, str],
    columns: Iterable[str],
    number: int,
    cases: list[TrainCase],
    skipped: list[LeftOut],
) -> None:
    """Add a case with the numbers of its row, or say which column holds none."""
    vector = np.full(len(tuple(columns)), np.nan)
    for place, column in enumerate(columns):
        text = line[column]
        try:
            vector[place] = float(text)
        except ValueError:
            vector[place] = np.nan
        if not math.isfinite(vector[place]):
            what = f'row {number}, column "{column}": "{text}" is no number'
            skipped.append(LeftOut(person.case, "MV-DAT-103", what))
            return
    cases.append(replace(person, rows={role: vector}))


def keep(
    person: TrainCase,
    role: str,
    vector: Vector,
    number: int,
    cases: list[TrainCase],
    skipped: list[LeftOut],
) -> None:
    """Add a case with its vector, or say which value is no number."""
    if np.isfinite(vector).all():
        cases.append(replace(person, rows={role: vector}))
        return
    place = int(np.flatnonzero(~np.isfinite(vector))[0])
    what = f"row {number}: value {place} of its array is no number"
    skipped.append(LeftOut(person.case, "MV-DAT-103", what))


def age_of(text: str, number: int, column: str, file: str) -> float | None:
    """An age in years; None where the cell is empty or says that it is not known.

    Anything else is refused by row and column.
    """
    if text.lower() in _UNKNOWN:
        return None
    try:
        age = float(text)
    except ValueError:
        age = math.nan
    if not 0 <= age <= 120:
        raise odd(file, f'row {number}, column "{column}": "{text}" is no age', "Correct it.")
    return age


def sex_of(text: str, words: Mapping[str, str], number: int, column: str, file: str) -> str | None:
    """One of F and M by the words of a table; None where the cell is empty."""
    if text and text not in words:
        what = f'row {number}, column "{column}": "{text}" is none of {", ".join(words)}'
        raise odd(file, what, "Correct it or leave it empty.")
    return words.get(text)
