"""How the values of a frame are stored, and which of their bits count (R24)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import ReadError
from medview.io.codes import Code
from medview.io.dicom_codecs import Stream
from medview.io.dicom_values import Header

Pixels = NDArray[np.generic]

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
    def shares_colours(self) -> bool:
        """Whether two pixels share their chrominances."""
        return self.photometric in ("YBR_FULL_422", "YBR_PARTIAL_422") and self.samples == 3

    @property
    def frame_bits(self) -> int:
        """Bits of one frame stored as it is."""
        if self.shares_colours:
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


# Taken out of the standard (PS3.3 C.7.6.3.1.2); drawn as red, green and blue they would be others.
_OTHER_COLOURS = ("HSV", "ARGB", "CMYK")


def _what_is_wrong(form: Form) -> str:
    if not (0 < form.rows <= 65535 and 0 < form.columns <= 65535):
        return "has no usable number of rows and columns"
    if form.samples not in (1, 3, 4):
        return f"has {form.samples} samples per pixel"
    if form.photometric in _OTHER_COLOURS:
        return f"stores colours as {form.photometric}, which is not shown"
    if form.floating:
        return "" if form.allocated in (32, 64) else f"stores floats in {form.allocated} bits"
    if form.allocated not in (1, 8, 16, 32):
        return f"stores values in {form.allocated} bits"
    if not 0 < form.stored <= form.allocated or not form.stored - 1 <= form.high < form.allocated:
        return f"uses {form.stored} of {form.allocated} bits up to bit {form.high}"
    return ""


def shaped(raw: Pixels, form: Form) -> Pixels:
    """Lay the values of a frame out as (rows, columns) or (rows, columns, samples)."""
    if form.samples == 1:
        return raw.reshape(form.rows, form.columns)
    if form.planar:
        return np.moveaxis(raw.reshape(form.samples, form.rows, form.columns), 0, -1)
    return raw.reshape(form.rows, form.columns, form.samples)


def as_present(form: Form, length: int) -> Form:
    """The form by the bytes that are there (`length`), uncompressed.

    Some programs spread the chrominances over their pixels and still call them shared.
    """
    whole = form.rows * form.columns * form.samples * form.frames * form.allocated // 8
    if not form.shares_colours or length < whole:
        return form
    return replace(form, photometric=form.photometric.removesuffix("_422"))


def expanded_422(raw: Pixels, form: Form) -> Pixels:
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


def from_stream(found: Pixels, form: Form, stream: Stream | None) -> Pixels:
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
