"""Tables of MUSE volumes from 2 mm data, whose columns add up to the regions of the network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from medview.domain.errors import DataError
from medview.learning.case_list import is_case_list, load_case_list
from medview.learning.region_groups import REGIONS, column_names, table_volumes
from medview.learning.subset import Layout, Subset, TrainCase
from medview.learning.vectors import read_table

MODEL = "region-net"
ROLE = "regions"
_TABLE = "ixi_dlmuse_2mm_*.csv*"
_COLUMNS = tuple(dict.fromkeys(c for region in REGIONS for c in column_names(region)))


def is_ixi_2mm(folder: Path) -> bool:
    """A table of IXI volumes that were measured on 2 mm data."""
    return any(folder.glob(_TABLE))


def load_ixi_2mm(folder: Path) -> Subset:
    """Read the table; each case holds its region volumes in ml, (regions,), as row "regions".

    Raises
    ------
    DataError
        If a column is missing or a cell is no number: row and column are said.
    """
    file = sorted(folder.glob(_TABLE))[0]
    _, lines = read_table(file, ("ID", "Age", *_COLUMNS))
    cases = [_case(number, row, file.name) for number, row in lines]
    columns = {ROLE: tuple(region.title for region in REGIONS)}
    return Subset(
        "ixi-roi-2mm", "ixi-roi-2mm", file, tuple(cases), licence="CC BY-SA 3.0", columns=columns
    )


def _case(number: int, row: Mapping[str, str], file: str) -> TrainCase:
    values = {c: _number(row[c], number, c, file) for c in (*_COLUMNS, "Age")}
    name = row["ID"]
    return TrainCase(
        name,
        row.get("subject") or name.split("-")[0],
        {},
        ROLE,
        site=row.get("site", ""),
        age_years=values["Age"],
        sex=row.get("Sex") or None,
        rows={ROLE: np.asarray(table_volumes(values), dtype=np.float64)},
    )


def _number(text: str, row: int, column: str, file: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(
            f'row {row}, column "{column}": "{text}" is no number',
            file=file,
            code="MV-DAT-100",
            do="Correct it or leave the row out.",
        )
    return value


def load_heads(path: Path) -> Subset:
    """Read a case list of T1 volumes; the file in its column "brain" holds MUSE labels.

    Raises
    ------
    DataError
        As ``load_case_list``.
    """
    listed = load_case_list(path, ("t1",))
    cases = tuple(
        replace(case, brain_rule="labels") if case.brain is not None else case
        for case in listed.cases
    )
    return replace(listed, cases=cases)


LAYOUTS = (
    Layout("ixi-roi-2mm", (MODEL,), is_ixi_2mm, load_ixi_2mm),
    Layout("cases", (MODEL,), is_case_list, load_heads),
)
