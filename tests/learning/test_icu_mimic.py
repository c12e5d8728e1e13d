"""MIMIC-IV as it is published, in both generations of its folders."""

import csv
import gzip

import pytest
from icu_minis import by_name, cxr, film, found, mimic4

from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.learning.icu_stays import to_bins
from medview.learning.icu_variables import shipped_map

BENCH = shipped_map("benchmark")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("generation", [1, 2])
def test_mimic4_of_both_generations_with_films(tmp_path, generation):
    mimic4(tmp_path / "iv", generation)
    cxr(tmp_path / "films")
    subset = found(tmp_path / "iv")
    cases = by_name(subset)
    assert set(cases) == {"101", "102"}
    assert [(one.case, one.what) for one in subset.skipped] == [("103", "the patient is no adult")]
    long, short = cases["101"], cases["102"]
    assert (long.cells["mortality"], long.cells["phenotype_25"]) == ("1", "1")
    assert "mortality" not in short.cells
    assert (long.patient, long.site) == ("mimic4:1", "MICU")
    assert short.cells["phenotype_14"] == "1"
    # The last AP film of the first 48 hours, not the one of day 3, the PA one or the one before.
    assert long.images["film"].name == "a.jpg"
    assert float(long.cells["film_hour"]) == pytest.approx(6.5, abs=0.01)
    (stay, _), _ = to_bins(Silent(), subset.cases, BENCH)
    value = dict(zip([v.name for v in BENCH.variables], stay.grid.values[-1], strict=True))
    assert value["Heart Rate"] == 88
    assert value["Temperature"] == pytest.approx(37.0, abs=0.01)
    assert value["Weight"] == pytest.approx(220 * 0.453592, abs=0.01)
    assert value["pH"] == pytest.approx(7.31)
    assert (
        BENCH.variables[3].levels[int(value["Glascow coma scale eye opening"])] == "Spontaneously"
    )


