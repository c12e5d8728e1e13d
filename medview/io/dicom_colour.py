"""Colour as the file stores it, to 8-bit red, green and blue (R29)."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from medview.io.dicom_form import Form, Pixels
from medview.io.dicom_values import Header

RGB8 = NDArray[np.uint8]
MAX_ENTRIES = 65536
_MOST_OF_8, _BELOW_ZERO = 255, 0x8000
_YBR = ("YBR_FULL", "YBR_PARTIAL")
# JPEG decoders turn colours themselves.
_TURNED = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")


def to_rgb(pixels: Pixels, form: Form, header: Header, syntax: str) -> RGB8:
    """Give (rows, columns, 3) 8-bit colour.

    Deeper values keep their upper 8 bits. `pixels` are stored values: samples, or indices of
    a palette.
    """
    if form.photometric == "PALETTE COLOR":
        return _by_palette(pixels, header)
    shallow = _eight_bits(pixels[..., :3], form.stored)
    if form.photometric.startswith(_YBR) and syntax not in _TURNED:
        shallow = _from_ybr(shallow, partial=form.photometric.startswith("YBR_PARTIAL"))
    profile = header.raw("ICCProfile")
    return _by_profile(shallow, profile) if profile else shallow


def _by_profile(pixels: RGB8, profile: bytes) -> RGB8:
    """Turn colours of a device into those of a screen (sRGB); a profile that is none is left."""
    try:
        turn = _transform(profile)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return pixels
    turned = ImageCms.applyTransform(Image.fromarray(np.ascontiguousarray(pixels)), turn)
    return pixels if turned is None else np.asarray(turned, dtype=np.uint8)


@lru_cache(maxsize=4)
def _transform(profile: bytes) -> ImageCms.ImageCmsTransform:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), "RGB", "RGB")


def _eight_bits(pixels: Pixels, bits: int) -> RGB8:
    if bits <= 8:
        return pixels.astype(np.uint8, copy=False)
    return np.asarray(pixels.astype(np.int64) >> (bits - 8)).astype(np.uint8)


def _from_ybr(pixels: RGB8, *, partial: bool = False) -> RGB8:
    """Luminance and chrominance (PS3.3 C.7.6.3.1.2, after ITU-R BT.601).

    They have the full range; in `partial` luminances go from 16 to 235 and chrominances to 240.
    """
    y, b, r = np.moveaxis(pixels.astype(np.float32), -1, 0)
    b -= 128
    r -= 128
    if partial:
        y = (y - 16) * (255 / 219)
        b, r = b * (255 / 224), r * (255 / 224)
    rgb = np.stack((y + 1.402 * r, y - 0.344136 * b - 0.714136 * r, y + 1.772 * b), axis=-1)
    return np.asarray(np.clip(np.rint(rgb), 0, 255), dtype=np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """A colour of a palette: the index of its first entry, its entries, how many bits they have.

    `wide` says that each takes two bytes, whatever the bits.
    """

    first: int
    entries: NDArray[np.int64]
    bits: int = 8
    wide: bool = False


_GREYS = _Table(0, np.arange(256))


def _by_palette(pixels: Pixels, header: Header) -> RGB8:
    """Look indices up; below and above the table its ends hold (PS3.3 C.7.6.3.1.5)."""
    tables = [_table(header, colour) for colour in ("Red", "Green", "Blue")]
    highest = max((int(t.entries.max(initial=0)) for t in tables if t.wide), default=0)
    out = np.empty((*pixels.shape, 3), np.uint8)
    for n, table in enumerate(tables):
        index = np.clip(pixels.astype(np.int64) - table.first, 0, len(table.entries) - 1)
        shades = np.clip(table.entries >> _shift(table, highest), 0, 255).astype(np.uint8)
        out[..., n] = shades[index]
    return out


def _shift(table: _Table, highest: int) -> int:
    """By how many bits entries are too deep; `highest` is the highest of all colours.

    Descriptors say 8 or 16 bits of one way of writing and often mean the other (PS3.3
    C.7.6.3.1.6): entries of two bytes hold 8 bits where none of any colour is above 255, and 16
    where one is. A colour alone does not tell: of a deep palette it may be nearly black.
    """
    if not table.wide or highest <= _MOST_OF_8:
        return 0
    bits = table.bits if table.bits > 8 else 16
    return min(bits, 16) - 8


def _table(header: Header, colour: str) -> _Table:
    descriptor = header.numbers(f"{colour}PaletteColorLookupTableDescriptor")
    if len(descriptor) != 3:
        return _GREYS
    count, first, bits = (int(n) for n in descriptor)
    count = count & 0xFFFF or MAX_ENTRIES
    if header.whole("PixelRepresentation") == 1 and first >= _BELOW_ZERO:
        first -= MAX_ENTRIES  # files that name no kinds of values leave open that it is signed
    order = "<" if header.outline.little else ">"
    raw = header.raw(f"Segmented{colour}PaletteColorLookupTableData")
    if raw:
        words = np.frombuffer(raw[: len(raw) // 2 * 2], f"{order}u2").astype(int).tolist()
        entries, wide = np.array(_unfolded(words, count), np.int64), True
    else:
        raw = header.raw(f"{colour}PaletteColorLookupTableData")
        wide = len(raw) >= 2 * count
        whole = raw[: len(raw) // 2 * 2] if wide else raw
        entries = np.frombuffer(whole, f"{order}u2" if wide else "u1")[:count].astype(np.int64)
    return _Table(first, entries, bits, wide) if entries.size else _GREYS


def _unfolded(words: list[int], count: int) -> list[int]:
    """Unfold a segmented table (PS3.3 C.7.9.2); it ends at `count` entries, whatever it says."""
    values: list[int] = []
    starts: list[int] = []
    at = 0
    while at + 1 < len(words) and len(values) < count:
        kind, length = words[at], words[at + 1]
        starts.append(at)
        if kind == 0:
            values += words[at + 2 : at + 2 + length]
            at += 2 + length
        elif kind == 1 and at + 2 < len(words):
            values += _line(values[-1] if values else 0, words[at + 2], length)
            at += 3
        elif kind == 2 and at + 3 < len(words):
            target = words[at + 2] | words[at + 3] << 16
            # Only discrete and linear segments before this one may be repeated.
            if target // 2 >= at or target // 2 not in starts:
                break
            begin = starts.index(target // 2)
            stop = starts[min(begin + length, len(starts) - 1)]
            values += _unfolded_once(words[target // 2 : stop], values[-1] if values else 0)
            at += 4
        else:
            break
    return values[:count]


def _unfolded_once(words: list[int], before: int) -> list[int]:
    """Unfold discrete and linear segments only, so that nothing can repeat itself."""
    values: list[int] = []
    at = 0
    while at + 1 < len(words) and len(values) < MAX_ENTRIES:
        kind, length = words[at], words[at + 1]
        if kind == 0:
            values += words[at + 2 : at + 2 + length]
            at += 2 + length
        elif kind == 1 and at + 2 < len(words):
            values += _line(values[-1] if values else before, words[at + 2], length)
            at += 3
        else:
            break
    return values


def _line(start: int, end: int, length: int) -> list[int]:
    """Values after `start` up to and with `end`, in even steps."""
    return [start + (end - start) * (n + 1) // length for n in range(length)] if length else []
