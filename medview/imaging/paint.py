"""Overlays as RGBA: colour from the range, transparency from threshold, opacity and fading."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from medview.domain.overlay import LayerStyle, ScalarMap
from medview.domain.report import ColourBar
from medview.imaging.colour import colour_table

# From here on the table of colours is clear: places of values that are not drawn.
_CLEAR = 256
# Pixels that are coloured in one go: what lies between stays in the processor's cache.
_AT_ONCE = 1 << 16


def tint(
    values: NDArray[np.generic], style: LayerStyle, fade: NDArray[np.float32] | None = None
) -> NDArray[np.uint8]:
    """Colour a plane of map values, (h, w) to (h, w, 4) RGBA, not premultiplied.

    Colours span ``style.range``; values below ``style.threshold`` and NaN are fully
    transparent; the rest has ``style.opacity`` times `fade`, (h, w) in 0..1, if given. With
    ``style.outline`` only pixels beside a transparent one are drawn.
    """
    rows, columns = values.shape
    packed = np.empty((rows, columns), dtype=np.uint32)
    table = _packed(style.colour_map, _byte(style.opacity))
    step = max(1, _AT_ONCE // max(columns, 1))
    room = np.empty((min(step, rows), columns), np.float32)
    for row in range(0, rows, step):
        part = np.ascontiguousarray(values[row : row + step], dtype=np.float32)
        index = _places(part, style, room[: len(part)])
        # No place is outside the table; this only lets numpy write without a copy of its own.
        np.take(table, index, out=packed[row : row + step], mode="wrap")
    rgba: NDArray[np.uint8] = packed.view(np.uint8).reshape(rows, columns, 4)
    if style.outline:
        inside = np.asarray(values, dtype=np.float32) >= style.threshold
        rgba[..., 3] *= _edge(inside)
    if fade is not None:
        _fade(rgba, fade, _byte(style.opacity))
    return rgba


def _fade(rgba: NDArray[np.uint8], fade: NDArray[np.float32], alpha: int) -> None:
    """Multiply what is drawn, which has `alpha` everywhere, by a share of 0 to 1, in place."""
    step = max(1, _AT_ONCE // max(rgba.shape[1], 1))
    for row in range(0, rgba.shape[0], step):
        left = fade[row : row + step] * np.float32(alpha)
        left += np.float32(0.5)
        part = rgba[row : row + step, :, 3]
        np.multiply(left.astype(np.uint8), part != 0, out=part)


def _places(
    numbers: NDArray[np.float32], style: LayerStyle, room: NDArray[np.float32]
) -> NDArray[np.uint16]:
    """Place of each value in the table of colours; below the threshold and for NaN a clear one.

    `room`, of the same shape, is written over.
    """
    low, high = style.range
    np.subtract(numbers, np.float32(low), out=room)
    room *= np.float32(255 / max(high - low, 1e-12))
    np.clip(room, np.float32(0), np.float32(255), out=room)
    room += np.float32(0.5)
    with np.errstate(invalid="ignore"):  # NaN becomes any place, and then a clear one
        index = room.astype(np.uint16)
    hidden = np.logical_not(numbers >= np.float32(style.threshold))
    index |= np.left_shift(hidden, 8, dtype=np.uint16)
    return index


def _edge(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of a region that have a neighbour (up, down, left, right) outside of it."""
    round_ = np.pad(inside, 1)
    within = round_[:-2, 1:-1] & round_[2:, 1:-1] & round_[1:-1, :-2] & round_[1:-1, 2:]
    return inside & ~within


def certainty(values: NDArray[np.generic], span: tuple[float, float]) -> NDArray[np.float32]:
    """How much an uncertainty leaves of the opacity: 1 at the low end of `span`, 0 at the high.

    Where the uncertainty is not known (NaN) nothing is left: unknown is not certain.
    """
    low, high = span
    scale = -1 / max(high - low, 1e-12)
    share = np.ascontiguousarray(values, dtype=np.float32) * np.float32(scale)
    share += np.float32(1 - low * scale)
    np.fmin(np.fmax(share, 0, out=share), 1, out=share)
    return share


def colour_bar(shown: ScalarMap, style: LayerStyle) -> ColourBar:
    """The legend of a map as `tint` colours it."""
    low, high = style.range
    return ColourBar(
        colours=colour_table(style.colour_map)[:, :3],
        low=low,
        high=high,
        threshold=style.threshold,
        unit=shown.unit,
        title=shown.title or shown.name,
    )


def _byte(share: float) -> int:
    return int(min(max(share, 0.0), 1.0) * 255 + 0.5)


@lru_cache(maxsize=64)
def _packed(name: str, alpha: int) -> NDArray[np.uint32]:
    """Colours with their alpha as one number each; those of places from `_CLEAR` on are clear."""
    table = np.zeros((2 * _CLEAR, 4), dtype=np.uint8)
    table[:_CLEAR] = colour_table(name)
    table[:_CLEAR, 3] = alpha
    return table.view(np.uint32).reshape(2 * _CLEAR)
