"""Bytes that gzip has packed, never unpacked further than the caller allows."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import BinaryIO, Literal, NamedTuple

MAX_DEFLATE = 1032
"""Deflate cannot pack more than this to one."""
_STEP, _PIECE = 2**16, 2**22
# zlib's way to say that there is a header of gzip around the packed data.
_WITH_HEADER = 16 + zlib.MAX_WBITS


End = Literal["whole", "cut", "more", "damaged"]


class Unpacked(NamedTuple):
    """What came out, and how it ended.

    "cut" where the file breaks off, "more" where it holds more than was wanted, "damaged" where
    the data do not fit their checksum or are no gzip further on.
    """

    data: bytes
    end: End


def unpack(file: BinaryIO, most: int) -> Unpacked:
    """Unpack from where a file stands, `most` bytes at most; parts may follow each other.

    Whatever reading the file raises comes through.
    """
    pieces: list[bytes] = []
    end = _each(file, most, pieces.append)
    return Unpacked(b"".join(pieces), end)


def grows_beyond(file: BinaryIO, most: int) -> bool:
    """Say whether there is more in it than so many bytes; none of them are held."""
    return _each(file, most, lambda _: None) == "more"


def _each(file: BinaryIO, most: int, take: Callable[[bytes], object]) -> End:
    """Hand over piece after piece, and say how it ended."""
    engine = zlib.decompressobj(_WITH_HEADER)
    room, packed = most, b""
    while packed or (packed := file.read(_STEP)):
        if engine.eof:
            # Behind the last part zeros may fill up a block of a disc.
            packed = packed.lstrip(b"\0")
            engine = zlib.decompressobj(_WITH_HEADER) if packed else engine
            continue
        try:
            # One byte more than there is room for tells that there is more.
            piece = engine.decompress(packed, min(room, _PIECE) + 1)
        except zlib.error:
            return "damaged"
        packed = engine.unused_data if engine.eof else engine.unconsumed_tail
        take(piece[:room])
        if len(piece) > room:
            return "more"
        room -= len(piece)
    return "whole" if engine.eof else "cut"
