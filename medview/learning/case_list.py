"""Case lists: a CSV that names the files of each case, for every model."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.io.atomic import own_file
from medview.io.named_files import file_named, lies_there, not_there
from medview.io.tables import CODE, columns_of, read_table
from medview.learning.subset import LeftOut, Split, Subset, TrainCase

IMAGE_COLUMNS = ("t1", "t1ce", "t2", "flair", "film", "smri", "fmri", "series")
_FILE_COLUMNS = (*IMAGE_COLUMNS, "mask", "brain")
_CHOICES: dict[str, tuple[str, ...]] = {
    "split": ("train", "val", "test"),
    "label": ("0", "1"),
    "sex": ("F", "M"),
    "prognosis": ("MILD", "SEVERE"),
    "mortality": ("0", "1"),
    "icu_admission": ("0", "1"),
    **{f"phenotype_{n:02}": ("0", "1") for n in range(1, 26)},
}
"""Columns that know a few words only; empty is unknown."""
_NUMBERED = re.compile(r"phenotype[ _-]?(\d{1,2})", re.IGNORECASE)
_NUMBERS = ("age_years", "film_hour")
_RANGES = {"age_years": (0.0, 130.0)}
_OF_SETS = ("hours", "first", "films", "to_icu", "day")
"""Cells by which loaders of known sets tell what they found; such a column of a list is none."""
_KNOWN = (*("case", "patient", "site", *_FILE_COLUMNS, *_CHOICES, *_NUMBERS, "brixia"),)


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A line of a case list: its number in the file (the header is 1) and its cells as text."""

    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


def is_case_list(path: Path) -> bool:
    """A CSV with a column "case", or a folder with such a file named cases.csv."""
    file = list_file(path)
    return file is not None and "case" in map(str.lower, columns_of(file))


def load_case_list(path: Path, roles: tuple[str, ...]) -> Subset:
    """Read a case list; the model takes the first of `roles` that a case has.

    A case without such a file, or whose file is not there, is left out by name.

    Raises
    ------
    DataError
        Not a table, a column is missing or given twice, a cell is not what its column holds, or
        a case is named twice: column and row are said.
    """
    file = list_file(path) or path
    rows = read_rows(file)
    _refuse_twice(rows, file.name)
    cases, skipped = [], []
    for row in rows:
        _refuse_odd_cells(row, file.name)
        made = _case_of(row, file.parent, roles)
        if isinstance(made, TrainCase):
            cases.append(made)
        else:
            skipped.append(made)
    return Subset(file.stem, "cases", file, tuple(cases), tuple(skipped))


def cases_of(job: Progress, path: Path, roles: tuple[str, ...]) -> tuple[TrainCase, ...]:
    """The cases of a list, also those whose file is not there: running them says so.

    Raises
    ------
    DataError
        As ``load_case_list``.
    """
    job.report(0, 1, "reading the case list")
    rows = read_rows(path)
    _refuse_twice(rows, path.name)
    for row in rows:
        _refuse_odd_cells(row, path.name)
    return tuple(_described(row, path.parent, roles) for row in rows)


def read_rows(file: Path) -> list[Row]:
    """Read a CSV with a header; all cells are text without spaces around it.

    Raises
    ------
    DataError
        If it is no table, has no column "case", names a column twice or a phenotype that there is
        not, or a row has another number of cells than the header.
    """
    table = read_table(file, known=_KNOWN)
    header = tuple(_phenotype(name, file.name) for name in table.header)
    twice = next((name for name in header if header.count(name) > 1), "")
    if twice:
        own = ", ".join(old for old, new in zip(table.header, header, strict=True) if new == twice)
        raise _odd(file.name, f"the column {twice} is given twice: {own}", "Take one of them out.")
    if not header:
        raise _odd(file.name, "it is empty", "A case list has a first line with its columns.")
    if "case" not in header:
        own = ", ".join(header[:6]) + (", ..." if len(header) > 6 else "")
        what = f'the column "case" is missing; there are: {own}'
        raise _odd(file.name, what, "Add it to the first line.")
    rows = []
    for number, line in table.rows:
        cells = dict(zip(header, line, strict=True))
        cells |= {name: table.number(cells[name]) for name in _NUMBERS if name in cells}
        cells |= {name: _word(cells[name], _CHOICES[name]) for name in header if name in _CHOICES}
        rows.append(Row(number, cells))
    return rows


def _phenotype(name: str, file: str) -> str:
    """A column of a phenotype as it is called here, also where its number has no 0; else the name.

    Raises
    ------
    DataError
        If there is no phenotype of that number: its labels would be left out without a word.
    """
    found = _NUMBERED.fullmatch(name)
    if not found:
        return name
    wanted = f"phenotype_{int(found[1]):02}"
    if wanted not in _CHOICES:
        what = f'the column "{name}" is of no phenotype; there are phenotype_01 to phenotype_25'
        raise _odd(file, what, "Correct its name or take it out.")
    return wanted


def list_rows(data: Iterable[str], do: str) -> list[dict[str, str]]:
    """The rows of several case lists, their files named from wherever one stands.

    Raises
    ------
    DataError
        If one is no case list; `do` says what to give instead.
    """
    rows = []
    for spec in data:
        path = Path(spec.removeprefix("cases="))
        file = list_file(path)
        if file is None:
            raise DataError("this works with case lists only", file=path.name, do=do)
        rows += [with_whole_paths(row, file.parent) for row in read_rows(file)]
    return rows


