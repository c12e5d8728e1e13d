"""The preprocessed layout of the MIMIC benchmark: lists of stays beside folders with series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from medview.domain.errors import DataError
from medview.learning.icu_mimic import (
    FIRST_HOURS,
    LICENCE,
    Film,
    Stay,
    case_of,
    films_in,
    paired_film,
)
from medview.learning.icu_phenotypes import PHENOTYPES, phenotypes
from medview.learning.icu_series import read_series
from medview.learning.icu_tables import (
    number_of,
    refuse_twice,
    rows_of,
    table_at,
)
from medview.learning.subset import LeftOut, Split, Subset, TrainCase

_PARTS: tuple[tuple[str, Split, str], ...] = (
    ("train", "train", "train"),
    ("val", "val", "train"),
    ("test", "test", "test"),
)
"""Name of the list, part, folder of its series (the validation stays lie among the others)."""


def is_benchmark(folder: Path) -> bool:
    """A task of the benchmark: lists of stays beside folders with their series."""
    return table_at(folder, "train_listfile", "test_listfile") is not None


def load_benchmark(folder: Path) -> Subset:
    """A task folder (in-hospital-mortality or phenotyping) with its committed split.

    Films come from MIMIC-CXR-JPG where it lies beside and ``all_stays.csv`` says the times.

    Raises
    ------
    DataError
        A column is missing, or a stay is given twice in a list.
    """
    times = _stay_times(folder.parent)
    films = films_in(folder.parent) if times else {}
    cases, skipped = [], []
    for name, part, below in _PARTS:
        table = table_at(folder, f"{name}_listfile")
        if table is None:
            continue
        rows = _listed(table)
        refuse_twice(table, (row["stay"] for row in rows))
        for row in rows:
            made = _listed_case(folder / below, row, part, times, films)
            if isinstance(made, LeftOut):
                skipped.append(made)
            else:
                cases.append(made)
    name = f"benchmark-{folder.name}"
    return Subset(name, "benchmark", folder, tuple(cases), tuple(skipped), LICENCE)


def _listed(table: Path) -> list[dict[str, str]]:
    """Rows of a list with the columns called as cells are."""
    fixed = ("stay", "period_length", "stay_id")
    try:
        rows = list(rows_of(table, (*fixed, "y_true")))
        names: tuple[str, ...] = (*fixed, "mortality")
    except DataError:
        titles = tuple(one.name for one in phenotypes())
        rows = list(rows_of(table, (*fixed, *titles)))
        names = (*fixed, *PHENOTYPES)
    # Labels are written as "1", or as "1.0"; one that is empty is not known.
    return [
        dict(zip(fixed, row, strict=False))
        | {
            name: str(int(number_of(table, name, cell))) if cell.strip() else ""
            for name, cell in zip(names[len(fixed) :], row[len(fixed) :], strict=True)
        }
        for row in rows
    ]


def _listed_case(
    below: Path,
    row: Mapping[str, str],
    part: Split,
    times: Mapping[str, Stay],
    films: Mapping[str, list[Film]],
) -> TrainCase | LeftOut:
    path = below / row["stay"]
    stay = row["stay"].removesuffix("_timeseries.csv")
    subject = stay.partition("_")[0]
    if not path.is_file():
        return LeftOut(stay, "MV-DAT-102", f"{path.name} is not there")
    labels = {k: v for k, v in row.items() if k == "mortality" or k in PHENOTYPES}
    cells = {"hours": row["period_length"], **labels}
    try:
        series = read_series(path)
    except DataError as error:
        return LeftOut(stay, error.code, f"{error.file}: {error.what}")
    known = times.get(row["stay_id"].removesuffix(".0"), Stay(stay, subject, "", "", "", ""))
    limit = FIRST_HOURS if "mortality" in row else None
    film = paired_film(films.get(subject, ()), known, limit) if known.start else None
    case = case_of(known, series, cells, film)
    return replace(case, case=stay, patient=f"mimic4:{subject}", split=part)


def _stay_times(root: Path) -> dict[str, Stay]:
    table = table_at(root, "all_stays")
    if table is None:
        return {}
    columns = ("stay_id", "subject_id", "hadm_id", "intime", "outtime")
    return {r[0]: Stay(r[0], r[1], r[2], r[3], r[4], "") for r in rows_of(table, columns)}
