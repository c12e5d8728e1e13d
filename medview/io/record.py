"""Tables that are opened beside images: time series of a stay, and vectors of features."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from medview.domain.errors import DataError, ReadError
from medview.domain.formats import is_table
from medview.domain.lab_units import UNIT_COLUMNS, named_unit, turned, with_unit
from medview.domain.prediction import InputRef
from medview.domain.progress import Progress
from medview.domain.record import Record, Strip
from medview.domain.resources import resource
from medview.io.codes import Code
from medview.io.hashing import file_sha256
from medview.io.tables import Line, columns_of, table_size
from medview.io.tables import read_table as read_lines

# Columns of time, in lower case, and how many hours their unit has.
TIME = {"hours": 1.0, "hour": 1.0, "day": 24.0, "days": 24.0, "minutes": 1 / 60}
# The form of the PhysioNet challenge: one measurement a row, time as HH:MM.
LONG = ("Time", "Parameter", "Value")
# Says there that nothing was measured; no variable takes it.
_NOT_MEASURED = "-1"
_MOST_FILES = 20
_MOST_BYTES = 64 << 20
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?(?![\d.,])")
# Words of a column name -> unit; the first that fits.
_UNITS = (
    ("heart rate|^hr$", "1/min"),
    ("respir|resp\\.? rate|^rr$", "1/min"),
    ("blood pressure|^map$|sysabp|diasabp|^nim?ap", "mmHg"),
    ("saturation|spo2|sao2", "%"),
    ("temp", "°C"),
    ("glucose", "mg/dl"),
    ("^weight", "kg"),
    ("^height", "cm"),
    ("urine", "ml"),
    ("capillary|fraction inspired|fio2|^ph$|coma|gcs", ""),
)


def read_table(job: Progress, path: Path) -> tuple[str, InputRef, Record | None]:
    """Say what a table is for ("series", "smri" or "fmri"), which bytes it has, and its record.

    Raises
    ------
    ReadError
        If it cannot be read as a table, or a time series has no row.
    """
    job.check()
    try:
        size = path.stat().st_size
    except OSError as error:
        raise ReadError(
            "does not exist or may not be read",
            code=Code.NO_SUCH_PATH,
            file=path.name,
            do="Check the name and choose it again.",
        ) from error
    if size > _MOST_BYTES:
        raise _odd(path, "is larger than any table of one patient")
    digest = file_sha256(path)
    record = read_record(path) if path.suffix.lower() == ".csv" and _is_series(path) else None
    functional = re.search("fmri|func|conn", path.stem.lower()) is not None
    role = "series" if record is not None else "fmri" if functional else "smri"
    uid = f"2.25.{int(digest[:32], 16)}"
    return role, InputRef(role, "", uid, 0, digest, (*table_size(path), 1)), record


def read_record(path: Path) -> Record:
    """Read a CSV with a column "Hours" (Day, Minutes) and one for each variable, or a long one.

    A long one has the columns Time (HH:MM), Parameter and Value. Rows from before admission
    (negative hours) are left out and counted.

    Raises
    ------
    ReadError
        If there is no such column, an hour is no number, or there is no row from admission on.
    """
    columns, rows = _lines(path)
    if set(LONG) <= set(columns):
        columns, rows = _spread(columns, rows)
    place = next((n for n, name in enumerate(columns) if name.lower() in TIME), None)
    if place is None:
        raise _odd(path, 'has no column "Hours"')
    each = TIME[columns[place].lower()]
    hours = [each * _hour(path, number, row[place]) for number, row in rows]
    if not hours:
        raise _odd(path, "has no rows")
    every, hours = hours, [hour for hour in hours if hour >= 0]
    if not hours:
        raise _odd(path, "has no row from admission on: all hours are negative")
    cells = [row for hour, (_, row) in zip(every, rows, strict=True) if hour >= 0]
    others = [n for n in range(len(columns)) if n != place]
    read = {
        n: _strip(_titled(columns[n], columns), hours, [row[n] for row in cells]) for n in others
    }
    strips = [strip for strip in read.values() if strip is not None]
    strips.sort(key=lambda strip: (strip.never_changes, -len(strip.hours)))
    ignored = [columns[n] for n in others if read[n] is None and any(row[n] for row in cells)]
    # Days with a time of day in them are hours after all.
    step = each if each > 1 and all(hour % each == 0 for hour in hours) else 1.0
    return Record(tuple(strips), max(hours), tuple(ignored), len(every) - len(hours), step)


def _strip(title: tuple[str, str], hours: Sequence[float], cells: Sequence[str]) -> Strip | None:
    """What was measured of a variable, in order of time; None where no cell is a number."""
    every = [(hour, _measured(cell)) for hour, cell in zip(hours, cells, strict=True)]
    known = sorted((hour, value) for hour, value in every if value is not None)
    if not known:
        return None
    when, what = zip(*known, strict=True)
    name, unit = title
    return Strip(name, unit, when, what, _doubt(name, unit, what))


def _doubt(name: str, unit: str, values: Sequence[float]) -> str:
    """What speaks against a unit that is the usual one; empty where nothing does."""
    if unit != _unit_of(name):
        return ""
    entries = _variables_told().get(name.lower(), ())
    for rule in (rule for entry in entries for rule in entry.get("units", ())):
        said, fits = rule["says"], [rule["from"] <= value <= rule["to"] for value in values]
        if rule.get("whole"):
            if all(fits) and min(values) < rule.get("below", math.inf):
                return f"looks like {said}"
        elif any(fits):
            many = sum(fits)
            return f"{many} values look like {said}" if many > 1 else f"1 value looks like {said}"
    for low, high in (entry["possible"] for entry in entries if "possible" in entry):
        beyond = sum(not low <= value <= high for value in values)
        many = f"{beyond} values are" if beyond > 1 else "1 value is"
        return f"{many} not within {low} to {high}" if beyond else ""
    return ""


def _is_series(path: Path) -> bool:
    names = {name.lower() for name in columns_of(path)}
    return bool(names & TIME.keys()) or set(map(str.lower, LONG)) <= names


def _spread(
    columns: Sequence[str], rows: Sequence[Line]
) -> tuple[tuple[str, ...], tuple[Line, ...]]:
    """The rows of a long table as those of a wide one, with the time in hours first."""
    time, parameter, value = (columns.index(name) for name in LONG)
    unit = next((n for n, name in enumerate(columns) if name.lower() in UNIT_COLUMNS), None)
    known = [
        (n, row if unit is None else _with(row, parameter, with_unit(row[parameter], row[unit])))
        for n, row in rows
        if row[parameter] not in ("", "RecordID")
    ]
    names = list(dict.fromkeys(row[parameter] for _, row in known))
    wide = []
    for number, row in known:
        line = [_clock(row[time]), *[""] * len(names)]
        line[1 + names.index(row[parameter])] = row[value]
        wide.append((number, tuple(line)))
    return ("Hours", *names), tuple(wide)


def _with(row: Sequence[str], place: int, cell: str) -> tuple[str, ...]:
    return (*row[:place], cell, *row[place + 1 :])


def _clock(cell: str) -> str:
    """Hours of "HH:MM" or of a number of hours; empty where it is neither."""
    hours, _, minutes = cell.partition(":")
    whole, rest = _number(hours), _number(minutes or "0")
    return "" if whole is None or rest is None or not 0 <= rest < 60 else f"{whole + rest / 60}"


def _lines(path: Path) -> tuple[tuple[str, ...], tuple[Line, ...]]:
    try:
        table = read_lines(path, known=LONG, uneven=True).with_points()
    except DataError as error:
        raise _odd(path, error.what) from error
    return table.header, table.rows


def _hour(path: Path, number: int, cell: str) -> float:
    value = _number(cell)
    if value is None:
        raise _odd(path, f"row {number} has no time")
    return value


def _measured(cell: str) -> float | None:
    return None if cell == _NOT_MEASURED else _number(cell)


def _number(cell: str) -> float | None:
    """A cell as a number; "4 Spontaneously" is 4. None for an empty one and for words."""
    found = _NUMBER.match(cell)
    value = float(found[0]) if found else math.nan
    return value if math.isfinite(value) else None


def _titled(column: str, every: Sequence[str]) -> tuple[str, str]:
    """Name and unit of a column: of "WBC (K/uL)" both are told, and nothing is guessed."""
    name, told = named_unit(column)
    if not told:
        return column, _unit_of(column)
    twice = sum(named_unit(other)[0] == name for other in every) > 1
    known = turned(told, _unit_of(name), name) is not None
    return (name, told) if known and not twice else (column, "")


def _unit_of(name: str) -> str:
    low = name.lower()
    if low in _variables_told():
        return str(_variables_told()[low][0].get("unit", ""))
    return next((unit for words, unit in _UNITS if re.search(words, low)), "")


@lru_cache(maxsize=1)
def _variables_told() -> dict[str, list[dict[str, Any]]]:
    """What the maps that ship say of variables, by their names in lower case."""
    told: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(resource("variables").glob("*.yaml")):
        for entry in yaml.safe_load(path.read_text("utf-8"))["variables"]:
            for name in (entry["name"], *entry.get("columns", ())):
                told.setdefault(str(name).lower(), []).append(entry)
    return told


def _odd(path: Path, what: str) -> ReadError:
    return ReadError(what, file=path.name, code="MV-IO-311", do="Give a CSV in UTF-8 with Hours.")


def find_tables(
    job: Progress, paths: tuple[Path, ...]
) -> tuple[tuple[Path, str, InputRef, Record | None], ...]:
    """Read the tables among paths that were opened; of a folder the only time series in it.

    Raises
    ------
    ReadError
        If a table that was named itself cannot be read.
    """
    found = []
    for path in paths:
        if path.is_dir():
            series = [each for each in sorted(path.glob("*.csv"))[:_MOST_FILES] if _may_be(each)]
            found += [(each, *read_table(job, each)) for each in series if len(series) == 1]
        elif is_table(path):
            found.append((path, *read_table(job, path)))
    return tuple(found)


def _may_be(path: Path) -> bool:
    """Whether a file that nobody named is a time series; one that cannot be read is none."""
    try:
        return _is_series(path)
    except ReadError:
        return False
