"""Siemens mosaics: all slices of a volume as tiles of one picture.

The position in the file is that of the whole picture as if it were one large slice about the
same centre; the slices follow each other along the normal that the private header names.
"""

from __future__ import annotations

import math
import re
import struct
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import ReadError
from medview.io.codes import Code
from medview.io.dicom_form import Pixels
from medview.io.dicom_pixels import PixelFile
from medview.io.dicom_values import Header

MAX_TILES = 4096
_CREATOR = b"SIEMENS CSA HEADER"
# Axes of the scanner's protocol, in the order of LPS.
_AXES = (b"Sag", b"Cor", b"Tra")
_POSITION = re.compile(
    rb"sSliceArray\.asSlice\[(\d{1,4})\]\.sPosition\.d(Sag|Cor|Tra)\s*=\s*(-?\d+\.?\d*)"
)


@dataclass(frozen=True, slots=True, eq=False)
class Mosaic:
    """How a picture is cut into slices: `tiles` of them, `across` in a row."""

    tiles: int
    across: int
    rows: int
    columns: int
    first: NDArray[np.float64]
    step: NDArray[np.float64]


def is_mosaic(header: Header) -> bool:
    """Say whether a file is a mosaic."""
    return "MOSAIC" in header.words("ImageType")


def mosaic_of(path: Path, header: Header) -> Mosaic:
    """Read how a mosaic is to be taken apart.

    Raises
    ------
    ReadError
        If its private header, its spacing or its place is missing or makes no sense.
    """
    mosaic = _by_image_header(header) or _by_protocol(header)
    if mosaic is None:
        raise ReadError(
            "is a mosaic of slices without the private header that tells where they lie",
            code=Code.MOSAIC,
            file=path.name,
            do="Export the series as single slices or as an enhanced image.",
        )
    return mosaic


def _by_image_header(header: Header) -> Mosaic | None:
    """Take number and normal of the slices from the CSA image header."""
    csa = _private_header(header)
    count, normal = csa.get("NumberOfImagesInMosaic", ()), csa.get("SliceNormalVector", ())
    between = header.number("SpacingBetweenSlices")
    if not count or len(normal) != 3 or not between:
        return None
    return _cut(header, int(count[0]), np.array(normal) * between)


def _by_protocol(header: Header) -> Mosaic | None:
    """Take them from the positions in the protocol, a text within the CSA series header.

    The tiles begin at that end of the list at which the first of them lies.
    """
    positions = _protocol_positions(header)
    if len(positions) < 2:
        return None
    step = (positions[-1] - positions[0]) / (len(positions) - 1)
    forward, backward = (_cut(header, len(positions), sign * step) for sign in (1, -1))
    if forward is None or backward is None:
        return None
    half = np.array([forward.columns / 2, forward.rows / 2])
    spacing = header.numbers("PixelSpacing")
    directions = np.array(header.numbers("ImageOrientationPatient")).reshape(2, 3)
    centre = forward.first + half * spacing[::-1] @ directions
    near = np.linalg.norm(step) / 2 + max(spacing)
    for end, mosaic in ((positions[0], forward), (positions[-1], backward)):
        if np.linalg.norm(centre - end) < near:
            return mosaic
    return None


def _protocol_positions(header: Header) -> NDArray[np.float64]:
    """Centres of the slices, LPS mm, as the protocol lists them; (n, 3)."""
    raw = b"".join(header.raw(tag) for tag in header.places if tag >> 16 == 0x0029)
    found: dict[int, dict[bytes, float]] = {}
    for index, axis, value in _POSITION.findall(raw):
        if int(index) < MAX_TILES:
            found.setdefault(int(index), {})[axis] = float(value)
    # What is zero is not written.
    rows = [[found[n].get(axis, 0.0) for axis in _AXES] for n in sorted(found)]
    return np.array(rows).reshape(-1, 3)


