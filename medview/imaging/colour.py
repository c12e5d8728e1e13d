"""Colour tables by name, from perceptually even maps that colour-blind readers can use."""

from __future__ import annotations

import colorsys
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

#: Names offered to the reader, the default of each kind of map first.
COLOUR_MAPS = ("inferno", "viridis", "magma", "cividis", "plasma", "gray")
#: For labels, which have no order: places that lie side by side have hues far apart.
DISTINCT = "distinct"
# The golden section of the circle of hues: no later hue falls on an earlier one.
_HUE_STEP = (3 - 5**0.5) / 2


@lru_cache(maxsize=32)
def colour_table(name: str) -> NDArray[np.uint8]:
    """RGBA of a colour map from low to high, (256, 4) uint8, opaque, read-only.

    `name` is a map of the cmap catalogue, ``DISTINCT``, or one colour such as "#e8a33d" for a
    mask.

    Raises
    ------
    ValueError
        If there is no such map or colour.
    """
    # A window with images alone starts without it.
    import cmap

    if name == DISTINCT:
        table = _distinct()
    elif name.startswith("#"):
        table = np.tile(np.array(cmap.Color(name).rgba8, dtype=np.float64), (256, 1))
        table[:, 3] = 255
    else:
        table = cmap.Colormap(name).lut(256) * 255
    opaque = np.asarray(np.rint(table), dtype=np.uint8)
    opaque[:, 3] = 255
    opaque.setflags(write=False)
    return opaque


def _distinct() -> NDArray[np.float64]:
    """Hues turned by the golden section from place to place, (256, 4), none of them dark."""
    table = np.full((256, 4), 255.0)
    for place in range(256):
        saturation = (0.62, 0.85)[place % 2]
        table[place, :3] = colorsys.hsv_to_rgb(place * _HUE_STEP % 1, saturation, 1.0)
    table[:, :3] *= 255
    return table
