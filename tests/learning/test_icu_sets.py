"""ICU data sets: each layout on a miniature, broken ones named, the real ones where they are."""

from pathlib import Path

import numpy as np
import pytest
from icu_minis import by_name, challenge, found, hannover, mimic3, table

from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.learning.cases import find_subsets
from medview.learning.icu_stays import find_stays, to_bins
from medview.learning.icu_variables import shipped_map

DATA = Path("../shared/data")
needs_data = pytest.mark.skipif(not (DATA / "icu").is_dir(), reason="no ../shared/data/icu here")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))


def test_the_challenge_gives_labels_and_sites(tmp_path):
    subset = found(challenge(tmp_path / "set", 5))
    assert subset.layout == "physionet2012"
    first = by_name(subset)["100"]
    assert (first.cells["mortality"], first.site) == ("1", "ICU type 1")
    # -1 is "not measured".
    assert "Temp" not in {first.rows["series"].names[n] for n in first.rows["series"].columns}


def test_a_second_reading_comes_from_the_cache_and_is_the_same(tmp_path):
    folder = challenge(tmp_path / "set", 5)
    one = by_name(found(folder))["102"].rows["series"]
    assert list((tmp_path / "home" / "cache").glob("physionet2012-*.npz"))
    two = by_name(found(folder))["102"].rows["series"]
    assert one.names == two.names
    for key in ("hours", "columns", "values"):
        assert np.array_equal(getattr(one, key), getattr(two, key))


def test_a_missing_column_is_named(tmp_path):
    folder = challenge(tmp_path / "set", 2)
    table(folder / "outcomes-a.csv", "Record,ICUType", (100, 1))
    with pytest.raises(DataError, match='column "RecordID" is missing'):
        found(folder)


def test_outcomes_without_labels_and_types_leave_the_type_to_the_measurements(tmp_path):
    folder = challenge(tmp_path / "set", 3)
    table(folder / "outcomes-a.csv", "RecordID", (102,), (100,))
    cases = found(folder).cases
    assert [(case.case, case.site) for case in cases] == [
        ("102", "ICU type 3"),
        ("100", "ICU type 1"),
    ]
    assert all("mortality" not in case.cells for case in cases)


def test_stays_without_any_type_have_no_site(tmp_path):
    folder = challenge(tmp_path / "set", 1)
    table(folder / "outcomes-a.csv", "RecordID", (100,))
    (folder / "set-a_timeseries.csv.gz").unlink()
    rows = [(100, "00:30", "HR", 80)]
    table(folder / "set-a_timeseries.csv", "RecordID,Time,Parameter,Value", *rows)
    assert [case.site for case in found(folder).cases] == [""]


def test_a_stay_given_twice_is_named(tmp_path):
    folder = challenge(tmp_path / "set", 2)
    header = "RecordID,In-hospital_death,ICUType"
    table(folder / "outcomes-a.csv", header, (100, 1, 1), (101, 0, 1), (100, 0, 1))
    with pytest.raises(DataError, match='stay "100" is given twice'):
        found(folder)


def test_a_stay_without_measurements_is_left_out_by_name(tmp_path):
    folder = challenge(tmp_path / "set", 2)
    header = "RecordID,In-hospital_death,ICUType"
    table(folder / "outcomes-a.csv", header, (100, 1, 1), (999, 0, 1))
    assert [(one.case, one.what) for one in found(folder).skipped] == [
        ("999", "it has no measurements")
    ]


@pytest.mark.parametrize("cell", ["", "noon", "12", "12:75", "-1:00"])
def test_a_time_of_the_challenge_that_is_none_is_named(cell, tmp_path):
    folder = challenge(tmp_path / "set", stays=1)
    rows = ((100, "00:30", "HR", 80), (100, cell, "HR", 80))
    table(folder / "set-a_timeseries.csv.gz", "RecordID,Time,Parameter,Value", *rows)
    with pytest.raises(DataError, match=f'column "Time": "{cell}" is no time') as caught:
        found(folder)
    assert caught.value.file == "set-a_timeseries.csv.gz"


