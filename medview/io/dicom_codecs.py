"""Transfer syntaxes: their names and what decodes them, in one table.

imagecodecs does it all: its licences are permissive and it works without the interpreter's lock,
so threads scale. GDCM would add no syntax, and ends the process on damaged JPEG streams.
Values are those of the codestream; sign, bits and colour are set right in ``dicom_pixels``.
"""

from __future__ import annotations

import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import imagecodecs
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.generic]

_END_OF_IMAGE = b"\xff\xd9"


class CodecError(Exception):
    """A frame could not be decoded; the text says why, for the log of a developer."""


@dataclass(frozen=True, slots=True)
class Coded:
    """What the data set says of a compressed frame."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    photometric: str


@dataclass(frozen=True, slots=True)
class Stream:
    """What a codestream says of itself; `signed` only where it can say so."""

    rows: int
    columns: int
    samples: int
    bits: int
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Syntax:
    """A transfer syntax. `decode` is None when the pixels are stored as they are."""

    name: str
    decode: Callable[[bytes, Coded], Pixels] | None = None
    lossy: bool = False
    known: bool = True


def _jpeg(frame: bytes, coded: Coded) -> Pixels:
    if _END_OF_IMAGE not in frame[-16:]:
        # libjpeg would make up the rest without a word.
        raise CodecError("the stream is cut short")
    if coded.samples == 1:
        return np.asarray(imagecodecs.jpeg8_decode(frame))
    # The data set names the colours unless the stream itself says that it was transformed.
    adobe = _adobe_transform(frame)
    transformed = adobe == 1 or (adobe is None and coded.photometric.startswith("YBR"))
    space = "YCBCR" if transformed else "RGB"
    return np.asarray(imagecodecs.jpeg8_decode(frame, colorspace=space, outcolorspace="RGB"))


def _jpeg_ls(frame: bytes, coded: Coded) -> Pixels:
    if not frame.rstrip(b"\0").endswith(_END_OF_IMAGE):
        # CharLS searches for seconds where a stream is cut short and has no end.
        frame += _END_OF_IMAGE
    return np.asarray(imagecodecs.jpegls_decode(frame))


def _check_tiles(frame: bytes) -> None:
    """Refuse a JPEG 2000 stream whose tiles do not cover its image (ISO 15444-1, B.3).

    The HTJ2K decoder searches without end for the tiles of a grid that begins behind it.
    """
    if not frame.startswith(b"\xff\x4f\xff\x51") or len(frame) < 40:
        return
    ends, begins, sizes, origins = (struct.unpack_from(">2I", frame, at) for at in (8, 16, 24, 32))
    for end, begin, size, origin in zip(ends, begins, sizes, origins, strict=True):
        if not origin <= begin < end or not size or origin + size <= begin:
            raise CodecError("its tiles do not cover the image")


def _jpeg_2000(frame: bytes, coded: Coded) -> Pixels:
    _check_tiles(frame)
    return np.asarray(imagecodecs.jpeg2k_decode(frame, numthreads=1))


def _high_throughput(frame: bytes, coded: Coded) -> Pixels:
    _check_tiles(frame)
    with _nothing_ignored():
        return np.asarray(imagecodecs.htj2k_decode(frame))


# The hooks below are of the whole process.
_one_at_a_time = threading.Lock()


@contextmanager
def _nothing_ignored() -> Iterator[None]:
    """Raise what a decoder of imagecodecs fails with where it cannot raise it itself.

    Its HTJ2K reader copies rows in a function from which no error comes out: of a damaged
    stream it would give an image of which a part was never written.
    """
    ignored: list[object] = []

    def keep(found: sys.UnraisableHookArgs) -> None:
        if str(found.object).startswith("imagecodecs."):
            ignored.append(found.exc_value)
        else:
            earlier(found)

    with _one_at_a_time:
        earlier, sys.unraisablehook = sys.unraisablehook, keep
        # Such an error is first printed like one that nobody catches, then called ignored.
        printer, sys.excepthook = sys.excepthook, lambda *_: None
        try:
            yield
        finally:
            sys.unraisablehook, sys.excepthook = earlier, printer
    if ignored:
        raise CodecError(str(ignored[0]))


def _jpeg_xl(frame: bytes, coded: Coded) -> Pixels:
    return np.asarray(imagecodecs.jpegxl_decode(frame, numthreads=1))


def _run_length(frame: bytes, coded: Coded) -> Pixels:
    """PS3.5 G: one packed segment for each byte of each sample, the highest byte first.

    The header is read here: imagecodecs' own reader follows offsets out of the frame.
    """
    width, size = coded.bits_allocated // 8, coded.rows * coded.columns
    if coded.bits_allocated == 1:
        width, size = 1, (size + 7) // 8
    count, *offsets = struct.unpack_from("<16I", frame)
    ends = [*offsets[1:count], len(frame)]
    if count != width * coded.samples or offsets[0] != 64 or ends != sorted(ends):
        raise ValueError("the offsets of the segments make no sense")
    stored = np.empty((coded.samples, size, width), np.uint8)
    for n, (start, end) in enumerate(zip(offsets[:count], ends, strict=True)):
        segment = imagecodecs.packbits_decode(frame[start:end])
        stored[n // width, :, width - 1 - n % width] = np.frombuffer(segment, np.uint8, size)
    if coded.bits_allocated == 1:
        return _unpacked(stored.tobytes(), coded)
    planes = stored.view(f"<u{width}").reshape(coded.samples, coded.rows, coded.columns)
    return planes[0] if coded.samples == 1 else np.moveaxis(planes, 0, -1)


def _deflated_frame(frame: bytes, coded: Coded) -> Pixels:
    """One frame as it is stored, deflated by itself (PS3.5 A.4.12)."""
    count = coded.samples * coded.rows * coded.columns
    size = (count * coded.bits_allocated + 7) // 8
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = engine.decompress(frame, size)
    except zlib.error as error:
        raise CodecError(str(error)) from error
    if coded.bits_allocated == 1:
        return _unpacked(data, coded)
    flat = np.frombuffer(data, f"<u{coded.bits_allocated // 8}", count)
    shape = (coded.rows, coded.columns)
    return flat.reshape(shape if coded.samples == 1 else (*shape, coded.samples))


def _unpacked(data: bytes, coded: Coded) -> Pixels:
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    return bits[: coded.rows * coded.columns].reshape(coded.rows, coded.columns)


_1_2_840 = "1.2.840.10008.1.2"

SYNTAXES: dict[str, Syntax] = {
    _1_2_840: Syntax("Implicit VR Little Endian"),
    f"{_1_2_840}.1": Syntax("Explicit VR Little Endian"),
    f"{_1_2_840}.2": Syntax("Explicit VR Big Endian"),
    f"{_1_2_840}.1.99": Syntax("Deflated Explicit VR Little Endian"),
    f"{_1_2_840}.1.98": Syntax("Encapsulated Uncompressed", known=False),
    f"{_1_2_840}.8.1": Syntax("Deflated Image Frame Compression", _deflated_frame),
    f"{_1_2_840}.5": Syntax("RLE Lossless", _run_length),
    f"{_1_2_840}.4.50": Syntax("JPEG Baseline", _jpeg, lossy=True),
    f"{_1_2_840}.4.51": Syntax("JPEG Extended", _jpeg, lossy=True),
    f"{_1_2_840}.4.57": Syntax("JPEG Lossless", _jpeg),
    f"{_1_2_840}.4.70": Syntax("JPEG Lossless, First-Order Prediction", _jpeg),
    f"{_1_2_840}.4.80": Syntax("JPEG-LS Lossless", _jpeg_ls),
    f"{_1_2_840}.4.81": Syntax("JPEG-LS Near-Lossless", _jpeg_ls, lossy=True),
    f"{_1_2_840}.4.90": Syntax("JPEG 2000 Lossless", _jpeg_2000),
    f"{_1_2_840}.4.91": Syntax("JPEG 2000", _jpeg_2000, lossy=True),
    f"{_1_2_840}.4.92": Syntax("JPEG 2000 Multi-component Lossless", _jpeg_2000),
    f"{_1_2_840}.4.93": Syntax("JPEG 2000 Multi-component", _jpeg_2000, lossy=True),
    f"{_1_2_840}.4.110": Syntax("JPEG XL Lossless", _jpeg_xl),
    f"{_1_2_840}.4.111": Syntax("JPEG XL JPEG Recompression", _jpeg_xl, lossy=True),
    f"{_1_2_840}.4.112": Syntax("JPEG XL", _jpeg_xl, lossy=True),
    f"{_1_2_840}.4.201": Syntax("High-Throughput JPEG 2000 Lossless", _high_throughput),
    f"{_1_2_840}.4.202": Syntax("High-Throughput JPEG 2000 with RPCL Lossless", _high_throughput),
    f"{_1_2_840}.4.203": Syntax("High-Throughput JPEG 2000", _high_throughput, lossy=True),
    f"{_1_2_840}.4.94": Syntax("JPIP Referenced", known=False),
    f"{_1_2_840}.4.95": Syntax("JPIP Referenced Deflate", known=False),
    f"{_1_2_840}.4.100": Syntax("MPEG2 Main Level", lossy=True, known=False),
    f"{_1_2_840}.4.101": Syntax("MPEG2 High Level", lossy=True, known=False),
    f"{_1_2_840}.4.102": Syntax("MPEG-4 AVC/H.264", lossy=True, known=False),
    f"{_1_2_840}.4.103": Syntax("MPEG-4 AVC/H.264 BD-compatible", lossy=True, known=False),
    f"{_1_2_840}.4.104": Syntax("MPEG-4 AVC/H.264 for 2D video", lossy=True, known=False),
    f"{_1_2_840}.4.105": Syntax("MPEG-4 AVC/H.264 for 3D video", lossy=True, known=False),
    f"{_1_2_840}.4.106": Syntax("MPEG-4 AVC/H.264 Stereo", lossy=True, known=False),
    f"{_1_2_840}.4.107": Syntax("HEVC/H.265 Main Profile", lossy=True, known=False),
    f"{_1_2_840}.4.108": Syntax("HEVC/H.265 Main 10 Profile", lossy=True, known=False),
}


def decode(uid: str, frame: bytes, coded: Coded) -> Pixels:
    """Decode one compressed frame to (rows, columns) or (rows, columns, samples).

    Raises
    ------
    CodecError
        If no decoder gets an image out of it.
    """
    syntax = SYNTAXES[uid]
    if syntax.decode is None:
        raise CodecError(f"{syntax.name} is not compressed")
    try:
        return syntax.decode(frame, coded)
    except (RuntimeError, ValueError, TypeError, OverflowError, IndexError, struct.error) as error:
        raise CodecError(str(error)) from error


# --------------------------------------------------------- what a codestream says of itself


def stream_header(uid: str, frame: bytes) -> Stream | None:
    """Read size, components and bits from a JPEG, JPEG-LS or JPEG 2000 codestream."""
    if uid.startswith((f"{_1_2_840}.4.9", f"{_1_2_840}.4.20")):
        return _jpeg_2000_header(frame)
    if uid.startswith((f"{_1_2_840}.4.5", f"{_1_2_840}.4.7", f"{_1_2_840}.4.8")):
        return _jpeg_header(frame)
    return None


def _jpeg_2000_header(frame: bytes) -> Stream | None:
    """SIZ marker segment, right behind the start of the codestream (ISO 15444-1, A.5.1)."""
    at = frame.find(b"\xff\x4f\xff\x51", 0, 65536)
    if at < 0 or len(frame) < at + 43:
        return None
    right, bottom, left, top = struct.unpack_from(">4I", frame, at + 8)
    samples, bits = struct.unpack_from(">H", frame, at + 40)[0], frame[at + 42]
    return Stream(bottom - top, right - left, samples, (bits & 0x7F) + 1, bool(bits & 0x80))


def _segments(frame: bytes) -> list[tuple[int, int]]:
    """Markers of a JPEG stream up to its first scan, with the offset of their content."""
    found = []
    at = 2
    while at + 4 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        found.append((marker, at + 4))
        if marker == 0xDA:
            break
        at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return found


def _jpeg_header(frame: bytes) -> Stream | None:
    """Start-of-frame segment; 0xF7 is that of JPEG-LS (ISO 10918-1, B.2.2)."""
    for marker, at in _segments(frame):
        is_frame = 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)
        if (is_frame or marker == 0xF7) and at + 6 <= len(frame):
            bits, rows, columns, samples = struct.unpack_from(">BHHB", frame, at)
            return Stream(rows, columns, samples, bits)
    return None


def _adobe_transform(frame: bytes) -> int | None:
    """Colour transform that an Adobe APP14 segment names, or None."""
    for marker, at in _segments(frame):
        if marker == 0xEE and frame[at : at + 5] == b"Adobe" and at + 12 <= len(frame):
            return frame[at + 11]
    return None
