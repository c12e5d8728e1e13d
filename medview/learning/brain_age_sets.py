"""Sets of feature vectors with ages: how each lies on disk, read row by row.

What is wrong with a table is told by file and column; a row that cannot be used is left out by
name. Ages are years, sex is "F", "M" or None; `label` is 0 for a healthy control and 1 for a
case; `rows` holds the vectors (n,) float64 by role, in the order of the subset's `columns`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from medview.domain.errors import DataError
from medview.learning.abide_sets import is_abide, load_abide
from medview.learning.case_list import is_case_list, load_case_list
from medview.learning.feature_rows import age_of, checked, sex_of, with_vector
from medview.learning.openbhb_sets import (
    is_openbhb,
    is_openbhb_ramp,
    load_openbhb,
    load_openbhb_ramp,
)
from medview.learning.subset import Layout, LeftOut, Subset, TrainCase
from medview.learning.vectors import Vector, numbers_of, odd, read_table, read_vector

BRAIN_AGE = ("brain-age",)
ROLES = ("smri", "fmri")
_IXI = "ixi_dlmuse_n*.csv*"
_AUTHORS = {"smri": "features1.npy", "fmri": "features2.npy"}


# -- IXI regions ---------------------------------------------------------------------------


def is_ixi_roi(folder: Path) -> bool:
    """The table ixi_dlmuse_n<number>.csv[.gz]; the one made from 2 mm data is another set."""
    return folder.is_dir() and any(folder.glob(_IXI))


def load_ixi_roi(folder: Path) -> Subset:
    """Read the IXI table: MUSE volumes in mm3, MUSE_702 is the intracranial volume."""
    path = sorted(folder.glob(_IXI))[0]
    return load_ixi_table(path, "ixi-roi")


def load_ixi_table(path: Path, name: str) -> Subset:
    """Read one table of IXI regions; subject and site stand in the ID where they have no column.

    Raises
    ------
    DataError
        There is no ID or no region, a cell is odd, or a subject is there twice.
    """
    header, lines = read_table(path, ("ID",))
    columns = tuple(column for column in header if column.startswith("MUSE_"))
    if not columns:
        raise odd(path.name, 'there is no column "MUSE_<number>"', "Use the table as it came.")
    cases, skipped = list[TrainCase](), list[LeftOut]()
    for number, line in lines:
        subject, _, rest = line["ID"].partition("-")
        person = TrainCase(
            line["ID"],
            line.get("subject") or subject,
            {},
            "smri",
            site=line.get("site", rest.partition("-")[0]),
            label=0,
            age_years=age_of(line.get("Age", ""), number, "Age", path.name),
            sex=sex_of(line.get("Sex", ""), {"M": "M", "F": "F"}, number, "Sex", path.name),
        )
        with_vector(person, "smri", line, columns, number, cases, skipped)
    subset = Subset(
        name,
        "ixi-roi",
        path.parent,
        tuple(cases),
        tuple(skipped),
        licence="CC BY-SA 3.0",
        columns={"smri": columns},
    )
    return checked(subset, path.name)


# -- the authors' arrays ---------------------------------------------------------------------


def is_authors_npy(folder: Path) -> bool:
    """features1.npy and labels_Age.npy, as the authors' program reads them."""
    return (folder / "features1.npy").is_file() and (folder / "labels_Age.npy").is_file()


