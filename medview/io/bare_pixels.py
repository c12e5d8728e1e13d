"""Pixel data without what is no picture: comments in compressed streams, and bytes behind the end.

Cameras and encoders write words into the headers of a stream, which no attribute of DICOM shows.
"""

from __future__ import annotations

import math
import re

from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from medview.io.dicom_fragments import frames_of

# Those with a length, and the end of the image; in a scan, what follows 0xFF else is data.
_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")
_END = 0xD9
_COMMENT = 0xFE
_APPLICATION = range(0xE0, 0xF0)
# JFIF, colour transform of JPEG-LS and of Adobe: decoders ask them for the colours.
_OF_COLOURS = (0xE0, 0xE8, 0xEE)
_CODESTREAM = b"\xff\x4f\xff\x51"
_COMMENT_2000, _TILE = 0x64, 0x90


def bare_pixels(found: Dataset) -> None:
    """Take out of the pixel data of a data set what is no part of the picture."""
    if "PixelData" not in found:
        return
    if found["PixelData"].is_undefined_length:
        _bare_frames(found)
    else:
        counts = (int(found.get(name) or 1) for name in ("SamplesPerPixel", "NumberOfFrames"))
        sizes = (int(found[name].value) for name in ("Rows", "Columns", "BitsAllocated"))
        size = (math.prod(counts) * math.prod(sizes) + 7) // 8
        if len(found.PixelData) > size:
            found.PixelData = found.PixelData[:size] + bytes(size % 2)


def _bare_frames(found: Dataset) -> None:
    data, count = found.PixelData, int(found.get("NumberOfFrames") or 1)
    spans = frames_of(data, 0, count, found.get("ExtendedOffsetTable", b""))
    frames = [b"".join(data[at : at + size] for at, size in parts) for parts in spans if parts]
    bare = [bare_stream(frame) for frame in frames]
    if bare == frames:
        return
    for name in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        found.pop(name, None)
    found.PixelData = encapsulate(bare)


def bare_stream(frame: bytes) -> bytes:
    """A JPEG, JPEG-LS or JPEG 2000 stream without comments; any other as it is."""
    if frame.startswith(_CODESTREAM):
        return _bare_jpeg_2000(frame)
    return _bare_jpeg(frame) if frame.startswith(b"\xff\xd8") else frame


def _bare_jpeg(frame: bytes) -> bytes:
    kept, at = [frame[:2]], 2
    while (marker := _MARKER.search(frame, at)) is not None:
        begin, kind = marker.start(), frame[marker.start() + 1]
        kept.append(frame[at:begin])
        if kind == _END:
            return b"".join((*kept, marker.group()))
        at = begin + 2 + int.from_bytes(frame[begin + 2 : begin + 4], "big")
        is_words = kind == _COMMENT or (kind in _APPLICATION and kind not in _OF_COLOURS)
        if not is_words:
            kept.append(frame[begin:at])
    return b"".join((*kept, frame[at:]))


def _bare_jpeg_2000(frame: bytes) -> bytes:
    """Without the comments of the main header (ISO 15444-1, A.9.2) and what follows the end."""
    kept, at = [frame[:2]], 2
    while len(frame) > at + 4 and frame[at] == 0xFF and frame[at + 1] != _TILE:
        after = at + 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
        if frame[at + 1] != _COMMENT_2000:
            kept.append(frame[at:after])
        at = after
    end = frame.rfind(b"\xff\xd9", at)
    return b"".join((*kept, frame[at : end + 2 if end >= 0 else None]))
