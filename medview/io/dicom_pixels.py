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
from medview.io.dicom_codecs import SYNTAXES, CodecError, Coded, Stream, decode, stream_header
from medview.io.dicom_fragments import Span, frames_of
from medview.io.dicom_outline import DEFLATED, Outline, read_outline
from medview.io.dicom_values import Header
from medview.io.limits import is_too_large
from medview.io.sources import open_binary, read_from, read_into, size_of

Pixels = NDArray[np.generic]

MAX_INFLATED = 256 * 2**20
MAX_INFLATION = 200
MAX_COMPRESSION = 1000
EXTENDED_OFFSETS = 0x7FE00001
FLOAT_PIXELS, DOUBLE_PIXELS = 0x7FE00008, 0x7FE00009


@dataclass(frozen=True, slots=True)
class Form:
    """How the values of a file are stored: (0028,0002) to (0028,0103)."""

    rows: int
    columns: int
    frames: int
    samples: int
    planar: bool
    photometric: str
    allocated: int
    stored: int
    high: int
    signed: bool
    floating: bool

    @property
    def frame_bits(self) -> int:
        """Bits of one frame stored as it is."""
        if self.photometric == "YBR_FULL_422" and self.samples == 3:
            return self.rows * self.columns * 2 * self.allocated
        return self.rows * self.columns * self.samples * self.allocated

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type that holds a stored value, little endian."""
        if self.floating:
            return np.dtype(f"<f{self.allocated // 8}")
        bytes_each = max(8, self.allocated) // 8
        return np.dtype(f"<{'i' if self.signed else 'u'}{bytes_each}")

    @property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest value that the bits stored can hold."""
        if self.signed:
            return -(1 << (self.stored - 1)), (1 << (self.stored - 1)) - 1
        return 0, (1 << self.stored) - 1


def form_of(path: Path, header: Header, pixel_tag: int) -> Form:
    """Read how values are stored.

    Raises
    ------
    ReadError
        If size, bits or samples are absent or absurd.
    """
    floating = pixel_tag in (FLOAT_PIXELS, DOUBLE_PIXELS)
    allocated = header.whole("BitsAllocated") or 0
    stored = header.whole("BitsStored") or allocated
    high = header.whole("HighBit")
    form = Form(
        rows=header.whole("Rows") or 0,
        columns=header.whole("Columns") or 0,
        frames=max(1, header.whole("NumberOfFrames") or 1),
        samples=header.whole("SamplesPerPixel") or 1,
        planar=header.whole("PlanarConfiguration") == 1,
        photometric=header.word("PhotometricInterpretation") or "MONOCHROME2",
        allocated=allocated,
        stored=stored,
        high=stored - 1 if high is None else high,
        signed=header.whole("PixelRepresentation") == 1,
        floating=floating,
    )
    wrong = _what_is_wrong(form)
    if wrong:
        raise ReadError(
            wrong, code=Code.IMPOSSIBLE_SIZE, file=path.name, do="Export the file again."
        )
    return form


