"""Miniatures of sets of feature vectors, in the exact layout of the real ones; made-up people."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import numpy as np

MUSE = ("MUSE_702", "MUSE_701", "MUSE_600", "MUSE_601", "MUSE_604", "MUSE_606")
IXI_HEADER = ("ID", "subject", "site", "Age", "Sex", *MUSE)


def write_rows(path: Path, header, rows, delimiter=",") -> Path:
    """Write a table; a name that ends in .gz is packed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(header)
    writer.writerows(rows)
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def ixi_rows(count: int = 40, seed: int = 0) -> list[list[str]]:
    """People of three sites whose third region shrinks with age."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        age, icv = rng.uniform(40, 86), rng.normal(1.5e6, 1e5)
        parts = icv * np.array([0.85, (age + rng.normal(0, 4)) / 800, 0.4, 0.35, 0.2])
        site = ("HH", "Guys", "IOP")[number % 3]
        name = f"IXI{number:03d}"
        sex = "MF"[number % 2]
        volumes = [icv, *(parts * rng.normal(1, 0.02, 5))]
        rows.append(
            [f"{name}-{site}-T1", name, site, f"{age:.2f}", sex, *(f"{v:.3f}" for v in volumes)]
        )
    return rows


def write_ixi_table(folder: Path, rows=None, header=IXI_HEADER) -> Path:
    """The IXI table of regions as it lies on disk."""
    return write_rows(
        folder / "ixi_dlmuse_n291.csv.gz", header, ixi_rows() if rows is None else rows
    )


def write_abide(folder: Path, count: int = 24, pairs: int = 12, seed: int = 0) -> Path:
    """ABIDE with five FreeSurfer columns; the first `pairs` people have time series."""
    rng = np.random.default_rng(seed)
    header = (
        "FILE_ID",
        "SUB_ID",
        "site",
        "AGE_AT_SCAN",
        "SEX",
        "DX_GROUP",
        *(f"fs_{n}" for n in range(5)),
    )
    rows, index = [], []
    (folder / "roi_timeseries_aal116").mkdir(parents=True)
    for number in range(count):
        age, name = rng.uniform(8, 35), str(50000 + number)
        values = [3 - age / 50 + rng.normal(0, 0.05), *rng.normal(100, 5, 4)]
        group = "1" if number % 3 == 0 else "-1"
        site = ("PITT", "OLIN")[number % 2]
        rows.append([f"{site}_{name}", name, site, f"{age:.2f}", "1", group, *map(str, values)])
        if number < pairs:
            series = rng.normal(0, 1, (40, 116)).astype(np.float32)
            series[:, 3] = 0
            np.save(folder / "roi_timeseries_aal116" / f"{name}.npy", series)
            index.append([name, f"roi_timeseries_aal116/{name}.npy", "40", "116", site])
    write_rows(folder / "freesurfer_features.csv.gz", header, rows)
    write_rows(
        folder / "roi_timeseries_index.csv",
        ("SUB_ID", "file", "n_timepoints", "n_rois", "SITE_ID"),
        index,
    )
    return folder


OPENBHB_HEADER = (
    *("participant_id", "study", "sex", "age", "site", "diagnosis", "tiv", "csfv", "gmv", "wmv"),
    *("magnetic_field_strength", "acquisition_setting", "siteXacq", "split"),
)
OPENBHB_PARTS = {
    "preproc-cat12vbm_desc-gm_ROI": (1, 1, 284),
    "preproc-freesurfer_desc-desikan_ROI": (1, 7, 68),
    "preproc-freesurfer_desc-destrieux_ROI": (1, 7, 148),
}


def write_openbhb(folder: Path, *, flat: bool = False, count: int = 12) -> Path:
    """OpenBHB as on Hugging Face, or all arrays in one folder beside participants.tsv."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(count):
        name = str(100_000_000_000 + 1_234_567 * number)
        part = ("train", "train", "internal_test", "external_test")[number % 4]
        sex = ("male", "female")[number % 2]
        rows.append(
            [name, "1", sex, f"{20 + number}.5", str(number % 3), "control", *["1"] * 7, part]
        )
        where = (
            folder
            / ("train" if part == "train" else "val")
            / "derivatives"
            / f"sub-{name}"
            / "ses-1"
        )
        place = folder if flat else where
        place.mkdir(parents=True, exist_ok=True)
        for words, shape in OPENBHB_PARTS.items():
            np.save(place / f"sub-{name}_{words}.npy", rng.normal(0, 1, shape).astype(np.float32))
    write_rows(folder / "participants.tsv", OPENBHB_HEADER, rows, "\t")
    return folder


def write_authors(folder: Path, count: int = 12, width: int = 7) -> Path:
    """The arrays of the authors' program, training and test."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for before in ("", "Test_"):
        for number in (1, 2):
            np.save(folder / f"{before}features{number}.npy", rng.normal(0, 1, (count, width)))
        np.save(folder / f"{before}labels_Age.npy", rng.uniform(15, 55, count))
        np.save(folder / f"{before}labels_Gender.npy", np.arange(count) % 2)
    return folder


def write_age_cases(folder: Path, count: int = 12) -> Path:
    """A case list: structure from one table by case, function as a vector of each case."""
    rng = np.random.default_rng(0)
    lines, features = [], []
    for number in range(count):
        name = f"c{number}"
        np.save(folder / f"{name}.npy", rng.normal(0, 1, 4))
        features.append([name, *rng.normal(0, 1, 3)])
        lines.append(
            [
                name,
                f"p{number}",
                "HH",
                f"{30 + number}",
                "FM"[number % 2],
                "smri.csv",
                f"{name}.npy",
            ]
        )
    write_rows(folder / "smri.csv", ("case", "a", "b", "c"), features)
    header = ("case", "patient", "site", "age_years", "sex", "smri", "fmri")
    return write_rows(folder / "cases.csv", header, lines)
