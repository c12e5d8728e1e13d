"""Graphics that a file lays over its image: lines and shapes of one bit (R30, PS3.3 C.9.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medview.io.dicom_pixels import PixelFile
from medview.io.dicom_values import Header

Mask = NDArray[np.bool_]

GROUPS = range(0x6000, 0x6020, 2)
_ROWS, _COLUMNS, _FRAMES, _ORIGIN, _FIRST = 0x10, 0x11, 0x15, 0x50, 0x51
_POSITION, _DATA = 0x102, 0x3000


def has_graphics(file: PixelFile) -> bool:
    """Say whether a file has any overlay group."""
    return any(tag >> 16 in GROUPS for tag in file.outline.places)


def graphics_of(file: PixelFile, frame: int) -> Mask | None:
    """All graphics of a frame together, (rows, columns); None when there are none.

    A graphic may begin outside the image and be larger than it; what lies beyond is cut off.
    One that is damaged is left out.
    """
    columns, rows = file.size
    found = np.zeros((rows, columns), bool)
    for group in GROUPS:
        bits = _bits(file, group, frame)
        if bits is not None:
            _lay(bits, _origin(file.header, group), found)
    return found if found.any() else None


def _numbers(header: Header, group: int, element: int) -> tuple[int, ...]:
    """Values of an overlay element, US or SS."""
    tag = group << 16 | element
    raw = header.raw(tag)
    order = "<" if header.outline.little else ">"
    kind = "i2" if element == _ORIGIN else "u2"
    if header.places.get(tag, ("", 0, 0))[0] == "IS":
        text = raw.decode("latin-1").strip("\0 ")
        return (int(text),) if text.isdigit() else ()
    return tuple(np.frombuffer(raw[: len(raw) // 2 * 2], order + kind).tolist())


def _first(header: Header, group: int, element: int, otherwise: int) -> int:
    values = _numbers(header, group, element)
    return values[0] if values else otherwise


def _origin(header: Header, group: int) -> tuple[int, int]:
    """Row and column of the image, from 0, at which the graphic begins."""
    values = _numbers(header, group, _ORIGIN)
    return (values[0] - 1, values[1] - 1) if len(values) == 2 else (0, 0)


def _bits(file: PixelFile, group: int, frame: int) -> Mask | None:
    """The graphic of one frame of the image, on its own grid; None without one."""
    header = file.header
    rows = _first(header, group, _ROWS, 0)
    columns = _first(header, group, _COLUMNS, 0)
    count = _first(header, group, _FRAMES, 1)
    own = frame - (_first(header, group, _FIRST, 1) - 1) if count > 1 else 0
    if not rows or not columns or not 0 <= own < max(1, count):
        return None
    if group << 16 | _DATA not in header.places:
        return _embedded(file, group, frame, (rows, columns))
    size = rows * columns
    packed = np.frombuffer(header.raw(group << 16 | _DATA), np.uint8)
    if not header.outline.little:
        packed = packed[: packed.size // 2 * 2].view(np.uint16).byteswap().view(np.uint8)
    first = own * size
    if (first + size + 7) // 8 > packed.size:
        return None
    begin = first // 8
    bits = np.unpackbits(packed[begin : (first + size + 7) // 8], bitorder="little")
    return bits[first % 8 :][:size].reshape(rows, columns).astype(bool)


def _embedded(file: PixelFile, group: int, frame: int, shape: tuple[int, int]) -> Mask | None:
    """A graphic in the bits of the pixels that hold no value (retired, still found)."""
    position = _first(file.header, group, _POSITION, 0)
    form = file.form
    unused = position > form.high or position <= form.high - form.stored
    if shape != (form.rows, form.columns) or not unused or not file.has_plain_words:
        return None
    return np.asarray(file.raw_words(frame) >> position & 1, dtype=bool)


def _lay(bits: Mask, origin: tuple[int, int], image: Mask) -> None:
    """Put a graphic onto the image where the two meet."""
    (top, left), (rows, columns) = origin, bits.shape
    here = slice(max(0, top), max(0, top + rows)), slice(max(0, left), max(0, left + columns))
    part = image[here]
    down, right = max(0, -top), max(0, -left)
    part |= bits[down : down + part.shape[0], right : right + part.shape[1]]