def refuse_other_tables(path: Path) -> None:
    """Say why a CSV, or cases.csv in a folder, is no case list that can be used.

    Anything else passes.

    Raises
    ------
    DataError
        No column "case", or no row.
    """
    file = list_file(path)
    if file is None:
        return
    if not read_rows(file):
        raise _odd(file.name, "it has no case, only a first line", "Add a line for each case.")


def with_whole_paths(row: Row, folder: Path) -> dict[str, str]:
    """The cells of a row of a list in `folder`, its files named from wherever one stands."""
    return {
        name: str(file_named(folder, text).absolute()) if name in _FILE_COLUMNS and text else text
        for name, text in row.cells.items()
    }


def write_rows(file: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write a case list for its owner's eyes: the columns that some row has, the known ones first.

    Files are named relative to the list where they lie beside or below it.

    Raises
    ------
    WriteError
        If the disk refuses; a list that was there before is untouched.
    """
    lines = [{name: _named(file, name, text) for name, text in row.items()} for row in rows]
    first = ("case", "patient", "site", "split", *_FILE_COLUMNS, "label", "age_years", "sex")
    used = dict.fromkeys(name for line in lines for name, text in line.items() if text)
    columns = [name for name in first if name in used or name == "case"]
    columns += [name for name in used if name not in columns]
    with own_file(file) as draft, draft.open("w", newline="", encoding="utf-8") as opened:
        table = csv.DictWriter(opened, columns, restval="", extrasaction="ignore")
        table.writeheader()
        table.writerows(lines)


def _named(file: Path, column: str, text: str) -> str:
    path, folder = Path(text), file.parent.absolute()
    inside = column in _FILE_COLUMNS and text and path.is_relative_to(folder)
    return str(path.relative_to(folder)) if inside else text


def list_file(path: Path) -> Path | None:
    """The CSV that a path names: itself, or cases.csv in a folder; None where there is none."""
    if path.is_dir():
        path = path / "cases.csv"
    return path if path.suffix.lower() == ".csv" and path.is_file() else None


def _refuse_twice(rows: list[Row], file: str) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        name = row["case"]
        if not name:
            raise _odd(file, f'row {row.number}, column "case" is empty', "Name every case.")
        if name in seen:
            what = f'the case "{name}" is in row {seen[name]} and in row {row.number}'
            raise _odd(file, what, "Give every case its own name.")
        seen[name] = row.number


def _refuse_odd_cells(row: Row, file: str) -> None:
    for column, words in _CHOICES.items():
        if row[column] and row[column] not in words:
            what = f'row {row.number}, column "{column}": "{row[column]}" is none of '
            raise _odd(file, what + ", ".join(words), "Correct it or leave it empty.")
    for column in _NUMBERS:
        if row[column] and not _is_number(row[column], *_RANGES.get(column, ())):
            kind = "age in years" if column in _RANGES else "number"
            what = f'row {row.number}, column "{column}": "{row[column]}" is no {kind}'
            comma = re.fullmatch(r"[-+]?\d+,\d+", row[column])
            do = "Write decimals with a point." if comma else "Correct it or leave it empty."
            raise _odd(file, what, do)


def _word(text: str, words: tuple[str, ...]) -> str:
    """The word that a cell means, in any case; else the cell.

    Programs write a column of 0 and 1 with an empty cell in it as 0.0 and 1.0.
    """
    plain = text.upper()
    if words == ("0", "1"):
        plain = plain.removesuffix(".0")
    return next((word for word in words if word.upper() == plain), text)


def _is_number(text: str, low: float = -math.inf, high: float = math.inf) -> bool:
    try:
        return math.isfinite(float(text)) and low <= float(text) <= high
    except ValueError:
        return False


def _case_of(row: Row, folder: Path, roles: tuple[str, ...]) -> TrainCase | LeftOut:
    files = _files_of(row, folder)
    role = next((role for role in roles if role in files), None)
    if role is None:
        return LeftOut(row["case"], "MV-DAT-101", f"it has no {' or '.join(roles)} file")
    needed = [role, *(column for column in ("mask", "brain") if column in files)]
    missing = next((column for column in needed if not lies_there(files[column])), None)
    if missing:
        what = f'row {row.number}, column "{missing}": {not_there(folder, row[missing])}'
        return LeftOut(row["case"], "MV-DAT-102", what)
    return _described(row, folder, roles)


def _files_of(row: Row, folder: Path) -> dict[str, Path]:
    return {column: file_named(folder, row[column]) for column in _FILE_COLUMNS if row[column]}


def _described(row: Row, folder: Path, roles: tuple[str, ...]) -> TrainCase:
    """What a row says, whether or not its files are there; role "" when it names none."""
    files = _files_of(row, folder)
    known = {"case", "patient", "site", "split", "label", "age_years", "sex", *_FILE_COLUMNS}
    known |= set(_OF_SETS)
    return TrainCase(
        row["case"],
        row["patient"] or row["case"],
        {column: files[column] for column in IMAGE_COLUMNS if column in files},
        next((role for role in roles if role in files), ""),
        site=row["site"],
        mask=files.get("mask"),
        brain=files.get("brain"),
        brain_rule="mask" if "brain" in files else "found",
        label=int(row["label"]) if row["label"] else None,
        age_years=float(row["age_years"]) if row["age_years"] else None,
        sex=row["sex"] or None,
        split=cast(Split, row["split"]),
        cells={name: text for name, text in row.cells.items() if name not in known and text},
    )


def _odd(file: str, what: str, do: str) -> DataError:
    return DataError(what, file=file, code=CODE, do=do)
