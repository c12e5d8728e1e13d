"""Kinds of plain pictures that are read as films: how their files begin, and which lose detail."""

from __future__ import annotations

import re
import struct

READ_AS_FILMS = "PNG, JPEG, TIFF, JPEG 2000, BMP, GIF or WebP"
"""As a sentence lists them."""
LONGEST_SIGN = 18
"""So many bytes of a file tell its kind."""

# Kind, by the name that Pillow has for it -> how its files begin.
_SIGNS: dict[str, re.Pattern[bytes]] = {
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "TIFF": re.compile(rb"II[*+]\0|MM\0[*+]"),
    # The boxed form, and the bare stream.
    "JPEG2000": re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"),
    # Two letters would be any text: the size of one of its seven headers stands behind.
    "BMP": re.compile(rb"BM.{4}\0{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0{3}", re.DOTALL),
    "GIF": re.compile(rb"GIF8[79]a"),
    "WEBP": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
}
KINDS = tuple(_SIGNS)
# The marks of JPEG 2000 that begin a stream (SOC, SIZ) and say how it is coded (COD).
_STREAM, _CODING = b"\xff\x4f\xff\x51", b"\xff\x52"
# From that mark to the byte of the wavelet; 0 is the one that rounds (ISO 15444-1, A.6.1).
_WAVELET_AT, _IRREVERSIBLE = 13, 0
ENOUGH_HEAD = 2**16
"""Of a file's begin so many bytes are looked through for how it was compressed."""


def kind_of(head: bytes) -> str | None:
    """The kind of picture that a file with these first bytes is; None where it is none of them."""
    return next((kind for kind, sign in _SIGNS.items() if sign.match(head)), None)


def loses_detail(head: bytes) -> bool:
    """Whether a picture was compressed with loss, as far as the begin of its file tells.

    Of a TIFF only its tags tell it.
    """
    kind = kind_of(head)
    if kind == "JPEG2000":
        return _is_irreversible(head)
    if kind == "WEBP":
        return b"VP8 " in _chunks(head)
    return kind == "JPEG"


def _is_irreversible(head: bytes) -> bool:
    """Whether the main header of a stream of JPEG 2000 names the wavelet that rounds."""
    at = head.find(_STREAM) + 2
    while at >= 2 and at + 4 <= len(head):
        if head[at : at + 2] == _CODING:
            return head[at + _WAVELET_AT : at + _WAVELET_AT + 1] == bytes([_IRREVERSIBLE])
        at += 2 + max(2, struct.unpack_from(">H", head, at + 2)[0])
    return False


def _chunks(head: bytes) -> set[bytes]:
    """The names of the parts of a WebP file."""
    found, at = set(), 12
    while at + 8 <= len(head):
        found.add(head[at : at + 4])
        size = struct.unpack_from("<I", head, at + 4)[0]
        at += 8 + size + size % 2
    return found
