"""Feature files and time series: what they are, before a model reads them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from medview.domain.errors import ReadError


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
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            return len(next(lines, [])), sum(1 for line in lines if line)
    except (OSError, ValueError, EOFError, csv.Error) as error:
        raise ReadError(
            "cannot be read as a table",
            file=path.name,
            do="Give a CSV in UTF-8 or an array as .npy.",
            code="MV-IO-310",
        ) from error
