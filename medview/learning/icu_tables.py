"""Tables of ICU data sets: CSV, packed or not, with the columns that are needed."""

from __future__ import annotations

import csv
import gzip
import math
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

from medview.domain import wording
from medview.domain.errors import DataError
from medview.io.tables import with_point, written_as

NO_LENGTH = "the time of its admission or discharge is missing, or no date and time"
"""Why a stay is left out whose length is not known."""
_CLOCK = re.compile(r"(\d{2,6}):([0-5]\d)")


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
        If the file cannot be read, a column is missing, or a row is no row: column or line are
        named.
    """
    mark, encoding, before = written_as(path)
    opener = gzip.open if path.suffix == ".gz" else open
    start = 1
    try:
        with opener(path, "rt", encoding=encoding, newline="") as file:
            reader = csv.reader(file, delimiter=mark)
            lines = islice(reader, before, None)
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
            start = reader.line_num + 1
            for line in lines:
                if line:
                    cells = tuple("" if place is None else line[place] for place in places)
                    yield cells if mark == "," else tuple(map(with_point, cells))
                start = reader.line_num + 1
    except (OSError, EOFError, zlib.error, UnicodeError, csv.Error, IndexError) as error:
        what, do = _why_not(error, start)
        raise DataError(what, file=path.name, code="MV-DAT-166", do=do) from error


def _why_not(error: Exception, start: int) -> tuple[str, str]:
    """Why a table cannot be read on from a line, and what to do."""
    if isinstance(error, IndexError):
        what = f"line {start} has fewer cells than the first line has names"
        return what, "Check that line, or copy the table again."
    if isinstance(error, csv.Error):
        most = wording.number(csv.field_size_limit())
        what = f"the row that begins in line {start} has a cell of more than {most} characters"
        return what, "Check the quotes of that row, or shorten the cell."
    if isinstance(error, UnicodeError):
        return "cannot be read as a table: it is no text in UTF-8", "Save it as CSV UTF-8."
    if isinstance(error, EOFError):
        return "cannot be read as a table: it ends early", "Copy it again."
    if isinstance(error, zlib.error | gzip.BadGzipFile):
        return "cannot be read as a table: it is damaged, or not packed as .gz", "Copy it again."
    return "cannot be read as a table", "Check that it is there, and your rights."


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


def number_of(path: Path, column: str, cell: str) -> float:
    """A cell of a published table that must be a number.

    Raises
    ------
    DataError
        Naming table, column and cell.
    """
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _no(path, column, cell, "number")
    return value


def clock_of(path: Path, column: str, cell: str) -> float:
    """Hours of a cell that must be a time as "HH:MM".

    Raises
    ------
    DataError
        Naming table, column and cell.
    """
    found = _CLOCK.fullmatch(cell.strip())
    if not found:
        raise _no(path, column, cell, "time")
    return int(found[1]) + int(found[2]) / 60


def moment_of(path: Path, date: str, time: str) -> datetime:
    """Of the cells StudyDate "21800506" and StudyTime "213014.531" (leading zeros may be lost).

    Raises
    ------
    DataError
        Naming table, column and cell.
    """
    day = int(number_of(path, "StudyDate", date))
    clock = int(number_of(path, "StudyTime", time))
    try:
        return datetime.strptime(f"{day:08d}{clock:06d}", "%Y%m%d%H%M%S")
    except ValueError as error:
        raise _no(path, "StudyDate, StudyTime", f"{date}, {time}", "date and time") from error


def _no(path: Path, column: str, cell: str, kind: str) -> DataError:
    return DataError(
        f'column "{column}": "{cell}" is no {kind}',
        file=path.name,
        code="MV-DAT-166",
        do="Correct the cell, or use the table as it was published.",
    )


def hours_between(start: str, end: str) -> float:
    """Hours from one date and time (ISO) to another; NaN where one is not known."""
    try:
        apart = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    except ValueError:
        return float("nan")
    return apart.total_seconds() / 3600
