"""Feature vectors on disk: a table (CSV, TSV, also .gz) or an array as .npy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import DataError
from medview.io import tables

Vector = NDArray[np.float64]
Line = tuple[int, dict[str, str]]
"""Number of a row in its file (the header is 1) and its cells by column."""
NOT_FEATURES = {
    *("case", "patient", "site", "split", "age_years", "sex", "label", "id", "subject"),
    *("age", "sub_id", "file_id", "age_at_scan", "dx_group"),
}
"""Columns of a feature table, in small letters, that say who it is, not how the brain is."""


def odd(file: str, what: str, do: str) -> DataError:
    """An error about a table."""
    return DataError(what, file=file, code=tables.CODE, do=do)


def read_table(path: Path, needed: Sequence[str]) -> tuple[list[str], list[Line]]:
    """Read a table with a header; all cells are text without spaces around them.

    Raises
    ------
    DataError
        It is no table, a needed column is missing, a column is given twice, or a row has another
        number of cells than the header.
    """
    table = tables.read_table(path, known=("case",)).with_points()
    missing = next((name for name in needed if name not in table.header), None)
    if missing is not None:
        raise odd(path.name, f'the column "{missing}" is missing', "Use the table as it came.")
    rows = [(n, dict(zip(table.header, cells, strict=True))) for n, cells in table.rows]
    return list(table.header), rows


def read_vector(path: Path, *, whole: bool = True) -> NDArray[np.float64]:
    """Read an array of numbers; not `whole` leaves a large one on disk.

    Raises
    ------
    DataError
        It is no array of numbers.
    """
    try:
        values: NDArray[np.float64] = np.load(
            path, mmap_mode=None if whole else "r", allow_pickle=False
        )
    except (OSError, ValueError, EOFError) as error:
        raise odd(path.name, "cannot be read as an array", "Save it with numpy.save.") from error
    if values.dtype.kind not in "fiub":
        raise odd(path.name, "holds no numbers", "Save numbers with numpy.save.")
    return values.astype(np.float64) if whole else values


def numbers_of(path: Path, case: str = "") -> tuple[tuple[str, ...] | None, Vector]:
    """The feature vector in a file: names of its columns (None for .npy) and values.

    Of a table the row of `case` is taken (column "case"), or the only one. What is empty or no
    number is NaN.

    Raises
    ------
    DataError
        No such row, several, or no number in it.
    """
    if path.suffix.lower() == ".npy":
        return None, read_vector(path).ravel()
    header, lines = read_table(path, ())
    if "case" in header and case:
        own = [line for _, line in lines if line["case"] == case]
    else:
        own = [line for _, line in lines]
    if len(own) != 1:
        which = f'{len(own)} rows of the case "{case}"' if case else f"{len(own)} rows"
        raise odd(path.name, f"it has {which}; one is needed", "Give a table with one row.")
    names = tuple(name for name in header if name and name.lower() not in NOT_FEATURES)
    values = np.array([_number(own[0][name]) for name in names], dtype=np.float64)
    if not np.isfinite(values).any():
        raise odd(path.name, "it has no column with numbers", "Give a table of features.")
    return names, values


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
