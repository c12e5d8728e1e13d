"""Feature files and time series: what they are, before a model reads them."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from medview.domain.errors import ReadError

_MARKS = ",;\t"
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+([eE][-+]?\d+)?\s*")


def table_lines(path: Path, *, head: bool = False) -> tuple[list[list[str]], int]:
    """Cells of a CSV in UTF-8, line by line, and how many decimal commas became points.

    Between the cells stand commas, semicolons or tabs, whichever the first line has most of;
    where it is no comma a number may have one before its decimals. With `head` the first line
    alone.

    Raises
    ------
    OSError, UnicodeDecodeError, csv.Error
        If it is no such table.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        mark = max(_MARKS, key=file.readline().count)
        file.seek(0)
        table = csv.reader(file, delimiter=mark, strict=True)
        lines = [next(table, [])] if head else list(table)
    if mark == ",":
        return lines, 0
    commas = 0
    for line in lines:
        for n, cell in enumerate(line):
            if _DECIMAL_COMMA.fullmatch(cell):
                line[n] = cell.replace(",", ".")
                commas += 1
    return lines, commas


def table_size(path: Path) -> tuple[int, int]:
    """Columns and rows of a CSV (without its header) or of a vector or matrix as .npy.

    Raises
    ------
    ReadError
        If it is neither.
    """
    try:
        if path.suffix.lower() == ".npy":
            shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
            columns, rows = (int(shape[-1]) if shape else 1), int(np.prod(shape[:-1], dtype=int))
            return columns, rows
        first, *lines = table_lines(path)[0] or [[]]
        return len(first), sum(1 for line in lines if line)
    except (OSError, ValueError, EOFError, csv.Error) as error:
        raise ReadError(
            "cannot be read as a table",
            file=path.name,
            do="Give a CSV in UTF-8 or an array as .npy.",
            code="MV-IO-310",
        ) from error
