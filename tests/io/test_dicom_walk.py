"""Nesting is bounded and no length reaches beyond the file."""

from __future__ import annotations

import struct

import pytest
from dicom_bytes import element, file_of

from medview.domain.errors import ReadError
from medview.io.dicom_outline import read_outline


def nested(depth: int, *, known_length: bool) -> bytes:
    """Sequences within sequences in a private element."""
    if not known_length:
        begin = element(9, 0x1001, b"SQ", b"", 0xFFFFFFFF) + item(0xFFFFFFFF)
        end = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
        return begin * depth + end * depth
    value = b""
    for _ in range(depth):
        value = element(9, 0x1001, b"SQ", item(len(value)) + value)
    return value


def item(length: int) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, length)


@pytest.mark.parametrize(
    ("depth", "known_length"),
    [(65, True), (100, True), (1000, True), (65, False), (200, False), (20_000, False)],
)
def test_deep_nesting_is_refused_by_name(depth, known_length, tmp_path):
    path = file_of(tmp_path / "deep.dcm", nested(depth, known_length=known_length))
    with pytest.raises(ReadError, match="nested deeper than 64 levels") as caught:
        read_outline(path)
    assert (caught.value.code, caught.value.file) == ("MV-IO-101", "deep.dcm")


@pytest.mark.parametrize("known_length", [True, False])
def test_nesting_that_may_be_is_read(known_length, tmp_path):
    path = file_of(tmp_path / "x", nested(30, known_length=known_length))
    assert 0x00091001 in read_outline(path).places


@pytest.mark.parametrize("vr", [b"OB", b"OW", b"SQ", b"UN", b"UT"])
@pytest.mark.parametrize("length", [2**32 - 2, 2**31 - 1, 10_000])
def test_an_element_that_claims_more_than_the_file_has_is_refused(vr, length, tmp_path):
    path = file_of(tmp_path / "liar.dcm", element(9, 0x1001, vr, b"\0" * 20, length))
    with pytest.raises(ReadError, match=f"declares {length} bytes, the file has 20 more"):
        read_outline(path)
