"""Nesting is bounded and no length reaches beyond the file."""

from __future__ import annotations

import struct
import time

import pytest
from dicom_bytes import element, file_of

from medview.domain.errors import ReadError
from medview.io.dicom_outline import read_outline
from medview.io.dicom_walk import Short, Walk, is_vr


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


@pytest.mark.parametrize("filler", [bytes(8), element(9, 0x1001, b"LO", b"")])
def test_a_header_that_is_filled_up_without_end_is_refused_long_before_its_end(filler, tmp_path):
    path = file_of(tmp_path / "filled.dcm", filler * 4_000_000)
    begin = time.monotonic()
    with pytest.raises(ReadError, match="holds more than 100,000 elements") as caught:
        read_outline(path)
    assert time.monotonic() - begin < 4
    assert (caught.value.code, caught.value.file) == ("MV-IO-100", "filled.dcm")


def test_an_end_that_was_filled_up_to_a_whole_block_does_no_harm(tmp_path):
    path = file_of(tmp_path / "x", element(8, 0x60, b"CS", b"PR") + bytes(64 * 1024))
    assert 0x00080060 in read_outline(path).places


@pytest.mark.parametrize("pair", [b"AZ", b"ZA", b"OB"])
def test_two_capital_letters_may_be_a_vr(pair):
    assert is_vr(pair)


@pytest.mark.parametrize("pair", [b"A", b"@A", b"[A", b"A@", b"A[", b"a1", b"\0\0"])
def test_nothing_else_is_one(pair):
    assert not is_vr(pair)


def data_set() -> bytes:
    """Every way in which a value may be held, and how long each is."""
    text = element(8, 0x60, b"CS", b"MR")
    many = b"".join(item(len(text)) + text for _ in range(80))
    inside = item(0xFFFFFFFF) + text + END_OF_ITEM + item(len(text)) + text
    fragments = item(4) + b"\xfe\xff\xdd\xe0" + item(0) + END
    return b"".join(
        (
            element(9, 0x1001, b"UT", item(2000) + b"long" * 300),
            element(9, 0x1002, b"SQ", many),
            element(9, 0x1003, b"UN", many),
            element(9, 0x1004, b"SQ", inside + END, 0xFFFFFFFF),
            element(9, 0x1005, b"OB", fragments, 0xFFFFFFFF),
            element(9, 0x1006, b"UN", inside + END, 0xFFFFFFFF),
            element(0x10, 0x10, b"PN", b"A^B "),
        )
    )


END_OF_ITEM = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def test_a_walk_finds_each_value_and_goes_on_wherever_its_bytes_ended():
    whole = data_set()
    straight = Walk(0, explicit=True, little=True)
    straight.run(whole, len(whole))
    values = {tag: whole[at : at + length] for tag, (_, at, length) in straight.places.items()}
    assert list(values) == [*(0x00091000 + n for n in range(1, 7)), 0x00100010]
    assert values[0x00091001].endswith(b"long" * 300)  # a text that begins as an item is none
    assert values[0x00100010] == b"A^B "
    assert len(values[0x00091002]) == len(values[0x00091003]) == 80 * 18
    assert len(values[0x00091004]) == len(values[0x00091006]) == 8 + 10 + 8 + 18
    assert len(values[0x00091005]) == 8 + 4 + 8  # a mark within a fragment is none
    assert straight.at == len(whole)
    begins = [at for _, at, _ in straight.places.values()]
    for there in (at + n for at in begins for n in range(-8, 6) if at + n < len(whole)):
        walk, needed = Walk(0, explicit=True, little=True), there + 1
        try:
            walk.run(whole[:there], len(whole))
        except Short as short:
            needed = short.need
        assert there < needed <= len(whole)
        walk.run(whole, len(whole))
        assert walk.places == straight.places


@pytest.mark.parametrize("little", [True, False])
def test_elements_without_a_vr_are_read_in_either_order(little):
    order = "<" if little else ">"
    data = struct.pack(f"{order}HHI4sHHIH", 0x28, 0x30, 4, b"1\\2 ", 0x28, 0x10, 2, 512)
    walk = Walk(0, explicit=False, little=little)
    walk.run(data, len(data))
    assert walk.places == {0x00280030: ("", 8, 4), 0x00280010: ("", 20, 2)}


def test_what_stands_before_the_data_set_ends_with_its_group():
    meta = element(2, 0x10, b"UI", b"1.2\0")
    data = meta + element(8, 0x60, b"CS", b"MR")
    walk = Walk(0, explicit=True, little=True, meta=True)
    walk.run(data, len(data))
    assert (list(walk.places), walk.at) == ([0x00020010], len(meta))