def _what_is_wrong(form: Form) -> str:
    if not (0 < form.rows <= 65535 and 0 < form.columns <= 65535):
        return "has no usable number of rows and columns"
    if form.samples not in (1, 3, 4):
        return f"has {form.samples} samples per pixel"
    if form.floating:
        return "" if form.allocated in (32, 64) else f"stores floats in {form.allocated} bits"
    if form.allocated not in (1, 8, 16, 32):
        return f"stores values in {form.allocated} bits"
    if not 0 < form.stored <= form.allocated or not form.stored - 1 <= form.high < form.allocated:
        return f"uses {form.stored} of {form.allocated} bits up to bit {form.high}"
    return ""


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
        if self.is_encapsulated and needed > MAX_COMPRESSION * size_of(self.path) + 2**20:
            raise self.error(
                Code.TOO_LARGE,
                f"claims {needed / 2**20:.0f} MB of pixels in {size_of(self.path)} bytes",
            )

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
        if self._is_swapped:
            count += count % 2
        if self.outline.total is None:
            data = self._all()[place.offset + begin : place.offset + begin + count]
        else:
            with open_binary(self.path) as file:
                data = read_from(file, self.path, place.offset + begin, count)
        declared = (place.length or 0) - begin
        if len(data) < count or declared < count:
            raise self._cut_short(min(len(data), max(0, declared)) + begin)
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
        if self._is_swapped:
            data = np.frombuffer(data, "u2").byteswap().tobytes()
        raw = np.frombuffer(data, stored, count=form.frame_bits // form.allocated)
        if form.photometric == "YBR_FULL_422" and form.samples == 3:
            return _expanded_422(raw, form)
        return cleaned(_shaped(raw, form), form)

    @property
    def _is_swapped(self) -> bool:
        """True for 8-bit values in 16-bit words of a big endian file (PS3.5, 8.1.1)."""
        place = self.outline.pixels
        assert place is not None
        return not self.outline.little and self.form.allocated == 8 and place.vr == "OW"

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
        return _from_stream(found, form, stream)


def _shaped(raw: Pixels, form: Form) -> Pixels:
    if form.samples == 1:
        return raw.reshape(form.rows, form.columns)
    if form.planar:
        return np.moveaxis(raw.reshape(form.samples, form.rows, form.columns), 0, -1)
    return raw.reshape(form.rows, form.columns, form.samples)


def _expanded_422(raw: Pixels, form: Form) -> Pixels:
    """Two luminances share a pair of chrominances: Y1 Y2 Cb Cr (PS3.3 C.7.6.3.1.2)."""
    quads = raw.reshape(-1, 4)
    pixels = np.empty((len(quads), 2, 3), raw.dtype)
    pixels[:, :, 0] = quads[:, :2]
    pixels[:, :, 1:] = quads[:, None, 2:]
    return pixels.reshape(form.rows, form.columns, 3)


def cleaned(values: Pixels, form: Form) -> Pixels:
    """Keep the bits stored, shifted down and sign-extended; the rest may be an overlay (R24)."""
    if form.floating or form.stored == form.allocated:
        return values
    return _bits(values, form.high + 1 - form.stored, form.stored, form.signed)


def clean_in_place(words: Pixels, form: Form) -> None:
    """The same for 16-bit words, without another copy."""
    if form.floating or form.stored == 16:
        return
    unsigned = words.view(np.uint16)
    if not form.signed and form.high == form.stored - 1:
        np.bitwise_and(unsigned, np.uint16((1 << form.stored) - 1), out=unsigned)
    else:
        words[...] = cleaned(words.view(form.dtype), form)


def _bits(values: Pixels, low: int, count: int, signed: bool) -> Pixels:
    """Bits `low` to ``low + count - 1`` of each value, as a number with or without sign."""
    size = values.dtype.itemsize
    words = values.astype(f"=u{size}", copy=False)
    above = 8 * size - count - low
    if signed:
        return np.asarray((words << above).view(f"=i{size}") >> (above + low))
    return np.asarray((words >> low) & ((1 << count) - 1))


def _from_stream(found: Pixels, form: Form, stream: Stream | None) -> Pixels:
    """Set the sign as the data set says it, by the number of bits of the codestream.

    Some writers store signed values in a stream marked unsigned, and the reverse; the bits
    are right in both.
    """
    if found.ndim == 3:
        return found
    bits = stream.bits if stream is not None else form.allocated
    size = max(form.allocated // 8, 1)
    if found.dtype.itemsize < size:
        found = found.astype(f"=i{size}" if found.dtype.kind == "i" else f"=u{size}")
    if stream is None:
        return cleaned(found.view(form.dtype), form)
    if form.signed:
        return _bits(found, 0, min(bits, form.stored), True)
    if found.dtype.kind == "i" or bits > form.stored:
        return _bits(found, 0, min(bits, form.stored), False)
    return found
