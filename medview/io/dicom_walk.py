"""One pass over the elements of a DICOM data set, by offsets only and without recursion."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from medview.io.codes import Code

MAX_DEPTH = 64
# A level takes 16 bytes at least, 8 of the sequence and 8 of its item. What is too small for
# the levels that are still allowed needs no look inside.
SHALLOW = 16 * MAX_DEPTH
MOST_ELEMENTS = 100_000
"""Of one level; real ones have hundreds. A file that a broken copy filled up with zeros has
millions of empty ones, and reading through them takes minutes."""

PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONG_VRS = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
_OPAQUE_VRS = _LONG_VRS - {b"SQ", b"UN"}

# VR ("" when implicit), offset of the value, length of the value without delimiters.
Place = tuple[str, int, int]


class Short(Exception):
    """Not an error: the walk needs the first `need` bytes."""

    def __init__(self, need: int) -> None:
        self.need = need


class Broken(Exception):
    """The data set is broken; becomes a ReadError where the file's name is known."""

    def __init__(self, code: Code, what: str) -> None:
        self.code = code
        self.what = what


@dataclass(frozen=True, slots=True)
class PixelPlace:
    """Where the pixel element lies; `length` is None when it is encapsulated."""

    tag: int
    vr: str
    offset: int
    length: int | None


def is_vr(pair: bytes) -> bool:
    """Say whether two bytes are capital letters, as every value representation is."""
    return len(pair) == 2 and 65 <= pair[0] <= 90 and 65 <= pair[1] <= 90


class Walk:
    """One pass over a level; `run` may be called again with more bytes."""

    def __init__(self, at: int, *, explicit: bool, little: bool, meta: bool = False) -> None:
        self.at, self.explicit, self.little, self.meta = at, explicit, little, meta
        self.places: dict[int, Place] = {}
        self.pixels: PixelPlace | None = None
        self._seen = 0

    def run(self, data: bytes, end: int) -> None:
        """Note elements until the pixels, the end of the group 2, or `end`."""
        read = reader_for(self.little)
        while self.at + 8 <= end:
            tag, vr, value, length = read(data, self.at, self.explicit)
            if (self.meta and tag >> 16 != 2) or tag == ITEM_END:
                return
            if tag in PIXEL_TAGS:
                known = None if length == UNDEFINED else length
                self.pixels = PixelPlace(tag, vr.decode(), value, known)
                return
            if length == UNDEFINED:
                after = _after_sequence(data, value, read, self.explicit, vr in _OPAQUE_VRS)
                length = after - 8 - value
            else:
                after = value + length
                self._check(tag, length, after, end)
                if length > SHALLOW and _is_sequence(data, vr, value):
                    _after_sequence(data, value, read, self.explicit, False, after)
            self.places[tag] = (vr.decode(), value, length)
            self.at = after
            self._seen += 1
            if self._seen > MOST_ELEMENTS:
                what = f"holds more than {MOST_ELEMENTS:,} elements, as no image does"
                raise Broken(Code.HEADER_DAMAGED, what)

    def _check(self, tag: int, length: int, after: int, end: int) -> None:
        if after > end:
            raise Broken(
                Code.LENGTH_LIES,
                f"element ({tag >> 16:04X},{tag & 0xFFFF:04X}) declares {length} bytes, "
                f"the file has {max(0, end - after + length)} more",
            )


def _is_sequence(data: bytes, vr: bytes, value: int) -> bool:
    if vr == b"SQ":
        return True
    if vr not in (b"", b"UN"):
        return False
    if value + 4 > len(data):
        raise Short(value + 4)
    return data[value : value + 4] == b"\xfe\xff\x00\xe0"


# (data, offset, explicit) -> tag, VR (b"" when implicit), offset and length of the value.
Reader = Callable[[bytes, int, bool], tuple[int, bytes, int, int]]


@cache
def reader_for(little: bool) -> Reader:
    """What reads the head of an element in one byte order; it raises Short at the end."""
    order = "<" if little else ">"
    short = struct.Struct(order + "HH2sH").unpack_from
    plain = struct.Struct(order + "HHI").unpack_from
    long = struct.Struct(order + "I").unpack_from

    def read(data: bytes, at: int, explicit: bool) -> tuple[int, bytes, int, int]:
        if at + 8 > len(data):
            raise Short(at + 8)
        group, element, vr, length = short(data, at)
        tag = group << 16 | element
        # Some explicit files hold implicit elements; items never have a VR.
        if not explicit or group == 0xFFFE or not is_vr(vr):
            return tag, b"", at + 8, plain(data, at)[2]
        if vr in _LONG_VRS:
            if at + 12 > len(data):
                raise Short(at + 12)
            return tag, vr, at + 12, long(data, at + 8)[0]
        return tag, vr, at + 8, length

    return read


def _after_sequence(
    data: bytes, at: int, read: Reader, explicit: bool, opaque: bool, end: int = sys.maxsize
) -> int:
    """Step over the items of a sequence from `at`; return the offset behind it.

    `end` is where a sequence of known length stops; otherwise its delimiter does. Fragments
    (`opaque`) are items whose content is no data set. Depth is kept on a list, not on the
    stack of calls.
    """
    levels = [(end, opaque)]
    while levels:
        stop, opaque = levels[-1]
        if at >= stop:
            levels.pop()
            continue
        tag, vr, value, length = read(data, at, explicit)
        at = value
        if tag in (ITEM_END, SEQUENCE_END):
            levels.pop()
        elif tag == ITEM and opaque:
            at += length
        elif length == UNDEFINED:
            levels.append((sys.maxsize, vr in _OPAQUE_VRS))
        elif tag == ITEM or (length > SHALLOW - 8 * len(levels) and _is_sequence(data, vr, value)):
            levels.append((value + length, False))
        else:
            at += length
        if len(levels) > 2 * MAX_DEPTH:
            raise Broken(Code.TOO_DEEP, f"is nested deeper than {MAX_DEPTH} levels")
    return at if end == sys.maxsize else end
