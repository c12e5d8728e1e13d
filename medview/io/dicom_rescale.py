"""From stored values to what they mean, and how the file wants them shown (R24-R28)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medview.domain.volume import ValueTable, Window, WindowFunction
from medview.io.dicom_classes import PARAMETRIC_MAP, RT_DOSE
from medview.io.dicom_form import Form, Pixels
from medview.io.dicom_frames import Frames
from medview.io.dicom_values import Header
from medview.io.values import INT16

_MOST_SIGNS = 16  # of a decimal string
_LARGEST = 1e28  # values of 32 bits times this are numbers in single precision still


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A look-up table: stored value `first` maps to ``values[0]``; beyond it the ends hold."""

    first: int
    values: NDArray[np.uint16]

    def of(self, stored: Pixels) -> Pixels:
        """Look stored values up."""
        index = np.clip(stored.astype(np.int64) - self.first, 0, len(self.values) - 1)
        return np.asarray(self.values[index])


@dataclass(frozen=True, slots=True, eq=False)
class Rescale:
    """The modality transform of a frame: a table, or slope and intercept; never both."""

    slope: float = 1.0
    intercept: float = 0.0
    table: Table | None = None

    @property
    def is_whole(self) -> bool:
        """True when whole stored values stay whole."""
        return self.table is not None or (self.slope.is_integer() and self.intercept.is_integer())

    @property
    def is_identity(self) -> bool:
        """True when stored values are what they mean."""
        return self.table is None and (self.slope, self.intercept) == (1, 0)

    def same_as(self, other: Rescale) -> bool:
        """Say whether two frames mean the same by the same stored value."""
        if self.table is not None or other.table is not None:
            return self.table is other.table
        return (self.slope, self.intercept) == (other.slope, other.intercept)

    def limits(self, form: Form) -> tuple[float, float]:
        """Smallest and largest value that can come out."""
        if self.table is not None:
            return float(self.table.values.min()), float(self.table.values.max())
        ends = [self.slope * end + self.intercept for end in form.limits]
        return min(ends), max(ends)

    def fits_int16(self, form: Form) -> bool:
        """True when every stored value that can be is an exact 16-bit integer afterwards."""
        if form.floating or not self.is_whole:
            return False
        low, high = self.limits(form)
        return low >= INT16.min and high <= INT16.max

    def into(self, stored: Pixels, out: Pixels) -> None:
        """Write the values of one frame to `out` (int16, or float32 without a float64 copy)."""
        if self.table is not None:
            out[...] = self.table.of(stored)
            return
        out[...] = stored
        self._turn(out)

    def in_place(self, words: Pixels, stored: np.dtype[np.generic]) -> None:
        """Turn 16-bit stored values into what they mean, where they are."""
        if self.table is not None:
            words[...] = self.table.of(words.view(stored))
        else:
            self._turn(words)

    def _turn(self, values: Pixels) -> None:
        number = np.int16 if values.dtype.kind == "i" else np.float32
        if self.slope != 1:
            np.multiply(values, number(self.slope), out=values)
        if self.intercept != 0:
            np.add(values, number(self.intercept), out=values)


def rescale_of(frames: Frames, frame: int) -> Rescale:
    """Modality transform of a frame, from its group or from the top of the file."""
    source = frames.group(frame, "PixelValueTransformationSequence") or frames.header
    tables = source.items("ModalityLUTSequence")
    if tables:
        table = table_of(tables[0], signed=frames.header.whole("PixelRepresentation") == 1)
        if table is not None:
            return Rescale(table=Table(*table[:2]))
    slope, intercept = source.number("RescaleSlope"), source.number("RescaleIntercept")
    header = frames.header
    if value_doubt(source):
        return Rescale()
    sop_class = header.word("SOPClassUID")
    if slope is None and sop_class == PARAMETRIC_MAP:
        return _real_world(frames, frame)
    if sop_class == RT_DOSE:
        return Rescale(header.number("DoseGridScaling") or 1.0)
    if header.word("SegmentationType") == "FRACTIONAL":
        return Rescale(1.0 / (header.number("MaximumFractionalValue") or 255.0))
    return Rescale(slope or 1.0, intercept or 0.0)


def value_doubt(header: Header) -> str:
    """Why slope and intercept of a file cannot be used, or empty: then values are as stored."""
    for keyword, name in (("RescaleSlope", "slope"), ("RescaleIntercept", "intercept")):
        text, value = header.word(keyword)[:_MOST_SIGNS], header.number(keyword)
        if text and (value is None or abs(value) > _LARGEST):
            return f"{name} of the values is given as {text}, which cannot be: they are as stored"
    return ""