def test_hannover_knows_only_the_laboratory_up_to_the_film(tmp_path):
    subset = found(hannover(tmp_path / "h", 6))
    films = [case for case in subset.cases if case.patient == "hannover:p5"]
    assert [case.cells["first"] for case in films] == ["1", "0", "0"]
    assert films[0].cells["icu_admission"] == "1"
    lengths = [len(case.rows["series"].hours) for case in films]
    assert lengths == sorted(lengths)
    stays, _ = to_bins(Silent(), films, shipped_map("hannover"))
    oxygen = shipped_map("hannover").codes["po2"]
    assert stays[0].grid.values[-1, oxygen] == 10  # "-inf": below what can be told


@pytest.mark.parametrize("column", ["admission_offset", "icu_admission_offset", "crp_val"])
def test_a_broken_cell_of_hannover_is_named_by_table_row_and_column(column, tmp_path):
    folder = hannover(tmp_path / "h", 3)
    path = folder / "metadata.csv"
    lines = [line.split(",") for line in path.read_text().splitlines()]
    lines[2][lines[0].index(column)] = "3 days"
    path.write_text("\n".join(",".join(line) for line in lines).replace("3 days", "NA"))
    assert "to_icu" not in found(folder).cases[1].cells or column != "icu_admission_offset"
    path.write_text("\n".join(",".join(line) for line in lines))
    what = f'row 3, column "{column}": "3 days" is no number'
    with pytest.raises(DataError, match=what) as caught:
        found(folder)
    assert caught.value.file == "metadata.csv"


def test_hannover_without_course_and_with_semicolons_has_the_same_laboratory(tmp_path):
    folder = hannover(tmp_path / "h", 3)
    whole = found(folder).cases
    path = folder / "metadata.csv"
    lines = [line.split(",") for line in path.read_text().splitlines()]
    lost = [n for n, name in enumerate(lines[0]) if name in ("sex", "patient_icu", "projection")]
    kept = [[cell for n, cell in enumerate(line) if n not in lost] for line in lines]
    path.write_text("\n".join(";".join(line) for line in kept))
    bare = found(folder).cases
    assert [case.case for case in bare] == [case.case for case in whole]
    for one, other in zip(bare, whole, strict=True):
        assert one.rows["series"].values.tolist() == other.rows["series"].values.tolist()
        assert "icu_admission" not in one.cells


def test_a_csv_folder_brings_its_map_or_gets_one(tmp_path):
    folder = tmp_path / "own"
    table(folder / "a.csv", "Hours,Pulse", (1, 80))
    table(folder / "stays.csv", "case,series,mortality", ("a", "a.csv", 1), ("b", "b.csv", 0))
    text = "name: own\nvariables:\n  - {name: HR, columns: [Pulse], impute: 75}\n"
    (folder / "variables.yaml").write_text(text)
    subset = found(folder)
    assert (subset.layout, len(subset.cases), subset.skipped[0].case) == ("csv", 1, "b")
    (folder / "variables.yaml").rename(tmp_path / "map.yaml")
    (other,) = find_stays([str(folder)], "icu", str(tmp_path / "map.yaml"))
    assert other.name == "own"


def test_own_columns_of_a_list_change_nothing_that_is_said_of_a_stay(tmp_path):
    table(tmp_path / "s.csv", "Hours,HR", (0, 80), (5, 90))
    table(tmp_path / "plain.csv", "case,series,mortality", ("a", "s.csv", 1))
    own = "case,series,mortality,hours,first,films,to_icu"
    table(tmp_path / "own.csv", own, ("a", "s.csv", 1, "about 30", "no", "two", "never"))
    grids = []
    for name in ("plain.csv", "own.csv"):
        (subset,) = find_stays((str(tmp_path / name),), "icu")
        ((stay,), skipped) = to_bins(Silent(), subset.cases, shipped_map("physionet2012"))
        assert skipped == []
        assert stay.case.cells == {"mortality": "1"}
        grids.append(stay.grid)
    np.testing.assert_array_equal(grids[0].values, grids[1].values)


def test_a_case_list_needs_a_series_for_every_case(tmp_path):
    table(tmp_path / "s.csv", "Hours,HR", (1, 80))
    table(tmp_path / "t.csv", "Time of day,HR", (1, 80))
    table(
        tmp_path / "cases.csv", "case,series,film,mortality",
        ("a", "s.csv", "", 1), ("b", "", "x.png", 0), ("c", "t.csv", "", ""),
    )  # fmt: skip
    subset = found(tmp_path / "cases.csv")
    assert [case.case for case in subset.cases] == ["a"]
    said = {one.case: one.what for one in subset.skipped}
    assert said["b"] == "it has no series file"
    assert 'column "Hours" is missing' in said["c"]


