"""Tables that users give: one reader for CSV, whichever program wrote it.

Commas, semicolons, tabs or bars between the cells, UTF-8, UTF-16 or the old Western encoding, any
end of line, decimals after a point or, where cells are not parted by commas, after a comma.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medview.domain import wording
from medview.domain.errors import DataError, ReadError
from medview.io import sources
from medview.io.gzipped import Unpacked, unpack
from medview.io.sources import open_binary, read_from, size_of

if TYPE_CHECKING:
    import _csv

CODE = "MV-DAT-100"
_MARKS = ",;\t|"
# Spreadsheets say in a first line of its own what stands between the cells.
_SAID = re.compile(r'"?sep=([,;\t|])"?[\r\n]+', re.IGNORECASE)
# A quoted cell, which may have lines and quotes in it; a quote amid a word begins none.
_QUOTED = re.compile(r'(?<![^\s,;|])"(?:[^"]|"")*"')
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+([eE][-+]?\d+)?\s*")
# Stands in no text: bytes of another kind of file, or of an encoding that is not known.
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x80-\x9f]")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEAD = 2**16
# A table larger than this is no list that somebody has written.
_MOST_BYTES = 2**31
_NO_TABLE = "this is not a table as CSV in UTF-8"
_AS_CSV = "Save it as CSV UTF-8."
_ENDS = {
    "cut": "ends early",
    "more": "unpacks to far more than a table that somebody has written",
    "damaged": "is damaged: what it holds does not fit its checksum",
}

Line = tuple[int, tuple[str, ...]]
"""Number of a row in its file (the header is 1), and its cells."""


@dataclass(frozen=True, slots=True)
class Table:
    """A header and rows of text without spaces around it; rows without a word are left out.

    `mark` stands between the cells of the file; `commas` says how many decimal commas became
    points, see `with_points`.
    """

    header: tuple[str, ...]
    rows: tuple[Line, ...]
    mark: str = ","
    commas: int = 0

    def by_name(self) -> list[dict[str, str]]:
        """Each row as its cells by column."""
        return [dict(zip(self.header, cells, strict=True)) for _, cells in self.rows]

    def number(self, text: str) -> str:
        """A number with a point before its decimals, also where the file has a comma there.

        Where commas part the cells, one within a cell may as well part thousands: it stays.
        """
        return text if self.mark == "," else with_point(text)

    def with_points(self) -> Table:
        """The same with a point before all decimals, and how many were changed."""
        rows = tuple((n, tuple(map(self.number, cells))) for n, cells in self.rows)
        changed = (
            sum(a != b for a, b in zip(old, new, strict=True))
            for (_, old), (_, new) in zip(self.rows, rows, strict=True)
        )
        return replace(self, rows=rows, commas=sum(changed))


def with_point(text: str) -> str:
    """A number with a point in the place of its decimal comma; other text as it is."""
    return text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text


def read_table(path: Path, *, known: Iterable[str] = (), uneven: bool = False) -> Table:
    """Read a CSV, packed (.gz) or not; its first line with a word names the columns.

    A column called as one of the `known`, but for capitals, gets that name. With `uneven` a
    short row is filled up with empty cells and a long one is cut.

    Raises
    ------
    DataError
        If it cannot be read as a table, a column is given twice, or a row has another number of
        cells than the header: row and column are said.
    """
    mark, lines = _lines(path)
    first = next((n for n, line in enumerate(lines) if any(map(str.strip, line))), len(lines))
    header = _header(path, lines[first] if first < len(lines) else (), known)
    rows = []
    for number, line in enumerate(lines[first + 1 :], start=first + 2):
        cells = tuple(map(str.strip, line))
        if any(cells):
            rows.append((number, _fitted(path, number, cells, header, uneven=uneven)))
    return Table(header, tuple(rows), mark)


def columns_of(path: Path) -> tuple[str, ...]:
    """The names in the first line of a CSV, as they stand there; none where it is no table."""
    try:
        raw, _ = _bytes(path, _HEAD)
        if len(raw) == _HEAD:  # not a part of a sign at the end
            end = b"\0\n" if raw.startswith(codecs.BOM_UTF16_BE) else b"\n"
            raw = raw.rpartition(end)[0] or raw
        mark, text = _mark_of(_text(path, raw))
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True)
        first = next((line for line in lines if any(map(str.strip, line))), [])
    except (ReadError, DataError, csv.Error):
        return ()
    return tuple(map(str.strip, first))


def written_as(path: Path) -> tuple[str, str, int]:
    """How to read a large table line by line: mark between cells, encoding, lines before its names.

    Told by its beginning alone; what cannot be read passes for commas in UTF-8.
    """
    try:
        raw, _ = _bytes(path, _HEAD)
        encoding = "utf-16" if raw.startswith(_UTF16) else "utf-8-sig"
        text = raw.decode(encoding, errors="ignore")
    except (ReadError, DataError):
        return ",", "utf-8-sig", 0
    return _mark_of(text)[0], encoding, int(_SAID.match(text) is not None)


def table_size(path: Path) -> tuple[int, int]:
    """Columns and rows of a CSV (without its header) or of a vector or matrix as .npy.

    Raises
    ------
    ReadError
        If it is neither, with the reason.
    """
    try:
        if path.suffix.lower() == ".npy":
            shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
            columns, rows = (int(shape[-1]) if shape else 1), int(np.prod(shape[:-1], dtype=int))
            return columns, rows
        table = read_table(path, uneven=True)
        return len(table.header), len(table.rows)
    except DataError as error:
        raise ReadError(error.what, file=path.name, do=error.do, code="MV-IO-310") from error
    except (OSError, ValueError, EOFError) as error:
        raise ReadError(
            "cannot be read as a table",
            file=path.name,
            do="Give a CSV in UTF-8 or an array as .npy.",
            code="MV-IO-310",
        ) from error


def _lines(path: Path) -> tuple[str, list[list[str]]]:
    """What stands between the cells, and the cells of every line."""
    try:
        raw, end = _bytes(path, _MOST_BYTES)
    except ReadError as error:
        raise _odd(path, error.what, error.do) from error
    if end != "whole":
        raise _odd(path, _ENDS[end], "Copy it again.")
    mark, text = _mark_of(_text(path, raw))
    odd = _NO_TEXT.search(text)
    table = _cells(text, mark)
    lines: list[list[str]] = []
    start = 0
    try:
        for line in table:
            if odd:
                _refuse_no_text(path, line, len(lines) + 1)
            lines.append(line)
            start = table.line_num
    except csv.Error as error:
        raise _unread(path, text, mark, start, len(lines) + 1) from error
    return mark, lines


def _cells(text: str, mark: str, start: int = 0) -> _csv.Reader:
    """Row after row from a line of the text on (the first is 0)."""
    lines = io.StringIO(text, newline="")
    for _ in range(start):
        next(lines)
    return csv.reader(lines, delimiter=mark, skipinitialspace=True, strict=True)


def _unread(path: Path, text: str, mark: str, start: int, row: int) -> DataError:
    """Why the row that begins with the line `start` cannot be read."""
    usual = csv.field_size_limit(len(text) + 1)
    try:
        cells = next(_cells(text, mark, start))
    except csv.Error:
        what = f"{_NO_TABLE}: the quotes of row {row} do not match"
        return _odd(path, what, "Check the quotes of that row.")
    finally:
        csv.field_size_limit(usual)
    column, cell = next((n, one) for n, one in enumerate(cells, 1) if len(one) > usual)
    size, most = wording.number(len(cell)), wording.number(usual)
    what = f"row {row}, column {column} has {size} characters; a cell may have {most}"
    return _odd(path, what, "Shorten that cell, or check the quotes round it.")


def _bytes(path: Path, most: int) -> Unpacked:
    with open_binary(path) as file:
        if path.suffix.lower() == ".gz":
            try:
                bound = max(sources.ALWAYS_UNPACKED, sources.MOST_GROWTH * size_of(path))
                return unpack(file, min(most, bound))
            except OSError as error:
                raise _odd(path, "cannot be read", "Copy it again.") from error
        return Unpacked(read_from(file, path, 0, most), "whole")


def _text(path: Path, raw: bytes) -> str:
    try:
        if raw.startswith(_UTF16):
            return raw.decode("utf-16")
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if raw.startswith(_UTF16):
            raise _odd(path, _NO_TABLE, _AS_CSV) from error
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _mark_of(text: str) -> tuple[str, str]:
    """What stands between the cells, and the text without a line that says so.

    It is what the first line with a word has most of, quoted words apart.
    """
    said = _SAID.match(text)
    if said:
        return said[1], text[said.end() :]
    head = _QUOTED.sub("x", text[:_HEAD])
    first = next((line for line in head.splitlines() if line.strip()), "")
    return max(_MARKS, key=first.count), text


def _refuse_no_text(path: Path, line: Sequence[str], row: int) -> None:
    for column, cell in enumerate(line, start=1):
        if _NO_TEXT.search(cell):
            what = f"{_NO_TABLE}: row {row}, column {column} holds what is no text"
            raise _odd(path, what, _AS_CSV)


def _header(path: Path, names: Sequence[str], known: Iterable[str]) -> tuple[str, ...]:
    called = {name.lower(): name for name in known}
    header = tuple(called.get(name.strip().lower(), name.strip()) for name in names)
    told = Counter(header)  # a table of connections has tens of thousands of columns
    twice = next((name for name in header if name and told[name] > 1), None)
    if twice is not None:
        raise _odd(path, f'the column "{twice}" is given twice', "Rename one of them.")
    while header and not header[-1]:
        header = header[:-1]
    return header


def _fitted(
    path: Path, number: int, cells: tuple[str, ...], header: tuple[str, ...], *, uneven: bool
) -> tuple[str, ...]:
    """As many cells as the header has; empty ones behind its last column say nothing."""
    beyond = any(cells[len(header) :])
    if not uneven and (beyond or len(cells) < len(header)):
        what = f"row {number} has {wording.counted(len(cells), 'cell')}, the header {len(header)}"
        if beyond:
            what += f': "{next(filter(None, cells[len(header) :]))[:40]}" stands in no column'
        raise _odd(path, what, "Check what stands between the cells of that row, and its quotes.")
    return (*cells[: len(header)], *[""] * (len(header) - len(cells)))


def _odd(path: Path, what: str, do: str) -> DataError:
    return DataError(what, file=path.name, code=CODE, do=do)
