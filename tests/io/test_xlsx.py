import zipfile

import pytest

from medview.domain.errors import DataError
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


@pytest.mark.parametrize("sheet", ["not xml", f'<!DOCTYPE a [<!ENTITY b "c">]><worksheet {NS}/>'])
def test_other_content_is_refused(tmp_path, sheet):
    with pytest.raises(DataError, match="Excel workbook"):
        read_sheet(book(tmp_path / "a.xlsx", sheet))


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(DataError, match=r"a\.xlsx"):
        read_sheet(tmp_path / "a.xlsx")
