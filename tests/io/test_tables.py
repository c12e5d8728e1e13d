"""Cells of tables, whichever program wrote them."""

import csv

import pytest

from medview.domain.errors import ReadError
from medview.io.tables import table_lines, table_size


@pytest.mark.parametrize(
    ("text", "lines", "commas"),
    [
        ("a,b\n1,2\n", [["a", "b"], ["1", "2"]], 0),
        ("a;b\n1,5;2\n", [["a", "b"], ["1.5", "2"]], 1),
        ("a\tb\n-1,5e3\tx, y\n", [["a", "b"], ["-1.5e3", "x, y"]], 1),
        ('a,b\n"1,5",2;3\n', [["a", "b"], ["1,5", "2;3"]], 0),
        ("a;b\n1,234,567;2,\n", [["a", "b"], ["1,234,567", "2,"]], 0),
        ("", [], 0),
    ],
)
def test_cells_stand_between_commas_semicolons_or_tabs(tmp_path, text, lines, commas):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8-sig")
    assert table_lines(path) == (lines, commas)
    assert table_lines(path, head=True)[0] == (lines[:1] or [[]])
    assert table_size(path) == ((2, 1) if lines else (0, 0))


@pytest.mark.parametrize("raw", ["a,b\n".encode("utf-16"), b'a,"b\n'])
def test_what_is_no_table_is_told(tmp_path, raw):
    path = tmp_path / "t.csv"
    path.write_bytes(raw)
    with pytest.raises((UnicodeDecodeError, csv.Error)):
        table_lines(path)
    with pytest.raises(ReadError, match="cannot be read as a table"):
        table_size(path)
