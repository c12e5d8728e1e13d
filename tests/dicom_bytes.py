"""DICOM files written element by element, so that a test can have one lie."""

from __future__ import annotations

import struct
from pathlib import Path

from pydicom.uid import ExplicitVRLittleEndian

PREAMBLE = b"\0" * 128 + b"DICM"


def element(group: int, number: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """One explicit little endian element; `length` is what it claims."""
    size = len(value) if length is None else length
    head = struct.pack("<HH2s", group, number, vr)
    if vr in (b"OB", b"OW", b"SQ", b"UN", b"UT"):
        return head + struct.pack("<HI", 0, size) + value
    return head + struct.pack("<H", size & 0xFFFF) + value


def syntax(uid: str) -> bytes:
    value = uid.encode() + b"\0" * (len(uid) % 2)
    return element(2, 0x10, b"UI", value)


def file_of(path: Path, *elements: bytes, uid: str = ExplicitVRLittleEndian) -> Path:
    path.write_bytes(PREAMBLE + syntax(uid) + b"".join(elements))
    return path
