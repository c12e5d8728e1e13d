"""ABIDE I on disk: FreeSurfer measures of each subject, and time series of regions of some."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import DataError
from medview.io import tables
from medview.learning.feature_rows import age_of, checked, with_vector
from medview.learning.subset import LeftOut, Subset, TrainCase
from medview.learning.vectors import Vector, odd, read_table, read_vector

_FREESURFER = "freesurfer_features.csv*"
_SERIES_INDEX = "roi_timeseries_index.csv"
_LICENCE = "CC BY-NC-SA 3.0"
_REGIONS = 116
"""Of the AAL atlas: columns of a time series."""


def is_abide(folder: Path) -> bool:
    """The table freesurfer_features.csv[.gz]."""
    return folder.is_dir() and any(folder.glob(_FREESURFER))


def load_abide(folder: Path) -> Subset:
    """Read ABIDE I: FreeSurfer measures, and connectivity where a subject has time series.

    Everybody in the FreeSurfer table is male, so sex teaches nothing there and is unknown here.
    Connectivity is Fisher's z of the Pearson correlations of 116 AAL regions (6,670 values).
    """
    path = sorted(folder.glob(_FREESURFER))[0]
    header, lines = read_table(path, ("SUB_ID", "DX_GROUP"))
    columns = tuple(header[header.index("DX_GROUP") + 1 :])
    series = _series_files(folder)
    cases, skipped = list[TrainCase](), list[LeftOut]()
    for number, line in lines:
        name = line["SUB_ID"]
        group = {"1": 1, "-1": 0, "0": 0}.get(line["DX_GROUP"])
        if group is None and line["DX_GROUP"]:
            what = f'row {number}, column "DX_GROUP": "{line["DX_GROUP"]}" is none of 1, -1'
            raise odd(path.name, what, "Correct it.")
        person = TrainCase(
            name,
            f"abide:{name}",
            {},
            "smri",
            site=line.get("site", ""),
            label=group,
            age_years=age_of(line.get("AGE_AT_SCAN", ""), number, "AGE_AT_SCAN", path.name),
            cells={"sex_in_table": line.get("SEX", "")},
        )
        with_vector(person, "smri", line, columns, number, cases, skipped)
    read = [_with_series(case, series.pop(case.case, None)) for case in cases]
    cases = [case for case in read if isinstance(case, TrainCase)]
    skipped += [broken for broken in read if isinstance(broken, LeftOut)]
    skipped += [
        LeftOut(name, "MV-DAT-101", "it has time series but no row of FreeSurfer measures")
        for name in series
    ]
    names = {"smri": columns}
    if any("fmri" in case.rows for case in cases):
        names["fmri"] = connectivity_names(_REGIONS)
    subset = Subset("abide", "abide", folder, tuple(cases), tuple(skipped), _LICENCE, columns=names)
    return checked(subset, path.name)


def connectivity_names(regions: int) -> tuple[str, ...]:
    """Names of the upper triangle of a matrix of correlations, "r_000_001" first."""
    first, second = np.triu_indices(regions, 1)
    return tuple(f"r_{a:03d}_{b:03d}" for a, b in zip(first, second, strict=True))


def connectivity(series: NDArray[np.floating[Any]]) -> Vector:
    """Fisher's z of the correlations of time series (time, regions): the upper triangle.

    Correlations are clipped to 0.999; those with a constant region are 0.
    """
    values = np.asarray(series, dtype=np.float64)
    values = values - values.mean(0)
    norm = np.sqrt((values**2).sum(0))
    constant = norm < 1e-9
    values = values / np.where(constant, 1.0, norm)
    matrix = np.clip(values.T @ values, -0.999, 0.999)
    matrix[constant] = matrix[:, constant] = 0.0
    return np.asarray(np.arctanh(matrix[np.triu_indices(len(matrix), 1)]))


def _series_files(folder: Path) -> dict[str, Path]:
    index = folder / _SERIES_INDEX
    if not index.is_file():
        return {}
    _, lines = read_table(index, ("SUB_ID", "file"))
    return {line["SUB_ID"]: folder / line["file"] for _, line in lines}


def _with_series(case: TrainCase, path: Path | None) -> TrainCase | LeftOut:
    """The case with its connectivity where it has series, or why these cannot be used."""
    if path is None or not path.is_file():
        return case
    try:
        series = read_vector(path)
    except DataError as error:
        return LeftOut(case.case, error.code, f"{error.file} {error.what}")
    if series.ndim != 2 or series.shape[1] != _REGIONS or not np.isfinite(series).all():
        shape = " x ".join(map(str, series.shape))
        what = f"{path.name}: time x {_REGIONS} finite values are needed, not {shape}"
        return LeftOut(case.case, tables.CODE, what)
    return replace(case, rows={**case.rows, "fmri": connectivity(series)})
