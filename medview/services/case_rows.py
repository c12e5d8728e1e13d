"""Tables of many cases, cut down to the row of one for the time of its run."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from medview.domain.errors import DataError
from medview.io.tables import read_table
from medview.services.batch_cases import Case
from medview.services.inputs import Wanted
from medview.services.offers import TABLES


@contextmanager
def own_rows(case: Case, out: Path) -> Iterator[Wanted]:
    """The inputs of a case; tables of many cases are cut down to its row for the time of a run."""
    draft = out.with_name(f".rows-{out.name}")
    try:
        yield replace(
            case.wanted,
            named=tuple((role, _cut(case, role, path, draft)) for role, path in case.wanted.named),
        )
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _cut(case: Case, role: str, path: Path, draft: Path) -> Path:
    rows = _row_of(path, case.row) if case.row and role in TABLES else None
    if rows is None:
        return path
    draft.mkdir(parents=True, exist_ok=True)
    file = draft / f"{role}.csv"
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows(rows)
    return file


def _row_of(path: Path, case: str) -> list[tuple[str, ...]] | None:
    """Header and the row of a case; None where the file has no column "case".

    So it is with a file that cannot be read, of which the run tells.
    """
    if path.suffix.lower() != ".csv" or not path.is_file():
        return None
    with suppress(DataError):
        table = read_table(path, known=("case",)).with_points()
        if "case" not in table.header:
            return None
        column = table.header.index("case")
        own = next((cells for _, cells in table.rows if cells[column] == case), None)
        return [table.header, own] if own is not None else None
    return None
