"""Frames are found among fragments also when the tables that should tell are wrong."""

from __future__ import annotations

import struct

import pytest

from medview.io.dicom_fragments import fragments_of, frames_of

JPEG = b"\xff\xd8\xff\xe0"


def encapsulated(fragments: list[bytes], table: list[int] | None = None) -> bytes:
    offsets = struct.pack(f"<{len(table or [])}I", *(table or []))
    parts = [offsets, *fragments]
    return b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(p)) + p for p in parts) + struct.pack(
        "<HHI", 0xFFFE, 0xE0DD, 0
    )


def joined(data: bytes, count: int, extended: bytes = b"") -> list[bytes]:
    frames = frames_of(data, 0, count, extended)
    return [b"".join(data[at : at + size] for at, size in spans) for spans in frames]


A, B, C = JPEG + b"aaaa", JPEG + b"bb", JPEG + b"cccccc"


def test_one_fragment_is_one_frame():
    assert joined(encapsulated([A, B, C]), 3) == [A, B, C]


def test_all_fragments_of_a_single_frame_are_joined():
    assert joined(encapsulated([A, b"more", b"last"]), 1) == [A + b"morelast"]


def test_a_right_table_tells_where_frames_begin():
    # Items are 8 bytes longer than their fragments: 0, then 16 + 12 = 28.
    data = encapsulated([A, b"more", B, b"tail"], [0, 28])
    assert joined(data, 2) == [A + b"more", B + b"tail"]


def test_a_long_table_is_used_when_the_short_one_is_empty():
    data = encapsulated([b"zzzzzzzz", b"more", b"yy"], [])
    assert joined(data, 2, struct.pack("<2Q", 0, 28)) == [b"zzzzzzzzmore", b"yy"]


@pytest.mark.parametrize("table", [[], [0, 5], [28, 0], [0, 0], [0, 28, 40], [3, 28]])
def test_with_a_wrong_table_the_beginnings_of_streams_tell(table):
    data = encapsulated([A, b"more", B, b"tail"], table)
    assert joined(data, 2, struct.pack("<2Q", 0, 2**40)) == [A + b"more", B + b"tail"]


def test_more_frames_than_fragments_leaves_the_last_ones_empty():
    assert joined(encapsulated([A, B]), 4) == [A, B, b"", b""]


def test_more_fragments_than_frames_without_streams_gives_the_first_ones():
    assert joined(encapsulated([b"r1r1", b"r2r2", b"r3r3"]), 2) == [b"r1r1", b"r2r2"]


@pytest.mark.parametrize("end", range(0, 60, 5))
def test_a_cut_anywhere_gives_what_is_there(end):
    data = encapsulated([A, B, C], [0, 16, 30])[:end]
    frames = joined(data, 3)
    assert len(frames) == 3
    assert all(whole.startswith(part) for whole, part in zip((A, B, C), frames, strict=True))


def test_a_fragment_that_claims_more_than_there_is_ends_with_the_data():
    data = encapsulated([A])[:-8]
    liar = data[:12] + struct.pack("<I", 0xFFFFFFF0) + data[16:]
    _, spans, whole = fragments_of(liar, 0)
    assert spans == [(16, len(A))]
    assert not whole
