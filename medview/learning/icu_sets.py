"""Open sets of ICU stays: PhysioNet 2012, the demo tables of eICU and MIMIC-III, CSV folders.

Each case holds its measurements in ``rows["series"]`` and its labels as cells: ``mortality``,
``phenotype_01`` to ``phenotype_25``, ``icu_admission`` ("0" or "1"), ``hours`` (length of the
stay) and ``film_hour``.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path

from medview.domain.errors import DataError
from medview.learning import icu_benchmark, icu_mimic
from medview.learning.case_list import is_case_list, load_case_list, read_rows
from medview.learning.icu_cache import cached
from medview.learning.icu_demo_items import (
    APACHE,
    CUFF,
    IN_THE_CHALLENGE,
    MIMIC_LABS,
    MIMIC_UNITS,
    UNIT_TYPES,
    URINE_ITEMS,
)
from medview.learning.icu_hannover import is_hannover, load_hannover
from medview.learning.icu_phenotypes import phenotype_cells
from medview.learning.icu_series import Series, read_series
from medview.learning.icu_tables import (
    NO_LENGTH,
    clock_of,
    hours_between,
    need_table,
    number_of,
    pairs_of,
    refuse_twice,
    rows_of,
    table_at,
)
from medview.learning.icu_variables import VariableMap, read_map, shipped_map
from medview.learning.subset import Layout, LeftOut, Subset, TrainCase

ICU = ("icu",)
ROLE = "series"
MAP_FILE, LIST_FILE = "variables.yaml", "stays.csv"
"""The map and the list of stays of a CSV folder."""
LONG_ENOUGH_HOURS = 48.0
"""Death in hospital is asked of stays of at least this length, as in the benchmark."""
Measured = dict[str, list[tuple[float, int, str | float]]]
Told = tuple[str, float, str, str]
"""Stay, hour, name of the variable and cell."""


@cache
def _names() -> tuple[str, ...]:
    """How the loaders here call their columns: as PhysioNet does."""
    return tuple(variable.name for variable in shipped_map("physionet2012").variables)


def is_physionet2012(folder: Path) -> bool:
    """A folder with the outcomes and the long table of set A."""
    return table_at(folder, "outcomes-a") is not None and (
        table_at(folder, "set-a_timeseries") is not None
    )


def load_physionet2012(folder: Path) -> Subset:
    """PhysioNet / CinC Challenge 2012, set A: 48 hours, death in hospital; site is the ICU type.

    Outcomes may lack death and ICU type; the type then is the one told among the measurements.

    Raises
    ------
    DataError
        A column is missing or a stay is given twice.
    """
    outcomes, table = need_table(folder, "outcomes-a"), need_table(folder, "set-a_timeseries")
    series = cached("physionet2012", [table], lambda: _challenge_series(table))
    rows = list(rows_of(outcomes, ("RecordID",), ("In-hospital_death", "ICUType")))
    refuse_twice(outcomes, (row[0] for row in rows))
    cases, skipped = [], []
    for stay, died, unit in rows:
        if stay not in series:
            skipped.append(LeftOut(stay, "MV-DAT-168", "it has no measurements"))
            continue
        cells = {"mortality": died, "hours": "48"}
        kind = unit or _unit_told(series[stay])
        site = f"ICU type {kind}" if kind else ""
        cases.append(_case(stay, stay, series[stay], cells, site=site))
    return _subset("physionet2012", folder, cases, skipped, "ODC-BY 1.0")


def _unit_told(series: Series) -> str:
    """The ICU type among the measurements of a stay; empty where it is not told."""
    values = series.values[series.columns == series.names.index("ICUType")]
    return f"{values[0]:g}" if values.size and values[0] == values[0] else ""


def _challenge_series(table: Path) -> dict[str, Series]:
    names = {name.lower(): place for place, name in enumerate(_names())}
    measured: Measured = defaultdict(list)
    for stay, time, parameter, value in rows_of(table, ("RecordID", "Time", "Parameter", "Value")):
        place = names.get(parameter.lower())
        if place is None or value == "-1":
            continue
        hour = clock_of(table, "Time", time)
        if hour <= LONG_ENOUGH_HOURS:
            measured[stay].append((hour, place, value))
    return _made(measured)


def _made(measured: Mapping[str, Iterable[tuple[float, int, str | float]]]) -> dict[str, Series]:
    return {stay: Series.of(_names(), rows) for stay, rows in measured.items()}


def is_eicu_demo(folder: Path) -> bool:
    """A folder with the demo tables of eICU."""
    return (
        table_at(folder, "vitalaperiodic") is not None
        and table_at(folder, "apacheapsvar") is not None
    )


def load_eicu_demo(folder: Path) -> Subset:
    """The eICU demo: cuff pressures and the values of the first day that APACHE keeps (put at
    hour 24), death in hospital of stays of 48 hours, phenotypes of stays with codes.

    The snapshot has no other vital signs and no laboratory table. Patients are grouped by
    ``uniquepid``; site is the hospital.

    Raises
    ------
    DataError
        A table or column is missing, or a stay is given twice.
    """
    stays = need_table(folder, "patient")
    sources = [stays, need_table(folder, "vitalaperiodic"), need_table(folder, "apacheapsvar")]
    series = cached("eicu-demo", sources, lambda: _eicu_series(*sources))
    codes = _eicu_codes(table_at(folder, "diagnosis"))
    columns = ("patientunitstayid", "uniquepid", "hospitalid", "hospitaldischargestatus")
    rows = list(rows_of(stays, (*columns, "unitdischargeoffset")))
    refuse_twice(stays, (row[0] for row in rows))
    cases, skipped = [], []
    for stay, patient, hospital, status, minutes in rows:
        if stay not in series:
            skipped.append(LeftOut(stay, "MV-DAT-168", "it has no measurements"))
            continue
        hours = number_of(stays, "unitdischargeoffset", minutes) / 60
        cells = {"hours": f"{hours:g}", **phenotype_cells(codes.get(stay, ()))}
        if hours >= LONG_ENOUGH_HOURS and status in ("Alive", "Expired"):
            cells["mortality"] = str(int(status == "Expired"))
        cases.append(_case(stay, patient, series[stay], cells, site=f"hospital {hospital}"))
    return _subset("eicu-demo", folder, cases, skipped, "ODbL 1.0")


def _eicu_series(stays: Path, pressures: Path, apache: Path) -> dict[str, Series]:
    place = {name: n for n, name in enumerate(_names())}
    measured: Measured = defaultdict(list)
    told = chain(_eicu_people(stays), _eicu_pressures(pressures), _eicu_first_days(apache))
    for stay, hour, name, cell in told:
        if cell:
            measured[stay].append((hour, place[name], cell))
    return _made(measured)


def _eicu_people(table: Path) -> Iterator[Told]:
    """What is known of a patient at admission."""
    known = ("patientunitstayid", "age", "gender", "admissionheight", "admissionweight", "unittype")
    for stay, age, gender, height, weight, unit in rows_of(table, known):
        yield stay, 0.0, "Age", "90" if age.startswith(">") else age
        yield stay, 0.0, "Gender", {"Male": "1", "Female": "0"}.get(gender, "")
        yield stay, 0.0, "Height", height
        yield stay, 0.0, "Weight", weight
        yield stay, 0.0, "ICUType", UNIT_TYPES.get(unit, "")


def _eicu_pressures(table: Path) -> Iterator[Told]:
    """Cuff pressures from admission on."""
    columns = ("patientunitstayid", "observationoffset")
    for stay, minutes, *cells in rows_of(table, (*columns, *CUFF)):
        hour = number_of(table, "observationoffset", minutes) / 60
        if hour >= 0:
            for name, cell in zip(CUFF.values(), cells, strict=True):
                yield stay, hour, name, cell


def _eicu_first_days(table: Path) -> Iterator[Told]:
    """The values of the first day that APACHE keeps, at its end; -1 is "not measured"."""
    for stay, *cells in rows_of(table, ("patientunitstayid", *APACHE)):
        given = {
            name: cell
            for (column, name), cell in zip(APACHE.items(), cells, strict=True)
            if cell and number_of(table, column, cell) >= 0
        }
        coma = sum(float(given.pop(name, "nan")) for name in ("eyes", "motor", "verbal"))
        if coma >= 3:
            given["GCS"] = str(coma)
        if given.pop("vent", "0") == "1":
            given["MechVent"] = "1"
        for name, cell in given.items():
            yield stay, 24.0, name, cell


def _eicu_codes(table: Path | None) -> dict[str, set[str]]:
    codes: dict[str, set[str]] = defaultdict(set)
    if table is not None:
        for stay, cell in rows_of(table, ("patientunitstayid", "icd9code")):
            codes[stay] |= {code for code in cell.split(",") if code.strip()}
    return codes


def is_mimic3_demo(folder: Path) -> bool:
    """A folder with the tables of MIMIC-III."""
    return table_at(folder, "ICUSTAYS") is not None and table_at(folder, "LABEVENTS") is not None


def load_mimic3_demo(folder: Path) -> Subset:
    """The MIMIC-III demo: laboratory values, urine and the kind of unit (its CHARTEVENTS is absent
    here).

    Patients who are in PhysioNet 2012, too, are named as there: weights that learnt from it have
    seen them, and no fold parts them.

    Raises
    ------
    DataError
        A table or column is missing, or a stay is given twice.
    """
    table = need_table(folder, "ICUSTAYS")
    columns = ("ICUSTAY_ID", "SUBJECT_ID", "HADM_ID", "INTIME", "OUTTIME", "FIRST_CAREUNIT")
    stays = list(rows_of(table, columns))
    refuse_twice(table, (row[0] for row in stays))
    admissions = need_table(folder, "ADMISSIONS")
    died = pairs_of(admissions, "HADM_ID", "HOSPITAL_EXPIRE_FLAG")
    codes: dict[str, set[str]] = defaultdict(set)
    for admission, code in rows_of(need_table(folder, "DIAGNOSES_ICD"), ("HADM_ID", "ICD9_CODE")):
        codes[admission].add(code)
    measured = _mimic3_measured(folder, stays)
    cases, skipped = [], []
    for stay, subject, admission, start, end, unit in stays:
        hours = hours_between(start, end)
        if not math.isfinite(hours):
            skipped.append(LeftOut(stay, "MV-DAT-168", NO_LENGTH))
            continue
        if not measured.get(stay):
            skipped.append(LeftOut(stay, "MV-DAT-168", "it has no measurements"))
            continue
        cells = {"hours": f"{hours:g}", **phenotype_cells(codes.get(admission, ()))}
        if hours >= LONG_ENOUGH_HOURS:
            cells["mortality"] = died.get(admission, "")
        series = Series.of(_names(), sorted(measured[stay]))
        patient = IN_THE_CHALLENGE.get(subject, f"mimic3:{subject}")
        cases.append(_case(stay, patient, series, cells, site=unit))
    return _subset("mimic3-demo", folder, cases, skipped, "ODbL 1.0")


def _mimic3_measured(folder: Path, stays: Iterable[tuple[str, ...]]) -> Measured:
    place = {name: n for n, name in enumerate(_names())}
    people = {
        row[0]: row[1:]
        for row in rows_of(need_table(folder, "PATIENTS"), ("SUBJECT_ID", "GENDER", "DOB"))
    }
    of_admission: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    measured: Measured = defaultdict(list)
    for stay, subject, admission, start, end, unit in stays:
        of_admission[admission].append((stay, start, end))
        sex, born = people.get(subject, ("", ""))
        age = hours_between(born, start) / 8766
        measured[stay] += [(0.0, place["Gender"], "1" if sex == "M" else "0")] if sex else []
        measured[stay] += [(0.0, place["Age"], min(age, 90.0))] if age == age else []
        kind = MIMIC_UNITS.get(unit)
        measured[stay] += [(0.0, place["ICUType"], kind)] if kind else []
    events = _mimic3_events(folder)
    for admission, time, name, value in events:
        for stay, start, end in of_admission.get(admission, ()):
            hour = hours_between(start, time)
            if 0 <= hour <= hours_between(start, end):
                measured[stay].append((hour, place[name], value))
    return measured


def _mimic3_events(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    labs = need_table(folder, "LABEVENTS")
    for admission, item, time, value in rows_of(
        labs, ("HADM_ID", "ITEMID", "CHARTTIME", "VALUENUM")
    ):
        if item in MIMIC_LABS and value:
            yield admission, time, MIMIC_LABS[item], value
    outputs = table_at(folder, "OUTPUTEVENTS")
    if outputs is not None:
        columns = ("HADM_ID", "ITEMID", "CHARTTIME", "VALUE")
        for admission, item, time, value in rows_of(outputs, columns):
            if item in URINE_ITEMS and value:
                yield admission, time, "Urine", value


def is_csv_folder(folder: Path) -> bool:
    """A folder with a list of its stays and a map of its variables."""
    return (folder / MAP_FILE).is_file() and (folder / LIST_FILE).is_file()


def load_csv_folder(folder: Path, variables: VariableMap | None = None) -> Subset:
    """Any folder of tables, one a stay, as its map says.

    ``stays.csv`` has the columns of a case list: `case`, `series` and optional `patient site split
    film film_hour mortality phenotype_01` ...; ``variables.yaml`` is the map, unless one is given.

    Raises
    ------
    DataError
        As for case lists and maps.
    """
    variables = variables or read_map(folder / MAP_FILE)
    table = folder / LIST_FILE
    found = load_case_list(table, (ROLE,))
    return replace(_with_series(found, variables), layout="csv", root=folder, name=variables.name)


def load_cases(path: Path) -> Subset:
    """A case list with a column "series"; rows without one are left out by name."""
    return _with_series(load_case_list(path, (ROLE,)), None)


def is_cases(path: Path) -> bool:
    """A case list that names series."""
    if not is_case_list(path):
        return False
    file = path / "cases.csv" if path.is_dir() else path
    rows = read_rows(file)
    return any(row[ROLE] or row["mortality"] for row in rows)


def _with_series(found: Subset, variables: VariableMap | None) -> Subset:
    cases, skipped = [], list(found.skipped)
    for case in found.cases:
        try:
            series = read_series(case.images[ROLE], variables)
        except DataError as error:
            skipped.append(LeftOut(case.case, error.code, f"{error.file}: {error.what}"))
            continue
        cases.append(replace(case, rows={ROLE: series}))
    return replace(found, cases=tuple(cases), skipped=tuple(skipped))


def _case(
    stay: str, patient: str, series: Series, cells: Mapping[str, str], *, site: str = ""
) -> TrainCase:
    kept = {name: cell for name, cell in cells.items() if cell}
    return TrainCase(stay, patient, {}, ROLE, site=site, cells=kept, rows={ROLE: series})


def _subset(
    name: str, folder: Path, cases: Iterable[TrainCase], skipped: Iterable[LeftOut], licence: str
) -> Subset:
    return Subset(name, name, folder, tuple(cases), tuple(skipped), licence)


LAYOUTS = (
    Layout("physionet2012", ICU, is_physionet2012, load_physionet2012),
    Layout("eicu-demo", ICU, is_eicu_demo, load_eicu_demo),
    Layout("mimic3-demo", ICU, is_mimic3_demo, load_mimic3_demo),
    Layout("hannover", ICU, is_hannover, load_hannover),
    Layout("mimic4", ICU, icu_mimic.is_mimic4, icu_mimic.load_mimic4),
    Layout("benchmark", ICU, icu_benchmark.is_benchmark, icu_benchmark.load_benchmark),
    Layout("csv", ICU, is_csv_folder, load_csv_folder),
    Layout("cases", ICU, is_cases, load_cases),
)
