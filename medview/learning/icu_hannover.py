"""Hannover: the only open set of chest films with laboratory values of the same patients.

The target is admission to intensive care. One case is one film with what the laboratory had
measured up to that day; the days of the laboratory are counted from the first known one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from medview.io.tables import columns_of
from medview.learning.chest_rows import refuse_no_number
from medview.learning.icu_series import Series
from medview.learning.icu_tables import need_table, refuse_twice, rows_of, table_at
from medview.learning.subset import LeftOut, Subset, TrainCase

LABS = ("crp", "d-dimer", "factor_xii", "ldh", "lymphocytes", "neutrophils", "pco2", "po2")
_NEEDED = ("patient_id", "image_id", "image_file")
_COURSE = ("sex", "admission_offset", "icu_admission_offset", "projection", "patient_icu")
_VALUES = tuple(f"{lab}_{end}" for lab in LABS for end in ("offset", "val"))
_OPTIONAL = (*_COURSE, *_VALUES)
_NUMBERS = ("admission_offset", "icu_admission_offset", *_VALUES)
_DAY = 24.0
Row = Mapping[str, str]


def is_hannover(folder: Path) -> bool:
    """A folder with the metadata of the Hannover repository."""
    table = table_at(folder, "metadata")
    if table is None:
        return False
    return {*_NEEDED, "crp_val"} <= set(columns_of(table))


def load_hannover(folder: Path) -> Subset:
    """Every film with the laboratory values up to its day.

    Cells: ``icu_admission`` (patient was in intensive care at some time), ``film_hour``, ``hours``
    (from the first value or film to the end of the film's day), ``first`` ("1": the patient's
    first film), ``films`` (how many the patient has), ``to_icu`` (days from film to admission
    there; negative after it).

    Raises
    ------
    DataError
        A column is missing, a film is given twice, or a cell is no number: row and column are
        named.
    """
    table = need_table(folder, "metadata")
    columns = (*_NEEDED, *_OPTIONAL)
    rows = [dict(zip(columns, row, strict=True)) for row in rows_of(table, _NEEDED, _OPTIONAL)]
    for number, row in enumerate(rows, start=2):
        for column in _NUMBERS:
            refuse_no_number(table.name, number, column, row[column])
    refuse_twice(table, (row["image_id"] for row in rows))
    patients: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        patients[row["patient_id"]].append(row)
    cases: list[TrainCase] = []
    skipped: list[LeftOut] = []
    for patient, films in patients.items():
        for one in _cases(folder, patient, films):
            if isinstance(one, LeftOut):
                skipped.append(one)
            else:
                cases.append(one)
    return Subset("hannover", "hannover", folder, tuple(cases), tuple(skipped), "CC BY 3.0")


def _cases(folder: Path, patient: str, films: Sequence[Row]) -> list[TrainCase | LeftOut]:
    days = _film_days(films)
    measured = sorted({point for row, day in zip(films, days, strict=True)
                       for point in _labs(row, day)})  # fmt: skip
    start = min([*days, *(day for day, _, _ in measured)])
    order = sorted(range(len(films)), key=lambda n: (days[n], films[n]["image_id"]))
    made: list[TrainCase | LeftOut] = []
    for n in order:
        row, day = films[n], days[n]
        picture = folder / row["image_file"]
        if not row["image_file"] or not picture.is_file():
            made.append(LeftOut(row["image_id"], "MV-DAT-102", "the film is not there"))
            continue
        known = [(d, lab, v) for d, lab, v in measured if d <= day]
        # A value of day 0 fills the first bin, whose end is 24 hours later.
        points = [((d - start + 1) * _DAY, lab, v) for d, lab, v in known]
        cells = {
            "icu_admission": row["patient_icu"],
            "film_hour": f"{(day - start + 1) * _DAY:g}",
            "hours": f"{(day - start + 1) * _DAY:g}",
            "first": str(int(n == order[0])),
            "films": str(len(films)),
            "to_icu": _text(_number(row["icu_admission_offset"])),
            "view": row["projection"],
        }
        made.append(
            TrainCase(
                row["image_id"],
                f"hannover:{patient}",
                {"film": picture},
                "film",
                sex=row["sex"].upper() or None,
                cells={name: cell for name, cell in cells.items() if cell},
                rows={"series": Series.of(LABS, points)},
            )
        )
    return made


def _film_days(films: Sequence[Row]) -> list[float]:
    """Day of each film, counted from the admission to hospital where that is known.

    Offsets of a row are counted from its own film: admission 5 days earlier is -5.
    """
    return [-(_number(row["admission_offset"]) or 0.0) for row in films]


def _labs(row: Row, day: float) -> list[tuple[float, int, float]]:
    found = []
    for place, lab in enumerate(LABS):
        offset, value = _number(row[f"{lab}_offset"]), _number(row[f"{lab}_val"])
        if offset is not None and value is not None:
            found.append((day + offset, place, value))
    return found


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return None if math.isnan(value) else value
