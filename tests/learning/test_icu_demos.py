"""The demo tables of eICU and MIMIC-III, on miniatures whose answers are known by hand."""

import csv

import pytest
from icu_minis import by_name, eicu, found, mimic3, table

from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.learning.icu_stays import to_bins
from medview.learning.icu_variables import shipped_map


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))


def told(case):
    """The measurements of a case as (hour, name, value), in order."""
    series = case.rows["series"]
    rows = zip(series.hours.tolist(), series.columns.tolist(), series.values.tolist(), strict=True)
    return sorted((hour, series.names[column], round(value, 2)) for hour, column, value in rows)


def with_cells(path, number, **cells):
    """Write other cells into one row of a table."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[number] |= {name: str(cell) for name, cell in cells.items()}
    header = ",".join(rows[0])
    table(path, header, *(row.values() for row in rows))


def test_a_stay_of_eicu_has_pressures_by_the_hour_and_apache_after_a_day(tmp_path):
    cases = by_name(found(eicu(tmp_path / "demo")))
    assert told(cases["1"]) == [
        (0.0, "Age", 90.0),
        (0.0, "Gender", 0.0),
        (0.0, "Height", 157.5),
        (0.0, "ICUType", 1.0),
        (0.0, "NIMAP", 116.0),
        (1.5, "NIDiasABP", 80.0),
        (1.5, "NISysABP", 150.0),
        (24.0, "GCS", 3.0),
        (24.0, "HR", 0.0),
        (24.0, "MechVent", 1.0),
        (24.0, "Na", 139.0),
    ]


def test_a_coma_scale_is_told_where_all_of_it_is_and_no_ventilation_is_none(tmp_path):
    cases = by_name(found(eicu(tmp_path / "demo")))
    assert {name for _, name, _ in told(cases["2"])} == {"Age", "Gender", "Weight"}


def test_only_stays_of_eicu_of_48_hours_with_an_outcome_are_asked_for_death(tmp_path):
    cases = by_name(found(eicu(tmp_path / "demo")))
    died = {name: case.cells.get("mortality") for name, case in cases.items()}
    assert died == {"1": "1", "2": "0", "3": None, "4": None}
    assert [cases[name].cells["hours"] for name in "13"] == ["48", "47.9833"]


def test_eicu_patients_are_people_hospitals_are_sites_and_codes_are_phenotypes(tmp_path):
    cases = by_name(found(eicu(tmp_path / "demo")))
    assert (cases["1"].patient, cases["1"].site) == ("002-1", "hospital 59")
    assert cases["1"].patient == cases["2"].patient
    given = {name for name, cell in cases["1"].cells.items() if cell == "1"}
    assert given == {"mortality", "phenotype_09", "phenotype_14"}  # heart failure, hypertension
    assert not any(name.startswith("phenotype") for name in cases["2"].cells)


def test_eicu_without_its_table_of_codes_has_no_phenotypes(tmp_path):
    folder = eicu(tmp_path / "demo")
    (folder / "diagnosis.csv").unlink()
    assert "phenotype_01" not in by_name(found(folder))["1"].cells


def test_a_stay_of_eicu_of_which_nothing_is_known_is_left_out_by_name(tmp_path):
    folder = eicu(tmp_path / "demo")
    with_cells(folder / "patient.csv", 3, age="", gender="", unittype="")
    subset = found(folder)
    assert sorted(by_name(subset)) == ["1", "2", "3"]
    assert [(one.case, one.what) for one in subset.skipped] == [("4", "it has no measurements")]


def test_a_number_that_is_none_is_named_by_the_column_of_its_table(tmp_path):
    folder = eicu(tmp_path / "demo")
    with_cells(folder / "apacheapsvar.csv", 0, sodium="high")
    with pytest.raises(DataError, match='column "sodium": "high" is no number') as caught:
        found(folder)
    assert caught.value.file == "apacheapsvar.csv"


def test_a_folder_with_half_the_tables_of_eicu_is_not_taken_for_it(tmp_path):
    folder = eicu(tmp_path / "demo")
    (folder / "apacheapsvar.csv").unlink()
    with pytest.raises(DataError, match="no data set"):
        found(folder)


def test_a_stay_of_mimic3_has_laboratory_and_urine_of_its_own_hours(tmp_path):
    folder = mimic3(tmp_path / "demo", (1, 11, "CCU"))
    times = ["2159-12-31 23:59:59", "2160-01-01 00:00:00", "2160-01-03 12:00:00"]
    times.append("2160-01-03 12:00:01")
    rows = [(11, 50983, time, 136 + n) for n, time in enumerate(times)]
    rows += [(11, 50983, times[1], ""), (11, 1, times[1], 5), (99, 50983, times[1], 5)]
    table(folder / "LABEVENTS.csv", "HADM_ID,ITEMID,CHARTTIME,VALUENUM", *rows)
    table(folder / "OUTPUTEVENTS.csv", "HADM_ID,ITEMID,CHARTTIME,VALUE",
          (11, 40055, "2160-01-01 06:30:00", 250), (11, 40055, "2160-01-01 07:00:00", ""),
          (11, 40061, "2160-01-01 08:00:00", 99))  # fmt: skip
    with_cells(folder / "PATIENTS.csv", 0, GENDER="F", DOB="2100-01-01 00:00:00")
    (case,) = found(folder).cases
    assert told(case) == [
        (0.0, "Age", 60.0),
        (0.0, "Gender", 0.0),
        (0.0, "ICUType", 1.0),
        (0.0, "Na", 137.0),
        (6.5, "Urine", 250.0),
        (60.0, "Na", 138.0),
    ]


def test_who_is_older_than_89_is_90_in_mimic3_and_a_man_is_one(tmp_path):
    folder = mimic3(tmp_path / "demo", (1, 11, "NWARD"))
    with_cells(folder / "PATIENTS.csv", 0, DOB="1860-01-01 00:00:00")
    (case,) = found(folder).cases
    assert told(case)[:2] == [(0.0, "Age", 90.0), (0.0, "Gender", 1.0)]


def test_a_patient_of_mimic3_without_a_row_has_neither_age_nor_sex(tmp_path):
    folder = mimic3(tmp_path / "demo", (1, 11, "NWARD"))
    table(folder / "PATIENTS.csv", "SUBJECT_ID,GENDER,DOB")
    assert told(found(folder).cases[0]) == [(5.0, "Na", 140.0)]


def test_only_stays_of_mimic3_of_48_hours_are_asked_for_death(tmp_path):
    folder = mimic3(tmp_path / "demo", (1, 11, "CCU"), (2, 12, "CCU"))
    with_cells(folder / "ADMISSIONS.csv", 0, HOSPITAL_EXPIRE_FLAG=1)
    with_cells(folder / "ICUSTAYS.csv", 0, OUTTIME="2160-01-03 00:00:00")
    with_cells(folder / "ICUSTAYS.csv", 1, OUTTIME="2160-01-02 23:59:00")
    cases = by_name(found(folder))
    assert (cases["11"].cells["mortality"], cases["11"].cells["hours"]) == ("1", "48")
    assert "mortality" not in cases["12"].cells
    assert cases["11"].cells["phenotype_09"] == cases["12"].cells["phenotype_09"] == "1"


def test_a_stay_of_mimic3_without_a_discharge_is_left_out_and_the_others_are_read(tmp_path):
    # Some stays of the published table have no OUTTIME.
    folder = mimic3(tmp_path / "demo", (1, 11, "CCU"), (2, 12, "CCU"))
    with_cells(folder / "ICUSTAYS.csv", 0, OUTTIME="")
    subset = found(folder)
    assert [(one.case, one.code) for one in subset.skipped] == [("11", "MV-DAT-168")]
    assert "discharge is missing" in subset.skipped[0].what
    stays, skipped = to_bins(Silent(), subset.cases, shipped_map("physionet2012"))
    assert ([stay.case.case for stay in stays], skipped) == (["12"], [])


def test_a_stay_of_mimic3_without_anything_measured_is_left_out_by_name(tmp_path):
    folder = mimic3(tmp_path / "demo", (1, 11, "NWARD"), (2, 12, "CCU"))
    table(folder / "PATIENTS.csv", "SUBJECT_ID,GENDER,DOB")
    table(folder / "LABEVENTS.csv", "HADM_ID,ITEMID,CHARTTIME,VALUENUM")
    subset = found(folder)
    assert [case.case for case in subset.cases] == ["12"]
    assert [(one.case, one.what) for one in subset.skipped] == [("11", "it has no measurements")]


def test_a_stay_given_twice_in_a_demo_is_named(tmp_path):
    folder = mimic3(tmp_path / "demo", (1, 11, "CCU"), (2, 11, "CCU"))
    with pytest.raises(DataError, match='stay "11" is given twice'):
        found(folder)
    other = eicu(tmp_path / "other")
    with_cells(other / "patient.csv", 1, patientunitstayid=1)
    with pytest.raises(DataError, match='stay "1" is given twice'):
        found(other)
