"""Colour as the file stores it, to 8-bit red, green and blue (R29)."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from medview.io.dicom_form import Form, Pixels
from medview.io.dicom_values import Header

RGB8 = NDArray[np.uint8]
MAX_ENTRIES = 65536
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
    if form.photometric in ("YBR_FULL", "YBR_FULL_422") and syntax not in _TURNED:
        shallow = _from_ybr(shallow)
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


def _from_ybr(pixels: RGB8) -> RGB8:
    """Full-range luminance and chrominance (PS3.3 C.7.6.3.1.2, after ITU-R BT.601)."""
    y, b, r = np.moveaxis(pixels.astype(np.float32), -1, 0)
    b -= 128
    r -= 128
    rgb = np.stack((y + 1.402 * r, y - 0.344136 * b - 0.714136 * r, y + 1.772 * b), axis=-1)
    return np.asarray(np.clip(np.rint(rgb), 0, 255), dtype=np.uint8)


def _by_palette(pixels: Pixels, header: Header) -> RGB8:
    """Look indices up; below and above the table its ends hold (PS3.3 C.7.6.3.1.5)."""
    out = np.empty((*pixels.shape, 3), np.uint8)
    for n, colour in enumerate(("Red", "Green", "Blue")):
        first, table = _palette(header, colour)
        index = np.clip(pixels.astype(np.int64) - first, 0, len(table) - 1)
        out[..., n] = table[index]
    return out


def _palette(header: Header, colour: str) -> tuple[int, RGB8]:
    descriptor = header.numbers(f"{colour}PaletteColorLookupTableDescriptor")
    if len(descriptor) != 3:
        return 0, np.arange(256, dtype=np.uint8)
    count, first, bits = (int(n) for n in descriptor)
    count = count & 0xFFFF or MAX_ENTRIES
    order = "<" if header.outline.little else ">"
    raw = header.raw(f"Segmented{colour}PaletteColorLookupTableData")
    if raw:
        words = np.frombuffer(raw[: len(raw) // 2 * 2], f"{order}u2").astype(int).tolist()
        table = np.array(_unfolded(words, count), np.int64)
    else:
        raw = header.raw(f"{colour}PaletteColorLookupTableData")
        wide = len(raw) >= 2 * count
        table = np.frombuffer(
            raw[: len(raw) // 2 * 2] if wide else raw, f"{order}u2" if wide else "u1"
        )
        table = table[:count].astype(np.int64)
        # Tables of 8 bits are written in 16-bit words, too: in the lower byte, the upper or both.
        if not wide:
            bits = 8
        elif table.max(initial=0) > 255:
            bits = bits if bits > 8 else 16
    if not table.size:
        return 0, np.arange(256, dtype=np.uint8)
    shift = max(0, min(bits, 16) - 8)
    return first, np.clip(table >> shift, 0, 255).astype(np.uint8)


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
