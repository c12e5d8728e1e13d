"""Cells of tables, whichever program wrote them."""

import csv
import gzip
import time

import pytest

from medview.domain.errors import DataError, ReadError
from medview.io import sources
from medview.io.tables import columns_of, read_table, table_size


def written(folder, text, encoding="utf-8-sig"):
    path = folder / "t.csv"
    path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    ("text", "rows", "commas"),
    [
        ("a,b\n1,2\n", [(2, ("1", "2"))], 0),
        ("a;b\n1,5;2\n", [(2, ("1.5", "2"))], 1),
        ("a\tb\n-1,5e3\tx, y\n", [(2, ("-1.5e3", "x, y"))], 1),
        ('a,b\n"1,5",2;3\n', [(2, ("1,5", "2;3"))], 0),
        ("a;b\n1,234,567;2,\n", [(2, ("1,234,567", "2,"))], 0),
        ("a,b\r\n1,2\r\n\r\n3,4", [(2, ("1", "2")), (4, ("3", "4"))], 0),
        ("a,b\r1,2\r", [(2, ("1", "2"))], 0),
        ("\n\n,,\n a , b \n\n1 , 2\n,\n", [(6, ("1", "2"))], 0),
        ('a, "b"\n"x\ny", "2 ""q"""\n3,4\n', [(2, ("x\ny", '2 "q"')), (3, ("3", "4"))], 0),
        ("a,b,,\n1,2,,\n3,4,\n", [(2, ("1", "2")), (3, ("3", "4"))], 0),
        ("sep=;\na;b\n1,5;2\n", [(2, ("1.5", "2"))], 1),
        ("a|b\n1,5|2\n", [(2, ("1.5", "2"))], 1),
        ('"a";b\n"1;5";2\n', [(2, ("1;5", "2"))], 0),
        ("a,b\n", [], 0),
    ],
)
def test_cells_are_the_same_whichever_program_wrote_them(tmp_path, text, rows, commas):
    path = written(tmp_path, text)
    table = read_table(path).with_points()
    assert (table.header, list(table.rows), table.commas) == (("a", "b"), rows, commas)
    assert columns_of(path)[:2] == ("a", "b")
    assert table_size(path) == (2, len(rows))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
def test_letters_are_read_in_the_encodings_of_spreadsheets(tmp_path, encoding):
    path = written(tmp_path, "Größe;Straße\r\nMüller;Ä\r\n", encoding)
    assert read_table(path).by_name() == [{"Größe": "Müller", "Straße": "Ä"}]
    assert columns_of(path) == ("Größe", "Straße")


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ('"age\nin years";sex;case\n1;F;a\n', ("age\nin years", "sex", "case")),
        ('"a, ""b"",\nc";d\n1;2\n', ('a, "b",\nc', "d")),
        ('"a; b;\nc",d\n1,2\n', ("a; b;\nc", "d")),
        ('"case"\na\n', ("case",)),
        ('width 5";b;c\n"1,2,3,4";2;3\n', ('width 5"', "b", "c")),
    ],
)
def test_a_name_of_a_column_may_have_lines_and_quotes(tmp_path, text, header):
    path = written(tmp_path, text)
    assert read_table(path).header == columns_of(path) == header


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_the_columns_of_a_long_table_are_read_in_every_encoding(tmp_path, encoding):
    path = written(tmp_path, "\ufeffa,b\n" + "ü,2\n" * 2**14, encoding)
    assert columns_of(path) == ("a", "b")


def test_a_packed_table_is_read_as_far_as_it_is_whole(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert read_table(path).by_name() == [{"a": "1", "b": "2"}]
    path.write_bytes(path.read_bytes()[:-4])
    assert columns_of(path) == ("a", "b")
    with pytest.raises(DataError, match=r"t\.csv\.gz: ends early"):
        read_table(path)


def test_a_packed_table_that_grows_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "ALWAYS_UNPACKED", 2**16)
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 2**19))
    with pytest.raises(DataError, match="unpacks to far more than a table"):
        read_table(path)


def test_a_known_column_is_found_whatever_its_capitals(tmp_path):
    path = written(tmp_path, "CASE,Age_Years,Other\na,5,x\n")
    assert read_table(path, known=("case", "age_years")).header == ("case", "age_years", "Other")
    with pytest.raises(DataError, match='the column "case" is given twice'):
        read_table(written(tmp_path, "CASE,case\na,5\n"), known=("case",))


LONG = "x" * 131_073
TOO_LONG = "has 131\u202f073 characters; a cell may have 131\u202f072"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"a,b\n1,2\n3,{LONG}\n", f"row 3, column 2 {TOO_LONG}"),
        (f'a;b\n"1\n2";2\n"{LONG}";4\n5;6\n', f"row 3, column 1 {TOO_LONG}"),
        (f"a,{LONG}\n1,2\n", f"row 1, column 2 {TOO_LONG}"),
        (f'a,b\n1,"{LONG}\n5,6\n', "the quotes of row 2 do not match"),
    ],
)
def test_of_a_cell_that_is_too_long_row_and_column_are_said(tmp_path, text, said):
    usual = csv.field_size_limit()
    with pytest.raises(DataError, match=said) as caught:
        read_table(written(tmp_path, text))
    assert "quotes" in caught.value.do
    assert csv.field_size_limit() == usual
    assert read_table(written(tmp_path, f"a,b\n1,{LONG[1:]}\n")).rows[0][1][1] == LONG[1:]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'a,b\n1,2\n3,"4\n5,6\n', "the quotes of row 3 do not match"),
        (b'a,b\n"1"x,2\n', "the quotes of row 2 do not match"),
        (b"a,b\n1,\x00\n", "row 2, column 2 holds what is no text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00,", "row 2, column 1 holds what is no text"),
        (b"\xff\xfe\x00", "this is not a table as CSV in UTF-8"),
        (b"a,b\n1\n", "row 2 has 1 cell, the header 2"),
        (b"a,b\n1,2,x y\n", 'row 2 has 3 cells, the header 2: "x y" stands in no column'),
        (b"a,b,a\n", 'the column "a" is given twice'),
    ],
)
def test_what_cannot_be_read_is_told_by_row_and_column(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        read_table(written(tmp_path, text))


def test_uneven_rows_are_filled_and_cut_where_that_is_wanted(tmp_path):
    table = read_table(written(tmp_path, "a,b\n1\n1,2,3\n"), uneven=True)
    assert [cells for _, cells in table.rows] == [("1", ""), ("1", "2")]


def test_what_is_no_table_has_no_size_and_no_columns(tmp_path):
    path = written(tmp_path, b'a,"b\n')
    with pytest.raises(ReadError, match="the quotes of row 1 do not match"):
        table_size(path)
    with pytest.raises(ReadError, match=r'the column "b" is given twice\. Rename'):
        table_size(written(tmp_path, "a,b,b\n"))
    assert columns_of(tmp_path / "gone.csv") == ()
    assert columns_of(written(tmp_path, "")) == ()
    assert table_size(written(tmp_path, "")) == (0, 0)


def test_a_table_of_very_many_columns_is_read_in_a_moment(tmp_path):
    """As many as the connections of 300 regions; comparing each with each took half a minute."""
    names = ",".join(f"c{n}" for n in range(45_000))
    began = time.perf_counter()
    assert len(read_table(written(tmp_path, names + "\n")).header) == 45_000
    assert time.perf_counter() - began < 5
