"""MIMIC-IV with MIMIC-CXR-JPG, as they are published.

Both generations of folders: v1.0 keeps patients and admissions in ``core``, v2 and later in
``hosp`` (and calls ``ethnicity`` ``race``). Films lie in a folder with
``mimic-cxr-2.0.0-metadata.csv``, below the given one or beside it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from medview.learning.icu_phenotypes import phenotype_cells
from medview.learning.icu_series import Series
from medview.learning.icu_tables import (
    NO_LENGTH,
    hours_between,
    moment_of,
    need_table,
    number_of,
    pairs_of,
    refuse_twice,
    rows_of,
    table_at,
)
from medview.learning.subset import LeftOut, Subset, TrainCase

ROLE = "series"
LICENCE = "PhysioNet credentialed (research, non-commercial terms of the data use agreement)"
FIRST_HOURS = 48.0
_ADULT = 18
_CXR = "mimic-cxr-2.0.0-metadata"
# Item -> column of the benchmark; items of urine glucose and urine pH are left out on purpose.
ITEMS: dict[str, str] = {
    **dict.fromkeys(("220045",), "Heart Rate"),
    **dict.fromkeys(("220050", "220179", "225309"), "Systolic blood pressure"),
    **dict.fromkeys(("220051", "220180", "225310"), "Diastolic blood pressure"),
    **dict.fromkeys(("220052", "220181", "225312"), "Mean blood pressure"),
    **dict.fromkeys(("220210", "224690", "224689", "224422"), "Respiratory rate"),
    **dict.fromkeys(("220277", "220227", "50817"), "Oxygen saturation"),
    **dict.fromkeys(("223762", "223761"), "Temperature"),
    "223835": "Fraction inspired oxygen",
    "220739": "Glascow coma scale eye opening",
    "223900": "Glascow coma scale verbal response",
    "223901": "Glascow coma scale motor response",
    **dict.fromkeys(("225664", "220621", "226537", "50931", "50809"), "Glucose"),
    **dict.fromkeys(("223830", "220274", "50820"), "pH"),
    **dict.fromkeys(("224639", "226512", "226531"), "Weight"),
    **dict.fromkeys(("226730", "226707"), "Height"),
    "223951": "Capillary refill rate",
    "224308": "Capillary refill rate",
}
_WORDS = {"220739", "223900", "223901", "223951", "224308"}
"""Items whose text counts, not the number beside it."""
_REFILL = {"normal <3 seconds": "0.0", "abnormal >3 seconds": "1.0"}
_FACTORS = {"226531": 0.453592, "226707": 2.54}
"""Pounds and inches."""
NAMES = tuple(dict.fromkeys(ITEMS.values()))
Points = dict[str, list[tuple[float, int, str | float]]]


@dataclass(frozen=True, slots=True)
class Stay:
    """An ICU stay as the tables give it; times as ISO text."""

    stay: str
    subject: str
    admission: str
    start: str
    end: str
    unit: str


@dataclass(frozen=True, slots=True)
class Film:
    """An AP film of MIMIC-CXR-JPG."""

    subject: str
    taken: datetime
    path: Path


def is_mimic4(folder: Path) -> bool:
    """A folder with the tables of MIMIC-IV, of either generation."""
    return (
        table_at(folder / "icu", "icustays") is not None
        and table_at(folder / "hosp", "labevents") is not None
    )


def load_mimic4(folder: Path) -> Subset:
    """Stays of adults in one unit, the only one of their admission, with the last AP film.

    Death in hospital is asked of stays of 48 hours, with a film of those hours; without, the film
    may be of any time of the stay. Phenotypes are those of the admission's codes.

    Raises
    ------
    DataError
        A table or column is missing, or a stay is given twice.
    """
    people = folder / ("core" if (folder / "core").is_dir() else "hosp")
    patients = need_table(people, "patients")
    ages = {
        subject: number_of(patients, "anchor_age", age)
        for subject, age in pairs_of(patients, "subject_id", "anchor_age").items()
        if age.strip()
    }
    died = pairs_of(need_table(people, "admissions"), "hadm_id", "deathtime")
    stays, skipped = _cohort(need_table(folder / "icu", "icustays"), ages)
    points = _points(folder, stays)
    codes: dict[str, set[str]] = defaultdict(set)
    for admission, code in rows_of(
        need_table(folder / "hosp", "diagnoses_icd"), ("hadm_id", "icd_code")
    ):
        codes[admission].add(code.strip())
    films = films_in(folder)
    cases = []
    for one in stays:
        if not points.get(one.stay):
            skipped.append(LeftOut(one.stay, "MV-DAT-168", "it has no measurements"))
            continue
        cells = {"hours": f"{hours_between(one.start, one.end):g}"}
        cells |= phenotype_cells(codes[one.admission])
        long_enough = hours_between(one.start, one.end) >= FIRST_HOURS
        if long_enough:
            cells["mortality"] = str(int(bool(died.get(one.admission, "").strip())))
        film = paired_film(films.get(one.subject, ()), one, FIRST_HOURS if long_enough else None)
        cases.append(case_of(one, Series.of(NAMES, points[one.stay]), cells, film))
    return Subset("mimic4", "mimic4", folder, tuple(cases), tuple(skipped), LICENCE)


def _cohort(table: Path, ages: Mapping[str, float]) -> tuple[list[Stay], list[LeftOut]]:
    columns = ("stay_id", "subject_id", "hadm_id", "intime", "outtime")
    rows = list(rows_of(table, (*columns, "first_careunit", "last_careunit")))
    refuse_twice(table, (row[0] for row in rows))
    of_admission: dict[str, int] = defaultdict(int)
    for row in rows:
        of_admission[row[2]] += 1
    stays, skipped = [], []
    for *ids, first, last in rows:
        one = Stay(ids[0], ids[1], ids[2], ids[3], ids[4], first)
        if ages.get(one.subject, 0.0) < _ADULT:
            skipped.append(LeftOut(one.stay, "MV-DAT-169", "the patient is no adult"))
        elif not math.isfinite(hours_between(one.start, one.end)):
            skipped.append(LeftOut(one.stay, "MV-DAT-168", NO_LENGTH))
        elif first != last:
            skipped.append(LeftOut(one.stay, "MV-DAT-169", "it changes between units"))
        elif of_admission[one.admission] > 1:
            skipped.append(LeftOut(one.stay, "MV-DAT-169", "its admission has several stays"))
        else:
            stays.append(one)
    return stays, skipped


def _points(folder: Path, stays: Iterable[Stay]) -> Points:
    """Measurements of the stays in the order of their time."""
    by_stay = {one.stay: one for one in stays}
    by_admission = {one.admission: one for one in by_stay.values()}
    place = {name: n for n, name in enumerate(NAMES)}
    points: Points = defaultdict(list)
    for one, item, time, cell in _events(folder, by_stay, by_admission):
        hour = hours_between(one.start, time)
        if 0 <= hour <= hours_between(one.start, one.end):
            points[one.stay].append((hour, place[ITEMS[item]], cell))
    for rows in points.values():
        rows.sort(key=lambda row: row[0])
    return points


def _events(
    folder: Path, by_stay: Mapping[str, Stay], by_admission: Mapping[str, Stay]
) -> Iterator[tuple[Stay, str, str, str | float]]:
    chart = need_table(folder / "icu", "chartevents")
    for stay, item, time, value, number in rows_of(
        chart, ("stay_id", "itemid", "charttime", "value", "valuenum")
    ):
        if item in ITEMS and stay in by_stay:
            cell = _cell(chart, item, value, number)
            if cell != "":
                yield by_stay[stay], item, time, cell
    labs = need_table(folder / "hosp", "labevents")
    for admission, item, time, number in rows_of(
        labs, ("hadm_id", "itemid", "charttime", "valuenum")
    ):
        if item in ITEMS and number and admission in by_admission:
            yield by_admission[admission], item, time, number


def _cell(table: Path, item: str, value: str, number: str) -> str | float:
    """The text of a level, or the number in the unit of the benchmark."""
    if item in _WORDS:
        text = value.strip()
        return _REFILL.get(text.lower(), text)
    if not number:
        return ""
    return number_of(table, "valuenum", number) * _FACTORS[item] if item in _FACTORS else number


def films_in(folder: Path) -> dict[str, list[Film]]:
    """AP films by subject; none where MIMIC-CXR-JPG is not there."""
    root = _film_root(folder)
    if root is None:
        return {}
    films: dict[str, list[Film]] = defaultdict(list)
    columns = ("dicom_id", "subject_id", "study_id", "ViewPosition", "StudyDate", "StudyTime")
    metadata = need_table(root, _CXR)
    for name, subject, study, view, date, time in rows_of(metadata, columns):
        if view != "AP":
            continue
        path = _film_path(root, name, subject, study)
        if path is not None:
            films[subject].append(Film(subject, moment_of(metadata, date, time), path))
    return films


def _film_root(folder: Path) -> Path | None:
    places = [folder, *sorted(p for p in folder.iterdir() if p.is_dir())]
    places += sorted(p for p in folder.absolute().parent.iterdir() if p.is_dir())
    return next((place for place in places if table_at(place, _CXR) is not None), None)


def _film_path(root: Path, name: str, subject: str, study: str) -> Path | None:
    published = root / "files" / f"p{subject[:2]}" / f"p{subject}" / f"s{study}" / f"{name}.jpg"
    known = (root / "resized" / f"{name}.jpg", published)
    return next((path for path in known if path.is_file()), None)


def paired_film(
    films: Iterable[Film], stay: Stay, hours: float | None
) -> tuple[Film, float] | None:
    """The last film taken in the stay (its first `hours`), and its hour."""
    start = datetime.fromisoformat(stay.start)
    end = datetime.fromisoformat(stay.end)
    if hours is not None:
        end = min(end, start + timedelta(hours=hours))
    inside = [film for film in films if start <= film.taken <= end]
    if not inside:
        return None
    last = max(inside, key=lambda film: film.taken)
    return last, (last.taken - start).total_seconds() / 3600


def case_of(
    stay: Stay, series: Series, cells: Mapping[str, str], film: tuple[Film, float] | None
) -> TrainCase:
    """A stay with its series, and the film with its hour where there is one."""
    kept = dict(cells)
    images = {}
    if film is not None:
        images["film"] = film[0].path
        kept["film_hour"] = f"{film[1]:g}"
    return TrainCase(
        stay.stay,
        f"mimic4:{stay.subject}",
        images,
        ROLE,
        site=stay.unit,
        cells=kept,
        rows={ROLE: series},
    )