def _cut(header: Header, tiles: int, step: NDArray[np.float64]) -> Mosaic | None:
    """Cut the picture into a square of tiles and place the first; None when it cannot be."""
    spacing, position = header.numbers("PixelSpacing"), header.numbers("ImagePositionPatient")
    directions = header.numbers("ImageOrientationPatient")
    big_rows, big_columns = header.whole("Rows") or 0, header.whole("Columns") or 0
    across = math.isqrt(max(0, tiles - 1)) + 1
    complete = (len(spacing), len(position), len(directions)) == (2, 3, 6)
    if not (0 < tiles <= MAX_TILES and complete) or big_rows % across or big_columns % across:
        return None
    rows, columns = big_rows // across, big_columns // across
    along_row, along_column = np.array(directions).reshape(2, 3)
    first = (
        np.array(position)
        + along_row * spacing[1] * (big_columns - columns) / 2
        + along_column * spacing[0] * (big_rows - rows) / 2
    )
    return Mosaic(tiles, across, rows, columns, first, step)


def _private_header(header: Header) -> dict[str, tuple[float, ...]]:
    """Read the numbers of the CSA image header, (0029,xx10) under its creator."""
    for block in range(0x10, 0x100):
        if header.raw(0x00290000 | block).startswith(_CREATOR):
            return read_csa(header.raw(0x00290000 | block << 8 | 0x10))
    return {}


def read_csa(raw: bytes) -> dict[str, tuple[float, ...]]:
    """Read the numeric tags of a CSA header, both of its versions.

    "SV10", four bytes, the number of tags, 77; then each tag with its name (64 bytes), four
    bytes, VR, a number, how many items it has, 77 or 205; each item with four numbers, of
    which the second is its length (in version 1: the first, less an offset), padded to four.
    """
    is_second = raw[:4] == b"SV10"
    at = 8 if is_second else 0
    found: dict[str, tuple[float, ...]] = {}
    try:
        (tags,) = struct.unpack_from("<I", raw, at)
        at += 8
        zero = None
        for _ in range(min(tags, 1000)):
            name, items = raw[at : at + 64], struct.unpack_from("<I", raw, at + 76)[0]
            at += 84
            texts = []
            for _ in range(min(items, 1000)):
                first, second = struct.unpack_from("<2I", raw, at)
                at += 16
                zero = first if zero is None else zero
                length = second if is_second else first - zero
                texts.append(raw[at : at + max(0, length)])
                at += (max(0, length) + 3) // 4 * 4
            found[name.split(b"\0")[0].decode("latin-1")] = _floats(texts)
    except struct.error:
        pass
    return found


def _floats(texts: list[bytes]) -> tuple[float, ...]:
    """Numbers of the items that hold any; empty when one of them is no number."""
    words = [text.split(b"\0")[0].strip() for text in texts]
    try:
        return tuple(float(word) for word in words if word)
    except ValueError:
        return ()


class MosaicFile(PixelFile):
    """A mosaic whose frames are its tiles."""

    __slots__ = ("_lock", "_picture", "mosaic")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.mosaic = mosaic_of(self.path, self.header)
        self._picture: Pixels | None = None
        self._lock = threading.Lock()

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of a tile."""
        return self.mosaic.columns, self.mosaic.rows

    @property
    def has_plain_words(self) -> bool:
        """Never: the words of a tile do not follow each other."""
        return False

    def stored_values(self, frame: int) -> Pixels:
        """Cut a tile out of the picture, which is decoded once."""
        with self._lock:
            if self._picture is None:
                self._picture = super().stored_values(0)
        down, right = divmod(frame, self.mosaic.across)
        top, left = down * self.mosaic.rows, right * self.mosaic.columns
        return self._picture[top : top + self.mosaic.rows, left : left + self.mosaic.columns]


def open_pixels(path: Path) -> PixelFile:
    """Open a DICOM file for its frames, whichever way they are stored.

    Raises
    ------
    ReadError
        If they cannot be decoded, are cut short, absurd or too large.
    """
    file = PixelFile(path)
    return MosaicFile(path) if is_mosaic(file.header) and file.form.frames == 1 else file
