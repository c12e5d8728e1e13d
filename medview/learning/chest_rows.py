"""Labels of chest films: outcome by patient, Brixia scores as six digits, views."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from medview.domain.errors import DataError
from medview.domain.prediction import ZONES
from medview.io import tables

MIRRORED = (3, 4, 5, 0, 1, 2)
"""Where the score of each zone goes when a film is mirrored: A and D, B and E, C and F."""
SEVERE, MILD = "SEVERE", "MILD"
HIGHEST = 18
_UNKNOWN = ("", "NA", "N/A")

Row = Mapping[str, str]


def read_table(file: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a published table, all cells as text; short rows are filled up.

    Raises
    ------
    DataError
        No table, or one of the `needed` columns is missing: it is named.
    """
    table = tables.read_table(file, uneven=True)
    refuse_missing(file.name, table.header, needed)
    return table.by_name()


def refuse_missing(file: str, header: Iterable[str], needed: Sequence[str]) -> None:
    """Refuse a table without the columns that are needed.

    Raises
    ------
    DataError
        Naming the missing columns.
    """
    missing = [name for name in needed if name not in set(header)]
    if missing:
        raise DataError(
            f"the column {', '.join(missing)} is missing",
            file=file,
            code="MV-DAT-150",
            do="Use the table as it was published.",
        )


def hannover_outcome(row: Row) -> str:
    """SEVERE with an ICU stay or death, MILD where both are denied, else empty: not known."""
    told = [number_of(row.get(column, "")) for column in ("patient_icu", "patient_died")]
    if 1 in told:
        return SEVERE
    return MILD if told == [0, 0] else ""


def number_of(text: str) -> float | None:
    """A number, or None where there is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def refuse_no_number(file: str, row: int, column: str, cell: str) -> None:
    """Refuse a cell that says something, but no number.

    Raises
    ------
    DataError
        Naming table, row and column.
    """
    try:
        float("nan" if cell.strip().upper() in _UNKNOWN else cell)
    except ValueError as error:
        raise DataError(
            f'row {row}, column "{column}": "{cell[:40]}" is no number',
            file=file,
            code="MV-DAT-151",
            do="Correct the cell, or leave it empty where it is not known.",
        ) from error


def brixia_text(digits: str, where: str, *, file: str = "", pad: bool = False) -> str:
    """Six zone scores A to F as six digits 0 to 3; empty stays empty.

    `pad` puts back the leading zeros that a spreadsheet took off a published table.

    Raises
    ------
    DataError
        Fewer or more digits, or one above 3; `file` is the table, `where` the row in it.
    """
    text = digits.strip().strip("[]")
    if not text:
        return ""
    whole = text.zfill(len(ZONES)) if pad else text
    if len(whole) != len(ZONES) or any(digit not in "0123" for digit in whole):
        lost = " (leading zeros lost?)" if text.isdigit() and len(text) < len(ZONES) else ""
        raise DataError(
            f'{where}: the Brixia score "{digits}" is not six digits from 0 to 3{lost}',
            file=file,
            code="MV-DAT-151",
            do="Write six digits as text, zones A to F.",
        )
    return whole


def brixia_of_zones(row: Row, reader: str, where: str, file: str = "") -> str:
    """Six digits of the columns ``brixia_<reader>_A`` to ``_F``; empty where not scored.

    Raises
    ------
    DataError
        A zone is no whole number 0 to 3, or the total differs from the sum.
    """
    cells = [row.get(f"brixia_{reader}_{zone}", "") for zone in ZONES]
    if not all(cells):
        return ""
    try:
        digits = "".join(str(int(float(cell))) for cell in cells)
    except ValueError as error:
        raise DataError(
            f"{where}: a zone score is no number",
            file=file,
            code="MV-DAT-151",
            do="Correct that row.",
        ) from error
    total = row.get(f"brixia_{reader}_Global", "")
    text = brixia_text(digits, where, file=file)
    if total and int(float(total)) != sum(map(int, text)):
        raise DataError(
            f"{where}: the total {total} is not the sum of the zones {text}",
            file=file,
            code="MV-DAT-151",
            do="Correct that row.",
        )
    return text


def zone_scores(digits: str) -> tuple[int, ...]:
    """Scores of the zones A to F."""
    return tuple(int(digit) for digit in digits)


def severity_class(total: int) -> int:
    """The four classes of a total of 0 to 18: to 4, to 9, to 14, above."""
    return sum(total >= first for first in (5, 10, 15))


def lung_class(total: int) -> int:
    """The four classes of one lung's total of 0 to 9: to 1, to 4, to 7, above."""
    return sum(total >= first for first in (2, 5, 8))


def outcome_by_patient(rows: Iterable[Row]) -> dict[str, str]:
    """SEVERE or MILD by ``patient_key``, where the course is known.

    SEVERE: in any row ICU, intubated or not survived. MILD: none of these, and each of the
    three known to be negative in at least one row. Others have no outcome.
    """
    said: dict[str, set[str]] = {}
    for row in rows:
        marks = said.setdefault(row["patient_key"], set())
        marks |= {f"{name}={row[name]}" for name in ("went_icu", "intubated", "survival")}
    outcome = {}
    for patient, marks in said.items():
        if marks & {"went_icu=Y", "intubated=Y", "survival=N"}:
            outcome[patient] = SEVERE
        elif marks >= {"went_icu=N", "intubated=N", "survival=Y"}:
            outcome[patient] = MILD
    return outcome
