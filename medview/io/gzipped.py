"""Bytes that gzip has packed, never unpacked further than the caller allows."""

from __future__ import annotations

import zlib
from typing import BinaryIO, Literal, NamedTuple

MAGIC = b"\x1f\x8b"
_STEP = 2**16
# zlib's way to say that there is a header of gzip around the packed data.
_WITH_HEADER = 16 + zlib.MAX_WBITS


class Unpacked(NamedTuple):
    """What came out, and how it ended.

    "cut" where the file breaks off, "more" where it holds more than was wanted, "damaged" where
    the data do not fit their checksum or are no gzip further on.
    """

    data: bytes
    end: Literal["whole", "cut", "more", "damaged"]


def unpack(file: BinaryIO, most: int) -> Unpacked:
    """Unpack from where a file stands, `most` bytes at most; parts may follow each other.

    Whatever reading the file raises comes through.
    """
    engine = zlib.decompressobj(_WITH_HEADER)
    pieces: list[bytes] = []
    room, packed = most, b""
    while packed or (packed := file.read(_STEP)):
        if engine.eof:
            # Behind the last part zeros may fill up a block of a disc.
            packed = packed.lstrip(b"\0")
            engine = zlib.decompressobj(_WITH_HEADER) if packed else engine
            continue
        try:
            # One byte more than there is room for tells that there is more.
            piece = engine.decompress(packed, room + 1)
        except zlib.error:
            return Unpacked(b"".join(pieces), "damaged")
        packed = engine.unused_data if engine.eof else engine.unconsumed_tail
        pieces.append(piece[:room])
        if len(piece) > room:
            return Unpacked(b"".join(pieces), "more")
        room -= len(piece)
    return Unpacked(b"".join(pieces), "whole" if engine.eof else "cut")
