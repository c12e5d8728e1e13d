"""The times in the table of a stay: which column tells them, and what its cells say."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from medview.domain.errors import DataError
from medview.io.record import TIME
from medview.learning.icu_variables import VariableMap

_CLOCK = re.compile(r"(-?)(\d{1,6}):([0-5]\d)")
_FURTHEST = 1e7
"""No time is later, in minutes as in days; what a single number of the grid can count."""


def time_column(
    path: Path, header: Sequence[str], variables: VariableMap | None
) -> tuple[int, float]:
    """The place of the column of time, and how many hours its numbers count.

    Raises
    ------
    DataError
        If there is none.
    """
    lower = [name.lower() for name in header]
    known = dict(TIME)
    if variables is not None:
        known = {variables.time_column.lower(): variables.hours_per_unit} | known
    for name, factor in known.items():
        if name in lower:
            return lower.index(name), factor
    raise odd_table(
        path, 'the column "Hours" is missing', "Add the hours since admission as a column."
    )


def time_of(path: Path, row: int, column: str, cell: str) -> float:
    """The number in a cell of time; `row` and `column` are named where it is none (DataError)."""
    value = number_of(cell)
    if not math.isfinite(value) or abs(value) > _FURTHEST:
        raise odd_table(
            path, f'row {row}, column "{column}": "{cell}" is no time', "Give hours as a number."
        )
    return value


def clock_of(path: Path, row: int, cell: str) -> float:
    """Hours of "HH:MM" or of a number."""
    if not (found := _CLOCK.fullmatch(cell.strip())):
        return time_of(path, row, "Time", cell)
    before, hours, minutes = found.groups()
    since = int(hours) + int(minutes) / 60
    return -since if before else since


def number_of(cell: str | float) -> float:
    """What a cell says as a number; NaN where it is none."""
    try:
        return float(cell)
    except ValueError:
        return math.nan


def odd_table(path: Path, what: str, do: str) -> DataError:
    """A refusal of the table of a stay."""
    return DataError(what, file=path.name, code="MV-DAT-164", do=do)