def test_a_folder_of_a_case_list_in_which_one_row_is_about_a_stay_is_taken(tmp_path):
    table(tmp_path / "s.csv", "Hours,HR", (1, 80))
    table(tmp_path / "cases.csv", "case,series,smri", ("a", "", "x.csv"), ("b", "s.csv", ""))
    assert [case.case for case in found(tmp_path).cases] == ["b"]
    table(tmp_path / "cases.csv", "case,mortality,smri", ("a", "", "x.csv"), ("b", 1, ""))
    assert [one.what for one in found(tmp_path).skipped] == ["it has no series file"] * 2


def test_the_kind_of_unit_of_the_mimic_demo_is_told_in_the_numbers_of_the_challenge(tmp_path):
    stays = ((1, 11, "CCU"), (2, 12, "TSICU"), (3, 13, "NWARD"))
    subset = found(mimic3(tmp_path / "demo", *stays))
    binned, _ = to_bins(Silent(), subset.cases, shipped_map("physionet2012"))
    kind = [v.name for v in shipped_map("physionet2012").variables].index("ICUType")
    told = [stay.grid.values[-1, kind] for stay in binned]
    assert told[:2] == [0, 3]  # places of the levels 1 and 4
    assert np.isnan(told[2])


def test_patients_of_the_mimic_demo_who_are_in_the_challenge_are_named_as_there(tmp_path):
    subset = found(mimic3(tmp_path / "demo", (10046, 11, "CCU"), (10047, 12, "CCU")))
    assert [case.patient for case in subset.cases] == ["140628", "mimic3:10047"]


@needs_data
@pytest.mark.slow
def test_the_patients_whom_mimic_demo_and_challenge_share_are_five():
    (challenged,) = find_subsets([str(DATA / "icu" / "physionet2012")], "icu")
    (demo,) = find_subsets([str(DATA / "icu" / "mimic3_demo")], "icu")
    records = {case.patient: _measured(case) for case in challenged.cases}
    shared = {}
    for case in demo.cases:
        mine = _measured(case)
        if len(mine) >= 12:
            agree, record = max((len(mine & r) / len(mine), p) for p, r in records.items())
            shared |= {case.patient: record} if agree > 0.7 else {}
    assert len(shared) == 5
    assert all(patient == record for patient, record in shared.items())


def _measured(case):
    """Values of blood of the first 48 hours, each once."""
    series = case.rows["series"]
    blood = ("BUN", "Creatinine", "Na", "K", "HCT", "Platelets", "WBC", "Glucose", "Mg", "HCO3")
    rows = zip(series.columns.tolist(), series.values.tolist(), series.hours.tolist(), strict=True)
    named = ((series.names[column], round(value, 2), hour) for column, value, hour in rows)
    return {(name, value) for name, value, hour in named if name in blood and hour <= 48}


@needs_data
def test_the_real_demo_sets_are_recognised_with_their_labels():
    subsets = {s.layout: s for s in find_subsets([str(DATA / "icu" / "mimic3_demo")], "icu")}
    demo = subsets["mimic3-demo"]
    assert len(demo.cases) > 90
    assert any(case.cells.get("mortality") == "1" for case in demo.cases)


@needs_data
def test_hannover_has_61_patients_and_its_films_of_the_first_day():
    (subset,) = find_subsets([str(DATA / "cxr" / "hannover")], "icu")
    assert subset.n_patients == 61
    assert sum(case.cells["first"] == "1" for case in subset.cases) == 61


@needs_data
@pytest.mark.slow
def test_all_stays_of_the_challenge_are_in_bins_within_a_minute():
    import time

    began = time.perf_counter()
    (subset,) = find_subsets([str(DATA / "icu" / "physionet2012")], "icu")
    stays, skipped = to_bins(Silent(), subset.cases, shipped_map("physionet2012"))
    assert (len(stays), len(skipped)) == (3396, 0)
    assert time.perf_counter() - began < 60