def _real_world(frames: Frames, frame: int) -> Rescale:
    group = frames.group(frame, "RealWorldValueMappingSequence")
    if group is None:
        return Rescale()
    slope, intercept = group.number("RealWorldValueSlope"), group.number("RealWorldValueIntercept")
    return Rescale(slope or 1.0, intercept or 0.0)


def table_of(item: Header, *, signed: bool) -> tuple[int, NDArray[np.uint16], int] | None:
    """First input, values and bits of a LUT item (PS3.3 C.11.1.1); None when it is unusable."""
    descriptor = item.numbers("LUTDescriptor")
    if len(descriptor) != 3:
        return None
    # Descriptors may be written as US although the first input is signed.
    count, first, bits = (int(n) for n in descriptor)
    count = count & 0xFFFF or 65536
    first = first - 65536 if signed and first > 32767 else first
    raw = item.raw("LUTData")
    wide = len(raw) >= 2 * count
    order = "<" if item.outline.little else ">"
    values = np.frombuffer(raw[: 2 * count if wide else count], f"{order}u2" if wide else "u1")
    # A table of more bits that is cut short must not be taken for one of bytes.
    if values.size != count or not 1 <= bits <= (16 if wide else 8):
        return None
    return first, values.astype(np.uint16), bits


# -------------------------------------------------------------------- how it wants to be shown

_FUNCTIONS: dict[str, WindowFunction] = {
    "": "LINEAR",
    "LINEAR": "LINEAR",
    "LINEAR_EXACT": "LINEAR_EXACT",
    "SIGMOID": "SIGMOID",
}


def windows_of(frames: Frames, frame: int) -> tuple[Window, ...]:
    """Windows that the file proposes, the first being its default (R26)."""
    return windows_in(frames.group(frame, "FrameVOILUTSequence") or frames.header)


def windows_in(source: Header, name: str = "") -> tuple[Window, ...]:
    """Windows of a data set or item; `name` stands for those without an explanation."""
    function = _FUNCTIONS.get(source.word("VOILUTFunction"), "LINEAR")
    smallest = 1.0 if function == "LINEAR" else 0.0
    labels = source.text("WindowCenterWidthExplanation").split("\\")
    found = []
    pairs = zip(source.numbers("WindowCenter"), source.numbers("WindowWidth"), strict=False)
    for n, (centre, width) in enumerate(pairs):
        if width > 0 and width >= smallest:
            label = labels[n].strip() if n < len(labels) else ""
            found.append(Window(width, centre, function, label or name))
    return tuple(found)


def value_table_of(frames: Frames, frame: int) -> ValueTable | None:
    """VOI look-up table of the file, scaled to 0..1 (R26)."""
    source = frames.group(frame, "FrameVOILUTSequence") or frames.header
    return value_table_in(source, signed=frames.header.whole("PixelRepresentation") == 1)


def value_table_in(source: Header, *, signed: bool) -> ValueTable | None:
    """VOI look-up table of a data set or item, scaled to 0..1; None without a usable one."""
    items = source.items("VOILUTSequence")
    found = table_of(items[0], signed=signed) if items else None
    if found is None:
        return None
    first, values, bits = found
    scaled = np.clip(values.astype(np.float32) / np.float32((1 << bits) - 1), 0, 1)
    return ValueTable(float(first), scaled)


def is_inverted(header: Header) -> bool:
    """True when small values are bright: MONOCHROME1 or an INVERSE presentation (R27)."""
    if header.word("PhotometricInterpretation") == "MONOCHROME1":
        return True
    return header.word("PresentationLUTShape") == "INVERSE"


def padding_of(header: Header, rescale: Rescale, form: Form) -> tuple[float, float] | None:
    """Values, after rescale, that are no image (R28); compared as stored values there."""
    if "PixelPaddingValue" not in header:
        return None
    ends = [header.whole("PixelPaddingValue"), header.whole("PixelPaddingRangeLimit")]
    stored = np.array([_as_stored(end, form) for end in ends if end is not None])
    if not stored.size:
        return None
    if rescale.table is not None:
        values = rescale.table.of(stored).astype(float)
    else:
        values = stored * rescale.slope + rescale.intercept
    return float(values.min()), float(values.max())


def _as_stored(value: int, form: Form) -> int:
    """Padding is often written as US where the pixels are signed, or the reverse."""
    if form.signed and value > form.limits[1]:
        return value - (1 << form.allocated)
    return value + (1 << form.allocated) if not form.signed and value < 0 else value
