"""Frames of one DICOM file: found, checked, decoded, and turned into stored values (R24).

Everything is checked against the file before memory is taken for it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import ReadError
from medview.io.codes import Code
from medview.io.dicom_codecs import SYNTAXES, CodecError, Coded, decode, stream_header
from medview.io.dicom_form import (
    Form,
    Pixels,
    as_present,
    clean_in_place,
    cleaned,
    expanded_422,
    form_of,
    from_stream,
    shaped,
)
from medview.io.dicom_fragments import Span, frames_of
from medview.io.dicom_outline import DEFLATED, Outline, read_outline
from medview.io.dicom_values import Header
from medview.io.limits import is_too_large
from medview.io.sources import open_binary, read_from, read_into, size_of

MAX_INFLATED = 256 * 2**20
MAX_INFLATION = 200
MAX_COMPRESSION = 1000
# Codestreams begin so: JPEG 2000 with its SIZ segment, JPEG and JPEG-LS with any segment.
_STREAM_STARTS = (b"\xff\x4f\xff\x51", b"\xff\xd8\xff")
_HEAD = 65_536
_SAYING_FORM = ("JPEG Base", "JPEG Ext", "JPEG Loss", "JPEG-LS", "JPEG 2000")
EXTENDED_OFFSETS = 0x7FE00001


@dataclass(slots=True)
class PixelFile:
    """A DICOM file opened for its frames.

    Raises
    ------
    ReadError
        On creation or when a frame is asked for: not decodable, cut short, absurd or too large.
    """

    path: Path
    outline: Outline = field(init=False)
    header: Header = field(init=False)
    form: Form = field(init=False)
    _data: bytes | None = field(init=False, default=None)
    _spans: list[list[Span]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        outline = read_outline(self.path)
        if outline is None or outline.pixels is None:
            raise self.error(Code.CHANGED, "no longer holds an image", "Open the folder again.")
        self.outline = outline
        self.header = Header(outline)
        self.form = form_of(self.path, self.header, outline.pixels.tag)
        if outline.pixels.length is not None:
            self.form = as_present(self.form, outline.pixels.length)
        self._check_syntax()
        self._check_size()

    def error(self, code: Code, what: str, do: str = "Copy or export the file again.") -> ReadError:
        """An error about this file."""
        return ReadError(what, code=code, file=self.path.name, do=do)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of a frame."""
        return self.form.columns, self.form.rows

    @property
    def is_encapsulated(self) -> bool:
        """True when the pixels are compressed fragments."""
        return self.outline.pixels is not None and self.outline.pixels.length is None

    def _check_syntax(self) -> None:
        uid = self.outline.syntax
        syntax = SYNTAXES.get(uid)
        if syntax is None or not syntax.known:
            name = syntax.name if syntax else "an unknown transfer syntax"
            raise self.error(
                Code.SYNTAX_UNKNOWN,
                f"is stored as {name} ({uid}), which cannot be decoded",
                "Export it uncompressed or as JPEG 2000.",
            )

    def _check_size(self) -> None:
        form = self.form
        needed = form.frame_bits * form.frames // 8
        if is_too_large(needed):
            raise self.error(
                Code.TOO_LARGE,
                f"claims {form.frames} x {form.rows} x {form.columns} pixels, "
                f"{needed / 2**30:.1f} GiB, more than may be used here",
                "Close other programs or open a part of it.",
            )
        self._check_present()
        if self.is_encapsulated and needed > MAX_COMPRESSION * size_of(self.path) + 2**20:
            raise self.error(
                Code.TOO_LARGE,
                f"claims {needed / 2**20:.0f} MB of pixels in {size_of(self.path)} bytes",
            )

    def _check_present(self) -> None:
        """Refuse a file without even one whole frame before there is room for what it claims."""
        place, total = self.outline.pixels, self.outline.total
        if place is None or place.length is None or total is None:
            return
        present = min(place.length, max(0, total - place.offset))
        if 8 * present < self.form.frame_bits:
            raise self._cut_short(present)

    def forget(self) -> None:
        """Let go of the bytes of a file whose only frame has been decoded."""
        if self.form.frames == 1:
            self._data = None

    # ------------------------------------------------------------------ bytes of a frame

    def _all(self) -> bytes:
        """The whole file, or the whole inflated data set."""
        if self._data is None:
            with open_binary(self.path) as file:
                raw = read_from(file, self.path, 0, size_of(self.path))
            self._data = self._inflated(raw) if self.outline.syntax == DEFLATED else raw
        return self._data

    def _inflated(self, raw: bytes) -> bytes:
        limit = max(MAX_INFLATED, MAX_INFLATION * len(raw))
        engine = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = engine.decompress(raw[self.outline.begin :], limit)
        except zlib.error as error:
            raise self.error(Code.DECODING_FAILED, "its deflated data are damaged") from error
        if engine.unconsumed_tail:
            raise self.error(Code.INFLATES, f"inflates to more than {limit / 2**20:.0f} MB")
        return data

    @property
    def has_plain_words(self) -> bool:
        """True when frames are 16-bit words that can be read straight to where they go."""
        return (
            self.form.dtype.itemsize == 2
            and self.form.samples == 1
            and self.outline.little
            and self.outline.total is not None
            and not self.is_encapsulated
        )

    def raw_words(self, frame: int) -> NDArray[np.uint16]:
        """Words of a frame of plain words as they are in the file, with all their bits."""
        data, _ = self._native_bytes(frame)
        return np.frombuffer(data, "<u2").reshape(self.form.rows, self.form.columns)

    def read_words(self, frame: int, out: Pixels) -> None:
        """Read the stored values of a frame of plain words into `out`, (rows, columns)."""
        place = self.outline.pixels
        assert place is not None
        begin, size = frame * out.nbytes, out.nbytes
        with open_binary(self.path) as file:
            present = read_into(file, self.path, place.offset + begin, out.data.cast("B"))
        present = min(present, max(0, (place.length or 0) - begin))
        if present < size:
            out[...] = 0
            raise self._cut_short(begin + present)
        clean_in_place(out, self.form)

    def _native_bytes(self, frame: int) -> tuple[bytes, int]:
        """Bytes that hold a frame stored as it is, and the bit at which it begins."""
        place = self.outline.pixels
        assert place is not None
        first = frame * self.form.frame_bits
        begin, skip = divmod(first, 8)
        count = (skip + self.form.frame_bits + 7) // 8
        lead = begin % 2 if self._is_swapped else 0
        if self._is_swapped:  # whole words are turned, also where a frame begins within one
            begin, count = begin - lead, (lead + count + 1) // 2 * 2
        if self.outline.total is None:
            data = self._all()[place.offset + begin : place.offset + begin + count]
        else:
            with open_binary(self.path) as file:
                data = read_from(file, self.path, place.offset + begin, count)
        declared = (place.length or 0) - begin
        if len(data) < count or declared < count:
            raise self._cut_short(min(len(data), max(0, declared)) + begin)
        if self._is_swapped:
            data = np.frombuffer(data, "u2").byteswap().tobytes()[lead:]
        return data, skip

    def _cut_short(self, present: int) -> ReadError:
        whole = max(1, self.form.frame_bits * self.form.frames // 8)
        share = int(100 * max(0, present) / whole)
        return self.error(
            Code.ENDS_EARLY,
            f"ends early: {share} % of the pixel data present",
            "Copy the file again.",
        )

    def _coded_bytes(self, frame: int) -> bytes:
        place = self.outline.pixels
        assert place is not None
        if self._spans is None:
            table = self.header.raw(EXTENDED_OFFSETS)
            self._spans = frames_of(self._all(), place.offset, self.form.frames, table)
        data = self._all()
        joined = b"".join(data[at : at + size] for at, size in self._spans[frame])
        if not joined:
            raise self.error(Code.ENDS_EARLY, f"frame {frame + 1} is missing")
        return joined

    # ------------------------------------------------------------------------- values

    def stored_values(self, frame: int) -> Pixels:
        """Values of a frame before any rescale: (rows, columns), or (rows, columns, samples).

        Sign and unused bits are set right (R24); colour is as stored unless a codec turned it.
        """
        if self.is_encapsulated:
            return self._decoded(frame)
        data, skip = self._native_bytes(frame)
        form = self.form
        if form.allocated == 1:
            bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
            return bits[skip : skip + form.frame_bits].reshape(form.rows, form.columns)
        stored = form.dtype if self.outline.little else form.dtype.newbyteorder(">")
        raw = np.frombuffer(data, stored, count=form.frame_bits // form.allocated)
        if form.shares_colours:
            if form.columns % 2:
                raise self.error(Code.IMPOSSIBLE_SIZE, "shares colours in an odd number of columns")
            return expanded_422(raw, form)
        return cleaned(shaped(raw, form), form)

    @property
    def _is_swapped(self) -> bool:
        """True for 8-bit values in 16-bit words of a big endian file (PS3.5, 8.1.1)."""
        place = self.outline.pixels
        assert place is not None
        return not self.outline.little and self.form.allocated == 8 and place.vr == "OW"

    def stream_doubt(self) -> str:
        """Where the first codestream says other bits or another sign than the header (A10)."""
        place, form = self.outline.pixels, self.form
        says_form = any(family in SYNTAXES[self.outline.syntax].name for family in _SAYING_FORM)
        if place is None or not self.is_encapsulated or form.samples > 1 or not says_form:
            return ""
        with open_binary(self.path) as file:
            head = read_from(file, self.path, place.offset, _HEAD)
        starts = [at for mark in _STREAM_STARTS if (at := head.find(mark)) >= 0]
        stream = stream_header(self.outline.syntax, head[min(starts) :]) if starts else None
        if stream is None:
            return ""
        can_sign = SYNTAXES[self.outline.syntax].name.find("2000") >= 0
        signs = (form.signed, stream.signed if can_sign else form.signed)
        if form.stored == stream.bits and signs[0] == signs[1]:
            return ""
        return (
            f"the header says {_kind(form.stored, signs[0])}, the image inside "
            f"{_kind(stream.bits, signs[1])}; the header's sign and the fewer bits are used"
        )

    def _decoded(self, frame: int) -> Pixels:
        form, uid = self.form, self.outline.syntax
        data = self._coded_bytes(frame)
        stream = stream_header(uid, data)
        if stream is not None and (stream.rows, stream.columns) != (form.rows, form.columns):
            raise self.error(
                Code.SIZES_DISAGREE,
                f"the header says {form.columns} x {form.rows}, "
                f"the image inside is {stream.columns} x {stream.rows}",
            )
        coded = Coded(form.rows, form.columns, form.samples, form.allocated, form.photometric)
        try:
            found = decode(uid, data, coded)
        except CodecError as error:
            name = SYNTAXES[uid].name
            raise self.error(
                Code.DECODING_FAILED, f"frame {frame + 1} ({name}, {uid}) is damaged"
            ) from error
        except MemoryError as error:
            raise self.error(Code.TOO_LARGE, "needs more memory than there is") from error
        wanted = (form.rows, form.columns) + ((form.samples,) if form.samples > 1 else ())
        if found.shape != wanted:
            raise self.error(
                Code.SIZES_DISAGREE,
                f"the header says {wanted}, the image inside is {found.shape}",
            )
        return from_stream(found, form, stream)


def _kind(bits: int, signed: bool) -> str:
    return f"{bits} bits {'with' if signed else 'without'} a sign"
