"""Frames of encapsulated pixel data, found also where the offset tables are wrong."""

from __future__ import annotations

import struct

_ITEM = b"\xfe\xff\x00\xe0"
_END = b"\xfe\xff\xdd\xe0"
_STARTS = (b"\xff\xd8", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP", b"\xff\x0a")

Span = tuple[int, int]


def fragments_of(data: bytes, at: int) -> tuple[list[int], list[Span], bool]:
    """Read the basic offset table, where each fragment lies (offset, length), and if all do.

    The last is False where the data end before the sequence does; a fragment that reaches
    beyond the end is given as far as it goes.
    """
    table: list[int] = []
    spans: list[Span] = []
    first = True
    while at + 8 <= len(data) and data[at : at + 4] == _ITEM:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        begin = at + 8
        if first:
            count = min(length, len(data) - begin) // 4
            table = list(struct.unpack_from(f"<{count}I", data, begin))
        else:
            spans.append((begin, min(length, len(data) - begin)))
        first = False
        at = begin + length
    return table, spans, data[at : at + 4] == _END


def frames_of(data: bytes, at: int, count: int, extended: bytes = b"") -> list[list[Span]]:
    """Say of which fragments each frame is made; an empty list for a frame that is missing.

    `extended` is the value of (7FE0,0001), 64-bit offsets of the frames.
    """
    table, spans, whole = fragments_of(data, at)
    if not spans:
        return [[] for _ in range(count)]
    if count == 1:
        return [spans]
    if len(spans) == count:
        return [[span] for span in spans]
    offsets = list(struct.unpack(f"<{len(extended) // 8}Q", extended[: len(extended) // 8 * 8]))
    for candidate in (offsets, table):
        by_table = _by_offsets(spans, candidate, count, whole)
        if by_table:
            return by_table
    return _by_starts(data, spans, count)


def _by_offsets(spans: list[Span], offsets: list[int], count: int, whole: bool) -> list[list[Span]]:
    """Frames by their offsets, if each of them is that of a fragment.

    Unless the data are `whole`, offsets behind the last fragment are those of frames that
    were cut off; these are empty.
    """
    first, last = spans[0][0], spans[-1][0]
    index_at = {begin - first: n for n, (begin, _) in enumerate(spans)}
    present = [offset for offset in offsets if whole or offset <= last - first]
    if len(offsets) != count or not present or not all(o in index_at for o in present):
        return []
    starts = [index_at[offset] for offset in present]
    if starts != sorted(set(starts)) or offsets != sorted(offsets):
        return []
    stops = [*starts[1:], len(spans)]
    frames = [spans[a:b] for a, b in zip(starts, stops, strict=True)]
    return frames + [[] for _ in range(count - len(frames))]


def _by_starts(data: bytes, spans: list[Span], count: int) -> list[list[Span]]:
    """Frames by the beginning of a codestream; without one (RLE) a fragment is a frame."""
    frames: list[list[Span]] = []
    coded = data[spans[0][0] :][:8].startswith(_STARTS)
    for begin, length in spans:
        if not coded or not frames or data[begin : begin + 8].startswith(_STARTS):
            frames.append([])
        frames[-1].append((begin, length))
    frames = frames[:count]
    return frames + [[] for _ in range(count - len(frames))]
