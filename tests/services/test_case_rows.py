"""Tables of many cases, cut down to one."""

import pytest

from medview.services.batch_cases import Case
from medview.services.case_rows import own_rows
from medview.services.inputs import Wanted


def test_of_a_table_of_many_a_case_gets_its_own_row(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("case,x\na,1\nb,2\n")
    case = Case("b", Wanted(named=(("smri", table),)), row="b")
    with own_rows(case, tmp_path / "out" / "b") as wanted:
        ((role, file),) = wanted.named
        assert (role, file.read_text().split()) == ("smri", ["case,x", "b,2"])
    assert not file.exists()
    assert not list((tmp_path / "out").iterdir())


def test_a_table_of_a_spreadsheet_is_cut_as_well(tmp_path):
    table = tmp_path / "table.csv"
    table.write_bytes("Case;x\r\nb;2\r\nMüller ;1,5\r\n".encode("latin-1"))
    case = Case("m", Wanted(named=(("smri", table),)), row="Müller")
    with own_rows(case, tmp_path / "out" / "m") as wanted:
        assert wanted.named[0][1].read_text("utf-8").split() == ["case,x", "Müller,1.5"]


def test_a_table_that_is_no_text_is_left_to_the_run_which_tells_of_it(tmp_path):
    table = tmp_path / "table.csv"
    table.write_bytes(b"case,x\nb,2\nc,\x00\n")
    case = Case("c", Wanted(named=(("smri", table),)), row="c")
    with own_rows(case, tmp_path / "out" / "c") as wanted:
        assert wanted.named == (("smri", table),)


@pytest.mark.parametrize(
    ("words", "row"),
    [("name,x\nb,2\n", "b"), ("case,x\na,1\n", "b"), ("case,x\nb,2\n", ""), ("", "b")],
)
def test_a_table_without_that_row_is_given_as_it_is(tmp_path, words, row):
    table = tmp_path / "table.csv"
    table.write_text(words)
    with own_rows(Case("b", Wanted(named=(("smri", table),)), row=row), tmp_path / "o") as wanted:
        assert wanted.named == (("smri", table),)
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
