"""The outline of a DICOM file: where each element lies, with every length checked first.

Parsing libraries read what a header claims before anyone can ask whether the file can hold
it. Here only offsets are noted, without recursion and without reading a value: nesting is
bounded, no length can reach beyond the file, and a deflated data set is unpacked no further
than the walk gets. Values are converted when asked for (``dicom_values.Header``).
"""

from __future__ import annotations

import sys
import zlib
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from medview.domain.errors import ReadError
from medview.io.codes import Code
from medview.io.dicom_walk import (
    ITEM,
    UNDEFINED,
    Broken,
    PixelPlace,
    Place,
    Short,
    Walk,
    is_vr,
    reader_for,
)
from medview.io.sources import open_binary, read_from, size_of

FIRST_READ = 16 * 1024
MAX_HEADER = 512 * 1024 * 1024
IMPLICIT = "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"

_TRANSFER_SYNTAX = 0x00020010


@dataclass(frozen=True, slots=True)
class Outline:
    """Top-level elements of a file up to its pixels.

    Offsets count in `data`: the beginning of the file, or of the inflated data set. `total`
    is the size of the file, None when it is deflated; `begin` is where the data set begins in
    the file. `cut` says that the header itself ends early; `preamble` is how the file begins.
    """

    data: bytes
    places: dict[int, Place]
    syntax: str
    explicit: bool
    little: bool
    pixels: PixelPlace | None
    total: int | None
    begin: int
    cut: bool
    preamble: bytes = b""


class _FilePrefix:
    """The first bytes of a file, read on as far as the walk asks."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.file, self.path, self.end = file, path, size_of(path)
        self.data = read_from(file, path, 0, FIRST_READ)

    def grow(self, need: int) -> bool:
        have = len(self.data)
        if have >= self.end:
            return False
        _check_header_size(need)
        aim = min(max(need + FIRST_READ, 4 * have), self.end)
        more = read_from(self.file, self.path, have, aim - have)
        self.data += more
        return bool(more)

    def rest(self, offset: int) -> bytes:
        return read_from(self.file, self.path, offset, max(0, self.end - offset))


class _InflatedPrefix:
    """The first bytes of a deflated data set, unpacked as far as the walk asks."""

    end = sys.maxsize

    def __init__(self, packed: bytes) -> None:
        self.engine = zlib.decompressobj(-zlib.MAX_WBITS)
        self.packed = packed
        self.data = b""
        self.grow(0)

    def grow(self, need: int) -> bool:
        _check_header_size(need)
        room = max(need + FIRST_READ, 4 * len(self.data)) - len(self.data)
        try:
            more = self.engine.decompress(self.packed, room)
        except zlib.error:
            return False
        self.packed = self.engine.unconsumed_tail
        self.data += more
        return bool(more)


def _check_header_size(need: int) -> None:
    if need > MAX_HEADER:
        raise Broken(Code.LENGTH_LIES, f"its header claims {need / 2**20:.0f} MB")


def read_outline(path: Path) -> Outline | None:
    """Note where the elements of a DICOM file lie; None when it is no DICOM file.

    Pixels are not read.

    Raises
    ------
    ReadError
        Nested deeper than 64 levels, or an element that claims more than the file has.
    """
    mark = _mark(path)
    kept = _kept.get(path)
    if kept is not None and mark is not None and kept[0] == mark:
        return kept[1]
    found = _read(path)
    if found is not None and mark is not None:
        _keep(path, mark, found)
    return found


# Headers that were read when a folder was listed serve again when a series is loaded.
_kept: OrderedDict[Path, tuple[tuple[int, ...], Outline]] = OrderedDict()
KEPT = 4096


def _mark(path: Path) -> tuple[int, ...] | None:
    """What tells a file from a later one under its name; None for a member of an archive."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _keep(path: Path, mark: tuple[int, ...], found: Outline) -> None:
    """Keep a short outline without what was read beyond its header; the oldest ones go."""
    if found.pixels is None or found.pixels.offset > FIRST_READ or found.total is None:
        return
    header_only = replace(found, data=found.data[: found.pixels.offset])
    _kept[path] = mark, header_only
    while len(_kept) > KEPT:
        _kept.popitem(last=False)


def _read(path: Path) -> Outline | None:
    with open_binary(path) as file:
        prefix = _FilePrefix(file, path)
        start = _first_element(prefix.data)
        if start is None:
            return None
        try:
            return _outline(prefix, start)
        except Broken as broken:
            raise ReadError(
                broken.what,
                code=broken.code,
                file=path.name,
                do="Copy or export the file again.",
            ) from broken


def _first_element(data: bytes) -> int | None:
    """Offset of the first element; old files have no preamble before it."""
    if data[128:132] == b"DICM":
        return 132
    if data[:2] in (b"\x02\x00", b"\x08\x00") and data[3:4] == b"\x00" and len(data) >= 16:
        length = data[6:8] if is_vr(data[4:6]) else data[4:8]
        return 0 if int.from_bytes(length, "little") <= 1024 else None
    if data[:3] in (b"\x00\x02\x00", b"\x00\x08\x00") and is_vr(data[4:6]):
        return 0
    return None


def _outline(prefix: _FilePrefix, start: int) -> Outline:
    meta = Walk(start, explicit=True, little=True, meta=True)
    _finish(meta, prefix)
    _, at, length = meta.places.get(_TRANSFER_SYNTAX, ("", 0, 0))
    syntax = prefix.data[at : at + length].decode("latin-1").strip("\0 ")
    source = _InflatedPrefix(prefix.rest(meta.at)) if syntax == DEFLATED else prefix
    begin = 0 if syntax == DEFLATED else meta.at
    head = source.data[begin : begin + 6]
    little = syntax != BIG_ENDIAN and (bool(syntax) or head[:2] != b"\x00\x08")
    walk = Walk(begin, explicit=is_vr(head[4:6]), little=little)
    cut = _finish(walk, source)
    return Outline(
        data=source.data,
        places=walk.places,
        syntax=syntax or _guessed_syntax(walk),
        explicit=walk.explicit,
        little=little,
        pixels=walk.pixels,
        total=prefix.end if source is prefix else None,
        begin=meta.at,
        cut=cut,
        preamble=prefix.data[:16],
    )


def _guessed_syntax(walk: Walk) -> str:
    if not walk.explicit:
        return IMPLICIT
    return "1.2.840.10008.1.2.1" if walk.little else BIG_ENDIAN


def _finish(walk: Walk, source: _FilePrefix | _InflatedPrefix) -> bool:
    """Walk to the end, reading on when needed; True when the bytes ran out within a header."""
    while True:
        try:
            walk.run(source.data, source.end)
        except Short as short:
            if not source.grow(short.need):
                return True
        else:
            return False


def items_of(outline: Outline, place: Place) -> list[dict[int, Place]]:
    """Note where the elements of each item of a sequence lie.

    Damaged items end the list; what was found before them is given.
    """
    read = reader_for(outline.little)
    vr, at, length = place
    explicit = outline.explicit and vr != "UN"
    end = at + length
    items = []
    try:
        while at + 8 <= end:
            tag, _, at, size = read(outline.data, at, explicit)
            if tag != ITEM:
                break
            stop = end if size == UNDEFINED else min(end, at + size)
            walk = Walk(at, explicit=explicit, little=outline.little)
            walk.run(outline.data, stop)
            items.append(walk.places)
            at = walk.at + 8 if size == UNDEFINED else stop
    except (Short, Broken):
        pass
    return items
