import zipfile

import pytest

from medview.domain.errors import DataError
from medview.io import xlsx
from medview.io.xlsx import read_sheet

NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def book(path, sheet, strings=""):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        if strings:
            archive.writestr("xl/sharedStrings.xml", f"<sst {NS}>{strings}</sst>")
    return path


def test_shared_inline_and_plain_cells_and_gaps(tmp_path):
    sheet = (
        f"<worksheet {NS}><sheetData>"
        '<row><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>Age</t></is></c></row>'
        '<row><c r="C2"><v>63</v></c></row><row/>'
        '<row><c r="A4" t="s"><v>1</v></c></row>'
        "</sheetData></worksheet>"
    )
    file = book(
        tmp_path / "a.xlsx", sheet, "<si><t> Name </t></si><si><r><t>P</t></r><r><t>_1</t></r></si>"
    )
    assert read_sheet(file) == (
        ["Name", "Age"],
        [{"Name": "", "Age": "63"}, {"Name": "P_1", "Age": ""}],
    )


def sheet_of(*cells):
    return f"<worksheet {NS}><sheetData><row>{''.join(cells)}</row></sheetData></worksheet>"


def test_a_book_without_shared_words_and_a_formula_without_a_value_are_read(tmp_path):
    cells = '<c r="A1"><v>7</v></c>', '<c r="B1"><f>A1</f></c>', '<c r="C1"><f>A1</f><v/></c>'
    assert read_sheet(book(tmp_path / "a.xlsx", sheet_of(*cells)))[0] == ["7", "", ""]


def test_a_word_that_is_not_there_is_refused(tmp_path):
    file = book(tmp_path / "a.xlsx", sheet_of('<c r="A1" t="s"><v>3</v></c>'), "<si><t>x</t></si>")
    with pytest.raises(DataError, match="Excel workbook"):
        read_sheet(file)


def test_a_part_is_unpacked_up_to_its_limit_only(tmp_path, monkeypatch):
    sheet = sheet_of('<c r="A1"><v>7</v></c>')
    file = book(tmp_path / "a.xlsx", sheet)
    monkeypatch.setattr(xlsx, "_LARGEST_PART", len(sheet))
    assert read_sheet(file) == (["7"], [])
    monkeypatch.setattr(xlsx, "_LARGEST_PART", len(sheet) - 1)
    with pytest.raises(DataError, match="Excel workbook"):
        read_sheet(file)


@pytest.mark.parametrize("sheet", ["not xml", f'<!DOCTYPE a [<!ENTITY b "c">]><worksheet {NS}/>'])
def test_other_content_is_refused(tmp_path, sheet):
    with pytest.raises(DataError, match="Excel workbook"):
        read_sheet(book(tmp_path / "a.xlsx", sheet))


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(DataError, match=r"a\.xlsx"):
        read_sheet(tmp_path / "a.xlsx")