def rows_added(path, *rows):
    """Write more rows at the end of a table."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "at", newline="") as file:
        csv.writer(file).writerows(rows)


def measured(case):
    """The measurements of a case as (hour, name, value or word)."""
    series = case.rows["series"]
    rows = zip(series.hours.tolist(), series.columns.tolist(), series.values.tolist(), strict=True)
    return [
        (hour, series.names[column], series.words.get(n, value))
        for n, (hour, column, value) in enumerate(rows)
    ]


def test_who_is_left_out_of_mimic4_is_named_with_the_reason(tmp_path):
    folder = mimic4(tmp_path / "iv")
    rows_added(folder / "core" / "patients.csv", (4, 18), (5, ""))
    day, later = "2150-01-01 00:00:00", "2150-01-04 00:00:00"
    rows_added(
        folder / "icu" / "icustays.csv",
        (4, 14, 104, "MICU", "MICU", day, later),
        (4, 15, 105, "MICU", "SICU", day, later),
        (4, 16, 106, "MICU", "MICU", day, later),
        (4, 16, 107, "MICU", "MICU", day, later),
        (4, 17, 108, "MICU", "MICU", day, ""),
        (5, 18, 109, "MICU", "MICU", day, later),
        (4, 19, 110, "MICU", "MICU", day, later),
    )
    chart = folder / "icu" / "chartevents.csv.gz"
    rows_added(chart, *((4, "", stay, day, 220045, 80, 80) for stay in (104, 105, 106, 107, 108)))
    subset = found(folder)
    assert sorted(by_name(subset)) == ["101", "102", "104"]
    assert {one.case: one.what for one in subset.skipped} == {
        "103": "the patient is no adult",
        "105": "it changes between units",
        "106": "its admission has several stays",
        "107": "its admission has several stays",
        "108": "the time of its admission or discharge is missing, or no date and time",
        "109": "the patient is no adult",
        "110": "it has no measurements",
    }


def test_only_what_was_measured_in_the_stay_counts_and_levels_are_words(tmp_path):
    folder = mimic4(tmp_path / "iv")
    chart, labs = folder / "icu" / "chartevents.csv.gz", folder / "hosp" / "labevents.csv"
    end = "2150-01-02 06:00:00"
    rows_added(
        chart,
        (2, 12, 102, end, 220045, "71", 71),
        (2, 12, 102, "2150-01-02 06:00:01", 220045, "72", 72),
        (2, 12, 102, "2150-01-01 00:00:00", 223951, " Abnormal >3 Seconds ", ""),
        (2, 12, 102, "2150-01-01 00:30:00", 224308, "Normal <3 Seconds", 9),
        (2, 12, 102, "2150-01-01 00:40:00", 226707, "70", 70),
        (2, 12, 102, "2150-01-01 00:50:00", 226730, "170", ""),
        (2, 12, 102, "2150-01-01 00:50:00", 1, "5", 5),
        (9, 19, 999, "2150-01-01 00:50:00", 220045, "5", 5),
    )
    rows_added(labs, (2, 12, 50931, "2150-01-01 01:00:00", 101), (2, 12, 50931, end, ""),
               (9, 19, 50931, "2150-01-01 01:00:00", 5), (2, 12, 1, end, 5))  # fmt: skip
    heights = pytest.approx(70 * 2.54, abs=1e-3)
    assert measured(by_name(found(folder))["102"]) == [
        (0.0, "Capillary refill rate", 1.0),
        (0.5, "Capillary refill rate", 0.0),
        (pytest.approx(2 / 3), "Height", heights),
        (1.0, "Glucose", 101.0),
        (5.0, "Heart Rate", 70.0),
        (30.0, "Heart Rate", 71.0),
    ]


@pytest.mark.parametrize(
    ("end", "hours", "mortality"),
    [("2150-01-03 00:00:00", "48", "1"), ("2150-01-02 23:59:00", "47.9833", None)],
)
def test_death_is_asked_of_stays_of_48_hours(end, hours, mortality, tmp_path):
    folder = mimic4(tmp_path / "iv")
    path = folder / "icu" / "icustays.csv"
    path.write_text(path.read_text().replace("2150-01-04 00:00:00", end, 1))
    cells = by_name(found(folder))["101"].cells
    assert (cells["hours"], cells.get("mortality")) == (hours, mortality)


def test_a_short_stay_may_have_a_film_of_any_time_and_a_film_lies_where_it_was_published(tmp_path):
    mimic4(tmp_path / "iv")
    folder = cxr(tmp_path / "films")
    published = folder / "files" / "p2" / "p2" / "s60" / "e.jpg"
    film(published)
    metadata = folder / "mimic-cxr-2.0.0-metadata.csv"
    # The clock lost its leading zeros: seven minutes and a half past midnight.
    rows_added(metadata, ("e", 2, 60, "AP", "21500102", "730.5"), ("f", 2, 61, "AP", "21500102",
               "50000"), ("g", 2, 62, "LATERAL", "21500102", "40000"))  # fmt: skip
    film(folder / "resized" / "g.jpg")
    case = by_name(found(tmp_path / "iv"))["102"]
    assert case.images["film"] == published
    assert float(case.cells["film_hour"]) == pytest.approx(24 + 7.5 / 60, abs=1e-2)


def test_the_last_film_of_a_stay_is_the_one_and_one_after_it_is_none(tmp_path):
    mimic4(tmp_path / "iv")
    folder = cxr(tmp_path / "films")
    rows = (("e", 2, 60, "AP", "21500102", "060000"), ("f", 2, 61, "AP", "21500102", "050000"),
            ("g", 2, 62, "AP", "21500102", "060001"))  # fmt: skip
    rows_added(folder / "mimic-cxr-2.0.0-metadata.csv", *rows)
    for name, *_ in rows:
        film(folder / "resized" / f"{name}.jpg")
    assert by_name(found(tmp_path / "iv"))["102"].images["film"].name == "e.jpg"


@pytest.mark.parametrize(
    ("date", "time", "says"),
    [
        ("21500102", "", 'column "StudyTime": "" is no number'),
        ("May", "060000", 'column "StudyDate": "May" is no number'),
        ("21500102", "256000", '"21500102, 256000" is no date and time'),
    ],
)
def test_a_film_of_which_no_time_can_be_read_is_named(date, time, says, tmp_path):
    mimic4(tmp_path / "iv")
    folder = cxr(tmp_path / "films")
    rows_added(folder / "mimic-cxr-2.0.0-metadata.csv", ("a", 2, 60, "AP", date, time))
    with pytest.raises(DataError, match=says) as caught:
        found(tmp_path / "iv")
    assert caught.value.file == "mimic-cxr-2.0.0-metadata.csv"


def test_a_weight_in_pounds_that_is_no_number_is_named(tmp_path):
    folder = mimic4(tmp_path / "iv")
    heavy = (1, 11, 101, "2150-01-01 03:00:00", 226531, "heavy", "heavy")
    rows_added(folder / "icu" / "chartevents.csv.gz", heavy)
    with pytest.raises(DataError, match='column "valuenum": "heavy" is no number'):
        found(folder)
