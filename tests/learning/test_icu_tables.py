"""Tables of ICU sets: packed or not, columns by name, and refused with the reason."""

import gzip
import math

import pytest

from medview.domain.errors import DataError
from medview.learning.icu_tables import (
    clock_of,
    hours_between,
    need_table,
    number_of,
    pairs_of,
    refuse_twice,
    rows_of,
    table_at,
)

TABLE = 'stay, hour,value\n1,0,36.5\n\n2,5,"37,0"\n1,9,38.1\n'
PACKED = gzip.compress(b"stay,hour\n" + b"1,2\n" * 9999, mtime=0)


@pytest.fixture(params=["stays.csv", "stays.csv.gz"])
def table(request, tmp_path):
    path = tmp_path / request.param
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8-sig") as file:
        file.write(TABLE)
    return path


def test_columns_are_found_by_name_in_the_order_asked_for(table):
    assert list(rows_of(table, ("value", "stay"))) == [
        *(("36.5", "1"), ("37,0", "2"), ("38.1", "1")),
    ]
    assert pairs_of(table, "stay", "hour") == {"1": "9", "2": "5"}


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("head", ["", "sep={}\n"])
def test_whatever_stands_between_cells_is_found(mark, encoding, head, tmp_path):
    text = head.format(mark) + f"stay{mark}hour\n1{mark}0\n2{mark}5\n"
    (tmp_path / "a.csv").write_text(text, encoding=encoding)
    assert list(rows_of(tmp_path / "a.csv", ("hour", "stay"))) == [("0", "1"), ("5", "2")]


def test_decimals_have_a_comma_only_where_none_parts_the_cells(tmp_path):
    (tmp_path / "a.csv").write_text("stay;value;word\n1;36,5;a,b\n")
    assert list(rows_of(tmp_path / "a.csv", ("value", "word"))) == [("36.5", "a,b")]


def test_a_column_that_may_be_absent_is_empty_in_its_own_place(table):
    rows = list(rows_of(table, ("stay",), ("weight", "value")))
    assert rows[0] == ("1", "", "36.5")


def test_the_first_name_that_is_there_is_taken_packed_or_not(table, tmp_path):
    assert table_at(tmp_path, "admissions", "stays") == table
    assert need_table(tmp_path, "stays") == table
    assert table_at(tmp_path, "admissions") is None
    with pytest.raises(DataError, match="the table admissions or icustays is missing"):
        need_table(tmp_path, "admissions", "icustays")


def test_a_missing_column_is_named(table):
    with pytest.raises(DataError, match='the column "weight" is missing') as caught:
        list(rows_of(table, ("stay", "weight")))
    assert caught.value.file == table.name


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv.gz", b"no gzip at all", "table: it is damaged, or not packed"),
        ("a.csv.gz", PACKED[:-40], "table: it ends early"),
        ("a.csv.gz", PACKED[:12] + b"\xff" * 20 + PACKED[32:], "table: it is damaged"),
        ("a.csv", b"stay,hour\n1,2\n\n1\n", "line 4 has fewer cells than"),
        ("a.csv", b"stay,hour\n\xff\xfe,1\n", "it is no text in UTF-8"),
        (
            "a.csv",
            b"stay,hour\n1,2\n1," + b"9" * 140_000,
            r"line 3 has a cell of more than 131.072",
        ),
        ("a.csv", b'stay,hour\n1,"2\n' + b"1,2\n" * 40_000, r"line 2 has a cell of more .* quotes"),
        ("gone.csv", None, "cannot be read as a table"),
    ],
    ids=["unpacked", "cut short", "damaged", "few fields", "no text", "long", "quote", "not there"],
)
def test_what_is_no_table_is_refused_by_its_name_with_the_reason(tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=says) as caught:
        list(rows_of(tmp_path / name, ("stay", "hour")))
    assert (caught.value.file, bool(caught.value.do)) == (name, True)


def test_a_stay_that_is_given_twice_is_named(tmp_path):
    refuse_twice(tmp_path / "a.csv", ["1", "2", "3"])
    with pytest.raises(DataError, match='the stay "2" is given twice'):
        refuse_twice(tmp_path / "a.csv", ["1", "2", "3", "2"])


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2150-01-01 00:00:00", "2150-01-02 06:30:00", 30.5),
        ("2150-01-02 00:00:00", "2150-01-01 12:00:00", -12.0),
        ("2150-02-28", "2150-03-01", 24.0),
    ],
)
def test_hours_lie_between_two_times(start, end, hours):
    assert hours_between(start, end) == hours


@pytest.mark.parametrize("times", [("", "2150-01-01"), ("2150-01-01", "noon"), ("", "")])
def test_where_a_time_is_not_known_neither_are_the_hours(times):
    assert math.isnan(hours_between(*times))


@pytest.mark.parametrize("cell", ["", "old", "nan", "inf"])
def test_a_cell_that_must_be_a_number_is_named(cell, tmp_path):
    assert number_of(tmp_path / "a.csv", "age", " 70.5 ") == 70.5
    with pytest.raises(DataError, match=f'column "age": "{cell}" is no number') as caught:
        number_of(tmp_path / "a.csv", "age", cell)
    assert (caught.value.file, bool(caught.value.do)) == ("a.csv", True)


def test_a_clock_counts_on_beyond_a_day(tmp_path):
    assert clock_of(tmp_path / "a.csv", "Time", "47:45") == 47.75
