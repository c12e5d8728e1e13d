"""Overlays as RGBA: colour from the range, transparency from threshold, opacity and fading."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from medview.domain.overlay import LayerStyle, ScalarMap
from medview.domain.report import ColourBar
from medview.imaging.colour import colour_table

_CLEAR = 256
# Pixels that are coloured in one go.
_AT_ONCE = 1 << 17


def tint(
    values: NDArray[np.generic], style: LayerStyle, fade: NDArray[np.float32] | None = None
) -> NDArray[np.uint8]:
    """Colour a plane of map values, (h, w) to (h, w, 4) RGBA, not premultiplied.

    Colours span ``style.range``; values below ``style.threshold`` and NaN are fully
    transparent; the rest has ``style.opacity`` times `fade`, (h, w) in 0..1, if given. With
    ``style.outline`` only pixels beside a transparent one are drawn.
    """
    packed = np.empty(values.shape, dtype=np.uint32)
    table = _packed(style.colour_map, _byte(style.opacity))
    # A few rows at a time: what lies between stays in the processor's cache.
    step = max(1, _AT_ONCE // max(values.shape[1], 1))
    for row in range(0, values.shape[0], step):
        index = _places(values[row : row + step], style)
        # Nothing is ever clipped; it only lets numpy write where it is told to, without a copy.
        np.take(table, index, out=packed[row : row + step], mode="clip")
    rgba: NDArray[np.uint8] = packed.view(np.uint8).reshape(*values.shape, 4)
    if style.outline:
        inside = np.asarray(values, dtype=np.float32) >= style.threshold
        rgba[..., 3] *= _edge(inside)
    if fade is not None:
        alpha = rgba[..., 3] * fade
        alpha += np.float32(0.5)
        rgba[..., 3] = alpha
    return rgba


def _places(values: NDArray[np.generic], style: LayerStyle) -> NDArray[np.uint16]:
    """Place of each value in the table of colours; `_CLEAR` below the threshold and for NaN."""
    low, high = style.range
    numbers = np.asarray(values, dtype=np.float32)
    place = numbers - np.float32(low)
    place *= np.float32(255 / max(high - low, 1e-12))
    np.maximum(np.minimum(place, 255, out=place), 0, out=place)
    place += np.float32(0.5)
    with np.errstate(invalid="ignore"):  # NaN becomes any place, and then clear
        index = place.astype(np.uint16)
    np.putmask(index, ~(numbers >= style.threshold), _CLEAR)
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
    """Colours with their alpha as one number each; the last is fully transparent."""
    table = np.zeros((257, 4), dtype=np.uint8)
    table[:256] = colour_table(name)
    table[:256, 3] = alpha
    return table.view(np.uint32).reshape(257)