def load_authors_npy(folder: Path) -> Subset:
    """Read features1, features2, labels_Age and labels_Gender (1 female), and their Test_ parts."""
    cases, skipped, columns = list[TrainCase](), list[LeftOut](), dict[str, tuple[str, ...]]()
    for before, split in (("", "train"), ("Test_", "test")):
        if not (folder / f"{before}features1.npy").is_file():
            continue
        arrays = {
            role: read_vector(folder / (before + name))
            for role, name in _AUTHORS.items()
            if (folder / (before + name)).is_file()
        }
        ages = read_vector(folder / f"{before}labels_Age.npy").ravel()
        sexes = _optional(folder / f"{before}labels_Gender.npy", ages.size)
        for role, array in arrays.items():
            _refuse_uneven(array, ages.size, before + _AUTHORS[role])
            columns[role] = tuple(f"{role}_{n:04d}" for n in range(array.shape[1]))
        for number, age in enumerate(ages):
            name = f"{before or 'Train_'}{number:04d}"
            person = TrainCase(
                *(name, f"authors:{name}", {}, "smri"),
                label=0,
                age_years=float(age) if math.isfinite(age) else None,
                sex={0.0: "M", 1.0: "F"}.get(float(sexes[number])),
                split=split,  # type: ignore[arg-type]  # one of two words
            )
            vectors = {role: array[number].astype(np.float64) for role, array in arrays.items()}
            lost = next((r for r, v in vectors.items() if not np.isfinite(v).all()), None)
            if lost:
                what = f"row {number} of {before}{_AUTHORS[lost]} has values that are not numbers"
                skipped.append(LeftOut(name, "MV-DAT-103", what))
            else:
                cases.append(replace(person, rows=vectors))
    subset = Subset(
        "authors-npy", "authors-npy", folder, tuple(cases), tuple(skipped), columns=columns
    )
    return checked(subset, "features1.npy")


def _optional(path: Path, size: int) -> Vector:
    if not path.is_file():
        return np.full(size, np.nan)
    values = read_vector(path).ravel()
    if values.size != size:
        raise odd(path.name, f"it has {values.size} values for {size} ages", "Check the file.")
    return values


# -- case lists ------------------------------------------------------------------------------


def load_age_cases(path: Path) -> Subset:
    """Read a case list whose columns smri and fmri name feature files.

    A file is a vector as .npy, or a table (CSV) with a column "case" and one row for this case,
    or with a single row. Names of columns must be the same for all cases.
    """
    listed = load_case_list(path, ROLES)
    columns: dict[str, tuple[str, ...]] = {}
    cases, skipped = [], list(listed.skipped)
    for case in listed.cases:
        vectors = _vectors_of(case, columns)
        if isinstance(vectors, str):
            skipped.append(LeftOut(case.case, "MV-DAT-103", vectors))
        else:
            cases.append(replace(case, rows=vectors))
    return replace(listed, cases=tuple(cases), skipped=tuple(skipped), columns=columns)


def _refuse_uneven(array: Vector, ages: int, file: str) -> None:
    if array.ndim != 2 or len(array) != ages:
        shape = " x ".join(map(str, array.shape))
        raise odd(file, f"it is {shape}, but there are {ages} ages", "Give one row for each age.")


def _vectors_of(case: TrainCase, columns: dict[str, tuple[str, ...]]) -> dict[str, Vector] | str:
    """The vectors of a case by role, or why they cannot be used.

    The first case names the `columns` of a role, and the others must have the same.
    """
    vectors: dict[str, Vector] = {}
    wrong = ""
    for role in ROLES:
        file = case.images.get(role)
        if file is None:
            continue
        if not file.is_file():
            return f'column "{role}": "{file.name}" is not there'
        try:
            names, vector = numbers_of(file, case.case)
        except DataError as error:
            return f"{error.file}: {error.what}"
        known = columns.setdefault(role, names or tuple(map(str, range(vector.size))))
        wrong = wrong or _differs(names, vector, known, file.name)
        vectors[role] = vector
    if not wrong and not all(np.isfinite(vector).any() for vector in vectors.values()):
        wrong = "it has no value that is a number"
    return wrong or vectors


def _differs(names: tuple[str, ...] | None, vector: Vector, known: Sequence[str], file: str) -> str:
    if vector.size != len(known):
        return f'"{file}" has {vector.size} values, the first case {len(known)}'
    if names is not None and tuple(names) != tuple(known):
        odd_one = next(a for a, b in zip(names, known, strict=True) if a != b)
        return f'{file}: the column "{odd_one}" is not in the first case\'s place'
    return ""


LAYOUTS: tuple[Layout, ...] = (
    Layout("ixi-roi", BRAIN_AGE, is_ixi_roi, load_ixi_roi),
    Layout("abide", BRAIN_AGE, is_abide, load_abide),
    Layout("openbhb", BRAIN_AGE, is_openbhb, load_openbhb),
    Layout("openbhb-ramp", BRAIN_AGE, is_openbhb_ramp, load_openbhb_ramp),
    Layout("authors-npy", BRAIN_AGE, is_authors_npy, load_authors_npy),
    Layout("cases", BRAIN_AGE, is_case_list, load_age_cases),
)
