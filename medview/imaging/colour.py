"""Colour tables by name, from perceptually even maps that colour-blind readers can use."""

from __future__ import annotations

from functools import lru_cache

import cmap
import numpy as np
from numpy.typing import NDArray

#: Names offered to the reader, the default of each kind of map first.
COLOUR_MAPS = ("inferno", "viridis", "magma", "cividis", "plasma", "gray")


@lru_cache(maxsize=32)
def colour_table(name: str) -> NDArray[np.uint8]:
    """RGBA of a colour map from low to high, (256, 4) uint8, opaque, read-only.

    `name` is a map of the cmap catalogue, or one colour such as "#e8a33d" for a mask.

    Raises
    ------
    ValueError
        If there is no such map or colour.
    """
    if name.startswith("#"):
        table = np.tile(np.array(cmap.Color(name).rgba8, dtype=np.float64), (256, 1))
        table[:, 3] = 255
    else:
        table = cmap.Colormap(name).lut(256) * 255
    opaque = np.asarray(np.rint(table), dtype=np.uint8)
    opaque[:, 3] = 255
    opaque.setflags(write=False)
    return opaque
