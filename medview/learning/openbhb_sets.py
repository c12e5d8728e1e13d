"""OpenBHB in its two layouts: regional measures of each participant, 1,796 values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from medview.learning.feature_rows import age_of, checked, keep, sex_of
from medview.learning.subset import LeftOut, Subset, TrainCase
from medview.learning.vectors import Vector, odd, read_table, read_vector

_OPENBHB_LICENCE = "CC BY-NC-SA 3.0"
_OPENBHB_ARRAYS = {
    "vbm": ("preproc-cat12vbm_desc-gm_ROI", 284),
    "desikan": ("preproc-freesurfer_desc-desikan_ROI", 476),
    "destrieux": ("preproc-freesurfer_desc-destrieux_ROI", 1036),
}
"""Regional measures of OpenBHB: part of the file name and length, 1,796 values in all."""
_RAMP = (("vbm", 519_945), ("quasiraw", 1_827_095), ("xhemi", 1_310_736))
"""Blocks of a RAMP matrix that stand before the regional ones; they are not used."""


def is_openbhb(folder: Path) -> bool:
    """participants.tsv beside train/ and val/ with derivatives/."""
    return (folder / "participants.tsv").is_file() and any(folder.glob("*/derivatives"))


def load_openbhb(folder: Path) -> Subset:
    """Read OpenBHB as on Hugging Face: regional measures of each participant, 1,796 values."""
    found: dict[str, dict[str, Path]] = {}
    for key, (part, _) in _OPENBHB_ARRAYS.items():
        for path in sorted(folder.glob(f"*/derivatives/sub-*/ses-1/sub-*_{part}.npy")):
            found.setdefault(_subject_of(path), {})[key] = path
    return _openbhb(folder, found, "openbhb")


def is_openbhb_ramp(folder: Path) -> bool:
    """participants.tsv with all arrays in the same folder, or matrices train.npy/test.npy."""
    table = folder / "participants.tsv"
    flat = any(folder.glob("sub-*_preproc-*_ROI.npy")) if folder.is_dir() else False
    return (table.is_file() and flat) or _is_matrix_layout(folder)


def load_openbhb_ramp(folder: Path) -> Subset:
    """Read OpenBHB in its older layout: flat files, or matrices with train.tsv and test.tsv."""
    if _is_matrix_layout(folder):
        return _ramp_matrices(folder)
    found: dict[str, dict[str, Path]] = {}
    for key, (part, _) in _OPENBHB_ARRAYS.items():
        for path in sorted(folder.glob(f"sub-*_{part}.npy")):
            found.setdefault(_subject_of(path), {})[key] = path
    return _openbhb(folder, found, "openbhb-ramp")


def _subject_of(path: Path) -> str:
    return path.name.split("_")[0].removeprefix("sub-")


def _openbhb_columns() -> tuple[str, ...]:
    return tuple(
        f"{key}_{number:04d}"
        for key, (_, length) in _OPENBHB_ARRAYS.items()
        for number in range(length)
    )


def _openbhb(folder: Path, found: Mapping[str, Mapping[str, Path]], layout: str) -> Subset:
    path = folder / "participants.tsv"
    needed = ("participant_id", "age", "sex", "site", "split")
    _, lines = read_table(path, needed)
    cases, skipped = list[TrainCase](), list[LeftOut]()
    for number, line in lines:
        # As text: as a float the 12 digits of an id lose the last ones.
        name = line["participant_id"]
        if not name.isdigit():
            what = f'row {number}, column "participant_id": "{name}" is no whole number'
            raise odd(path.name, what, "Keep the ids as text, not as rounded numbers.")
        files = found.get(name, {})
        missing = [key for key in _OPENBHB_ARRAYS if key not in files]
        if missing:
            what = f"row {number}: no array {_OPENBHB_ARRAYS[missing[0]][0]} of this id"
            skipped.append(LeftOut(name, "MV-DAT-102", what))
            continue
        vector = np.concatenate(
            [_openbhb_array(files[key], length) for key, (_, length) in _OPENBHB_ARRAYS.items()]
        )
        person = TrainCase(
            name,
            f"openbhb:{name}",
            {},
            "smri",
            site=line["site"],
            label=0,
            age_years=age_of(line["age"], number, "age", path.name),
            sex=sex_of(line["sex"], {"male": "M", "female": "F"}, number, "sex", path.name),
            split="train" if line["split"] == "train" else "test",
            cells={"part": line["split"]},
        )
        keep(person, "smri", vector, number, cases, skipped)
    columns = {"smri": _openbhb_columns()}
    subset = Subset(
        layout, layout, folder, tuple(cases), tuple(skipped), _OPENBHB_LICENCE, columns=columns
    )
    return checked(subset, path.name)


def _openbhb_array(path: Path, length: int) -> Vector:
    values = read_vector(path).ravel()
    if values.size != length:
        raise odd(path.name, f"it has {values.size} values, not {length}", "Copy the file again.")
    return values


def _is_matrix_layout(folder: Path) -> bool:
    return any(
        (folder / f"{part}.npy").is_file() and (folder / f"{part}.tsv").is_file()
        for part in ("train", "test")
    )


def _ramp_matrices(folder: Path) -> Subset:
    """Matrices of one row a participant; of its six blocks the three regional ones are used."""
    before = sum(size for _, size in _RAMP)
    regional = sum(length for _, length in _OPENBHB_ARRAYS.values())
    cases, skipped = list[TrainCase](), list[LeftOut]()
    for part in ("train", "test"):
        table = folder / f"{part}.tsv"
        if not table.is_file():
            continue
        _, lines = read_table(table, ("participant_id", "age", "site"))
        matrix = read_vector(folder / f"{part}.npy", whole=False)
        rows = list(lines)
        if matrix.ndim != 2 or matrix.shape != (len(rows), before + regional):
            shape = " x ".join(map(str, matrix.shape))
            what = f"it is {shape}; {len(rows)} x {before + regional} was expected"
            raise odd(f"{part}.npy", what, f"It must have a row for each line of {part}.tsv.")
        for (number, line), values in zip(rows, matrix, strict=True):
            person = TrainCase(
                line["participant_id"],
                f"openbhb:{line['participant_id']}",
                {},
                "smri",
                site=line["site"],
                label=0,
                age_years=age_of(line["age"], number, "age", table.name),
                split="train" if part == "train" else "test",
                cells={"part": line.get("split", "")},
            )
            vector = np.asarray(values[before:], dtype=np.float64)
            keep(person, "smri", vector, number, cases, skipped)
    columns = {"smri": _openbhb_columns()}
    subset = Subset(
        *("openbhb-ramp", "openbhb-ramp", folder, tuple(cases), tuple(skipped), _OPENBHB_LICENCE),
        columns=columns,
    )
    return checked(subset, "train.tsv")
