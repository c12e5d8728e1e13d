"""The first sheet of an Excel workbook (.xlsx) as text; no formulas, dates or styles."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from medview.domain.errors import DataError

_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LARGEST_PART = 64 << 20
"""Bytes of one part once unpacked; a table of films has a few hundred kilobytes."""


def read_sheet(file: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Header and rows of the first sheet, all cells as text; empty rows are left out.

    Raises
    ------
    DataError
        If it is no such workbook.
    """
    try:
        with zipfile.ZipFile(file) as book:
            strings = _strings(book)
            sheet = next(n for n in sorted(book.namelist()) if _is_sheet(n))
            lines = [_cells(row, strings) for row in _parsed(book, sheet).iter(f"{_NS}row")]
    except (OSError, zipfile.BadZipFile, ElementTree.ParseError, ValueError) as error:
        raise _no_workbook(file) from error
    except (StopIteration, KeyError, IndexError) as error:
        raise _no_workbook(file) from error
    lines = [line for line in lines if any(line.values())]
    names = {column: name.strip() for column, name in (lines[0] if lines else {}).items()}
    rows = [{name: line.get(column, "") for column, name in names.items()} for line in lines[1:]]
    return list(names.values()), rows


def _is_sheet(name: str) -> bool:
    return name.startswith("xl/worksheets/") and name.endswith(".xml")


def _parsed(book: zipfile.ZipFile, name: str) -> ElementTree.Element:
    if book.getinfo(name).file_size > _LARGEST_PART:
        raise ValueError(f"{name} is too large")
    text = book.read(name)
    if b"<!DOCTYPE" in text[:2048]:
        raise ValueError("document types are not read")
    return ElementTree.fromstring(text)


def _strings(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    items = _parsed(book, "xl/sharedStrings.xml").iter(f"{_NS}si")
    return ["".join(text.text or "" for text in item.iter(f"{_NS}t")) for item in items]


def _cells(row: ElementTree.Element, strings: list[str]) -> dict[str, str]:
    """Text by column letters."""
    found = {}
    for cell in row.iter(f"{_NS}c"):
        column = re.sub(r"\d", "", cell.get("r", ""))
        value = cell.find(f"{_NS}v")
        if cell.get("t") == "inlineStr":
            text = "".join(part.text or "" for part in cell.iter(f"{_NS}t"))
        elif value is None or value.text is None:
            text = ""
        elif cell.get("t") == "s":
            text = strings[int(value.text)]
        else:
            text = value.text
        found[column] = text.strip()
    return found


def _no_workbook(file: Path) -> DataError:
    return DataError(
        "cannot be read as an Excel workbook (.xlsx)",
        file=file.name,
        code="MV-DAT-153",
        do="Use the table as it was published.",
    )
