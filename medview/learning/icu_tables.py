"""Tables of ICU data sets: CSV, packed or not, with the columns that are needed."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

from medview.domain.errors import DataError
from medview.io.tables import with_point, written_as


def table_at(folder: Path, *names: str) -> Path | None:
    """The first of these tables that lies in a folder, as .csv or .csv.gz."""
    for name in names:
        for path in (folder / f"{name}.csv", folder / f"{name}.csv.gz"):
            if path.is_file():
                return path
    return None


def need_table(folder: Path, *names: str) -> Path:
    """As `table_at`.

    Raises
    ------
    DataError
        If none is there.
    """
    found = table_at(folder, *names)
    if found is None:
        raise DataError(
            f"the table {' or '.join(names)} is missing",
            file=folder.name,
            code="MV-DAT-165",
            do="Add it as .csv or .csv.gz.",
        )
    return found


def rows_of(
    path: Path, columns: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[str, ...]]:
    """The cells of `columns` of each row, in that order, as text, read line by line.

    Cells of `optional` columns stand behind them, empty where the table has no such column. The
    first line tells what stands between cells; where it is no comma, decimals may have one.

    Raises
    ------
    DataError
        If the file cannot be read, or a column is missing: it is named.
    """
    mark, encoding, before = written_as(path)
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding=encoding, newline="") as file:
            lines = islice(csv.reader(file, delimiter=mark), before, None)
            header = [name.strip() for name in next(lines, [])]
            missing = next((name for name in columns if name not in header), None)
            if missing is not None:
                raise DataError(
                    f'the column "{missing}" is missing',
                    file=path.name,
                    code="MV-DAT-166",
                    do="Use the table as it was published.",
                )
            wanted = (*columns, *optional)
            places = [header.index(name) if name in header else None for name in wanted]
            for line in lines:
                if line:
                    cells = tuple("" if place is None else line[place] for place in places)
                    yield cells if mark == "," else tuple(map(with_point, cells))
    except (OSError, EOFError, UnicodeError, csv.Error, IndexError) as error:
        raise DataError(
            "cannot be read as a table", file=path.name, code="MV-DAT-166", do="Copy it again."
        ) from error


def pairs_of(path: Path, key: str, value: str) -> dict[str, str]:
    """One column by another; of several rows with the same key the last one counts."""
    return {row[0]: row[1] for row in rows_of(path, (key, value))}


def refuse_twice(path: Path, stays: Iterable[str]) -> None:
    """Refuse a table in which a stay occurs twice.

    Raises
    ------
    DataError
        Naming the stay.
    """
    seen: set[str] = set()
    for stay in stays:
        if stay in seen:
            raise DataError(
                f'the stay "{stay}" is given twice',
                file=path.name,
                code="MV-DAT-167",
                do="Keep one row of each stay.",
            )
        seen.add(stay)


def hours_between(start: str, end: str) -> float:
    """Hours from one date and time (ISO) to another; NaN where one is not known."""
    try:
        apart = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    except ValueError:
        return float("nan")
    return apart.total_seconds() / 3600
