"""Sets of chest films with outcome or severity: how each lies on disk and what is known of it.

Cells of a case: ``prognosis`` (MILD, SEVERE), ``brixia`` (six digits, zones A to F, as the senior
reader scored), ``brixia_junior``, ``view``, ``day`` (days since admission or first symptoms),
``to_icu`` (days from the film to the admission to intensive care).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from medview.domain.errors import DataError
from medview.io.tables import columns_of
from medview.io.xlsx import read_sheet
from medview.learning.case_list import is_case_list, load_case_list
from medview.learning.chest_rows import (
    MILD,
    SEVERE,
    Row,
    brixia_of_zones,
    brixia_text,
    hannover_outcome,
    number_of,
    outcome_by_patient,
    read_table,
    refuse_missing,
    refuse_no_number,
)
from medview.learning.feature_rows import age_of
from medview.learning.subset import Layout, LeftOut, Subset, TrainCase

ROLES = ("film",)
LATERAL = ("L", "LL", "RL", "LATERAL")
_COVID_COLUMNS = ("patient_key", "image_file", "view", "finding", "brixia_senior_Global")
_HANNOVER_COLUMNS = ("patient_id", "image_id", "image_file")
_EXTRA_COLUMNS = ("filename", "image_file", "brixia_senior_Global", "brixia_junior_Global")
_AFC_TABLES = ("AIforCOVID.xlsx", "AIforCOVID_r2.xlsx", "AIforCOVID_r3.xlsx")
_AFC_FOLDERS = ("imgs", "imgs_r2", "imgs_r3")
_AFC_COLUMNS = ("ImageFile", "Hospital", "Age", "Sex", "Prognosis")
_AFC_REMOVED = {"P_3_391", "P_3_377", "P_3_20", "P_3_108", "P_1_16", "P_3_341"}
_BRIXIA_TABLE = "metadata_global_v2.csv"
_BRIXIA_COLUMNS = ("Filename", "Subject", "Manufacturer", "BrixiaScore", "ConsensusTestset")
_BRIXIA_REMOVED = {"1773596264454332092"}


def is_covid_chestxray(folder: Path) -> bool:
    """A folder with the metadata of covid-chestxray, joined with the Brixia scores."""
    return set(_COVID_COLUMNS) <= set(columns_of(folder / "metadata.csv"))


def load_covid_chestxray(folder: Path) -> Subset:
    """Read the films of covid-chestxray; many have neither an outcome nor a Brixia score.

    Films that are Hannover's come with that set; lateral ones are left out by name. Only films
    of COVID-19 have an outcome here.

    Raises
    ------
    DataError
        A column is missing, or a score is none.
    """
    table = folder / "metadata.csv"
    rows = read_table(table, (*_COVID_COLUMNS, "went_icu", "intubated", "survival"))
    outcome = outcome_by_patient(rows)
    cases, skipped = [], []
    for number, row in enumerate(rows, start=2):
        if not row["image_file"] or row.get("same_as_hannover_image"):
            continue
        case = _covid_case(folder, row, outcome, table.name, number)
        if row["view"] in LATERAL:
            skipped.append(LeftOut(case.case, "MV-MOD-021", "it is a lateral film"))
        elif not case.image.is_file():
            skipped.append(LeftOut(case.case, "MV-DAT-102", f"{case.image.name} is not there"))
        else:
            cases.append(case)
    licence = "per image, CC BY-NC-SA and others, some unstated"
    return Subset(
        "covid-chestxray", "covid-chestxray", folder, tuple(cases), tuple(skipped), licence
    )


def _covid_case(
    folder: Path, row: Row, outcome: dict[str, str], file: str, number: int
) -> TrainCase:
    """A film with what is known of it, which may be neither outcome nor score."""
    where = f"row {number}"
    refuse_no_number(file, number, "offset", row.get("offset", ""))
    day = number_of(row.get("offset", ""))
    cells = {
        "prognosis": outcome.get(row["patient_key"], "") if "COVID" in row["finding"] else "",
        "brixia": brixia_of_zones(row, "senior", where, file),
        "brixia_junior": brixia_of_zones(row, "junior", where, file),
        "view": row["view"],
        "day": "" if day is None else str(day),
    }
    mask = row.get("lung_mask", "")
    return TrainCase(
        Path(row["image_file"]).stem,
        row["patient_key"],
        {"film": folder / row["image_file"]},
        "film",
        site="covid-chestxray",
        mask=folder / mask if mask else None,
        age_years=age_of(row.get("age", ""), number, "age", file),
        sex=row.get("sex") or None,
        licence=row.get("license", ""),
        cells={name: text for name, text in cells.items() if text},
    )


def load_lung_films(folder: Path) -> Subset:
    """Films of covid-chestxray with lung masks, and lateral films (label 0) without."""
    rows = read_table(folder / "metadata.csv", _COVID_COLUMNS)
    cases = []
    for row in rows:
        mask, film = row.get("lung_mask", ""), folder / row["image_file"]
        lateral = row["view"] in LATERAL
        if not row["image_file"] or not film.is_file() or not (mask or lateral):
            continue
        case = TrainCase(film.stem, row["patient_key"], {"film": film}, "film", label=0)
        masked = replace(case, mask=folder / mask, label=1)
        cases.append(case if lateral else masked)
    licence = "per image, CC BY-NC-SA and others, some unstated; masks CC BY-SA"
    return Subset("covid-chestxray", "covid-chestxray", folder, tuple(cases), licence=licence)


def is_hannover(folder: Path) -> bool:
    """A folder with the metadata of the Hannover films."""
    return set(_HANNOVER_COLUMNS) <= set(columns_of(folder / "metadata.csv"))


def load_hannover(folder: Path) -> Subset:
    """Read the Hannover films; SEVERE is a patient with an ICU stay or who died, MILD one of whom
    neither is known to have happened and both are told.

    Raises
    ------
    DataError
        A column is missing, or an offset is no number: row and column are named.
    """
    cases = []
    table = folder / "metadata.csv"
    for number, row in enumerate(read_table(table, _HANNOVER_COLUMNS), start=2):
        for column in ("admission_offset", "icu_admission_offset"):
            refuse_no_number(table.name, number, column, row.get(column, ""))
        if not row["image_file"] or not (folder / row["image_file"]).is_file():
            continue
        admitted = number_of(row.get("admission_offset", ""))
        to_icu = number_of(row.get("icu_admission_offset", ""))
        cells = {
            "prognosis": hannover_outcome(row),
            "view": row.get("projection", "").upper(),
            "day": "" if admitted is None else str(-admitted),
            "to_icu": "" if to_icu is None else str(to_icu),
        }
        cases.append(
            TrainCase(
                row["image_id"],
                f"hannover:{row['patient_id']}",
                {"film": folder / row["image_file"]},
                "film",
                site="hannover",
                sex=row.get("sex", "").upper() or None,
                cells={name: text for name, text in cells.items() if text},
            )
        )
    return Subset("hannover", "hannover", folder, tuple(cases), licence="CC BY 3.0")


def is_brixia_extra(folder: Path) -> bool:
    """A folder with the Brixia-scored films that are not in covid-chestxray."""
    columns = columns_of(folder / "metadata.csv")
    return set(_EXTRA_COLUMNS) <= set(columns) and "patient_key" not in columns


def load_brixia_extra(folder: Path) -> Subset:
    """Read the further Brixia-scored films; a name without its last "-part" is a patient.

    Raises
    ------
    DataError
        A column is missing, or a score is none.
    """
    table = folder / "metadata.csv"
    cases = []
    for number, row in enumerate(read_table(table, _EXTRA_COLUMNS), start=2):
        film, where = folder / row["image_file"], f"row {number}"
        if not row["image_file"] or not film.is_file():
            continue
        name = "immagine" if film.stem.startswith("immagine") else film.stem.rpartition("-")[0]
        cells = {
            "brixia": brixia_of_zones(row, "senior", where, table.name),
            "brixia_junior": brixia_of_zones(row, "junior", where, table.name),
        }
        patient = f"brixia-extra:{name or film.stem}"
        case = TrainCase(film.stem, patient, {"film": film}, "film", site="brixia-extra")
        cases.append(replace(case, cells=cells))
    licence = "CC BY-NC-SA 4.0"
    return Subset("brixia-extra", "brixia-extra", folder, tuple(cases), licence=licence)


def is_aiforcovid(folder: Path) -> bool:
    """A folder with at least one of the three tables of AIforCOVID."""
    return any((folder / name).is_file() for name in _AFC_TABLES)


def load_aiforcovid(folder: Path) -> Subset:
    """Read AIforCOVID (doi 10.5281/zenodo.5760978): imgs*/ and AIforCOVID*.xlsx.

    ``ImageFile`` may come with or without its ending; the sites are the hospitals A to F. Six
    films that its users found unusable are left out.

    Raises
    ------
    DataError
        A column is missing, or a prognosis is neither MILD nor SEVERE.
    """
    films = {
        file.stem: file
        for name in _AFC_FOLDERS
        for file in sorted((folder / name).glob("*"))
        if file.is_file()
    }
    cases: list[TrainCase] = []
    skipped: list[LeftOut] = []
    for name in _AFC_TABLES:
        if not (folder / name).is_file():
            continue
        header, rows = read_sheet(folder / name)
        refuse_missing(name, header, _AFC_COLUMNS)
        for number, row in enumerate(rows, start=2):
            made = _afc_case(row, films, name, number)
            if isinstance(made, TrainCase):
                cases.append(made)
            else:
                skipped.append(made)
    licence = "AIforCOVID terms, research only"
    return Subset("aiforcovid", "aiforcovid", folder, tuple(cases), tuple(skipped), licence)


def _afc_case(row: Row, films: dict[str, Path], file: str, number: int) -> TrainCase | LeftOut:
    where = f"{file}, row {number}"
    name = Path(row["ImageFile"]).stem if "." in row["ImageFile"] else row["ImageFile"]
    if name in _AFC_REMOVED:
        return LeftOut(name, "MV-DAT-103", "its film is known to be unusable")
    if name not in films:
        return LeftOut(name, "MV-DAT-102", f"{where}: no film {name} is there")
    prognosis = row["Prognosis"].upper()
    if prognosis not in (MILD, SEVERE, ""):
        raise DataError(
            f'row {number}: the prognosis "{row["Prognosis"]}" is neither MILD nor SEVERE',
            file=file,
            code="MV-DAT-152",
            do="Correct that row.",
        )
    return TrainCase(
        name,
        f"aiforcovid:{name}",
        {"film": films[name]},
        "film",
        site=row["Hospital"],
        age_years=age_of(row["Age"], number, "Age", file),
        sex={"0": "M", "1": "F"}.get(row["Sex"].removesuffix(".0"), row["Sex"] or None),
        cells={"prognosis": prognosis} if prognosis else {},
    )


def is_brixia(folder: Path) -> bool:
    """A folder with the table of the BRIXIA films."""
    return (folder / _BRIXIA_TABLE).is_file()


def load_brixia(folder: Path) -> Subset:
    """Read BRIXIA (Brescia): dicom_clean/ and metadata_global_v2.csv, separated by semicolons.

    Scores are read as text and given back their leading zeros; the sites are the makers; films
    of the consensus set are the test part.

    Raises
    ------
    DataError
        A column is missing, or a score is none.
    """
    table = folder / _BRIXIA_TABLE
    cases, skipped = [], []
    for number, row in enumerate(read_table(table, _BRIXIA_COLUMNS), start=2):
        name = Path(row["Filename"]).stem
        film = folder / "dicom_clean" / row["Filename"]
        if name in _BRIXIA_REMOVED or not film.is_file():
            known = "its film is known to be unusable" if film.is_file() else "it is not there"
            skipped.append(LeftOut(name, "MV-DAT-102", known))
            continue
        score = brixia_text(row["BrixiaScore"], f"row {number}", file=table.name, pad=True)
        patient = f"brixia:{row['Subject'] or name}"
        case = TrainCase(name, patient, {"film": film}, "film", site=row["Manufacturer"])
        cells = {"brixia": score} if score else {}
        cases.append(replace(case, cells=cells, sex=row.get("Sex") or None))
    cases = _consensus_apart(cases, table)
    licence = "BRIXIA terms, research only"
    return Subset("brixia", "brixia", folder, tuple(cases), tuple(skipped), licence)


def _consensus_apart(cases: list[TrainCase], table: Path) -> list[TrainCase]:
    """Mark patients with a film in the consensus set as test, the others as train."""
    rows = read_table(table, _BRIXIA_COLUMNS)
    marked = {Path(row["Filename"]).stem for row in rows if row["ConsensusTestset"] == "1"}
    test = {case.patient for case in cases if case.case in marked}
    if not test:
        return cases
    return [replace(c, split="test" if c.patient in test else "train") for c in cases]


def load_film_list(path: Path) -> Subset:
    """Read a case list with the columns film, prognosis and brixia.

    Raises
    ------
    DataError
        As for every case list; also a score that is not six digits.
    """
    subset = load_case_list(path, ROLES)
    for case in subset.cases:
        for column in ("brixia", "brixia_junior"):
            brixia_text(case.cells.get(column, ""), f'case "{case.case}"', file=path.name)
    return subset


_CXR, _LUNGS = ("cxr",), ("lung-net",)
LAYOUTS: tuple[Layout, ...] = (
    Layout("aiforcovid", _CXR, is_aiforcovid, load_aiforcovid),
    Layout("brixia", _CXR, is_brixia, load_brixia),
    Layout("covid-chestxray", _CXR, is_covid_chestxray, load_covid_chestxray),
    Layout("hannover", _CXR, is_hannover, load_hannover),
    Layout("brixia-extra", _CXR, is_brixia_extra, load_brixia_extra),
    Layout("covid-chestxray", _LUNGS, is_covid_chestxray, load_lung_films),
    Layout("cases", _CXR, is_case_list, load_film_list),
)
