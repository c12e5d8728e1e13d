"""An overlay on the pixels of a frame: a number a pixel, and the colours that they stand for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Tint:
    """Colours over an image, a byte or two a pixel where RGBA has four.

    Parameters
    ----------
    places : NDArray[np.uint8]
        (h, w) which of the colours every pixel has; rows lie one after the other.
    colours : NDArray[np.uint8]
        (256, 4) RGBA, not premultiplied. The first is clear unless `alpha` is given.
    alpha : NDArray[np.uint8] | None
        (h, w) how much covers of every pixel, in place of what its colour says.
    """

    places: NDArray[np.uint8]
    colours: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None

    @property
    def rgba(self) -> NDArray[np.uint8]:
        """(h, w, 4) RGBA, not premultiplied, zero where clear; made anew each time."""
        packed = np.ascontiguousarray(self.colours).view(np.uint32).reshape(-1)
        # No place is outside the table; this only lets numpy write without a check.
        found = np.take(packed, self.places, mode="wrap")
        rgba = found.view(np.uint8).reshape(*self.places.shape, 4)
        if self.alpha is not None:
            rgba[..., 3] = self.alpha
            rgba[self.alpha == 0] = 0
        return rgba

    @property
    def covered_rows(self) -> slice:
        """The rows from the first to the last that has anything drawn; none where all is clear."""
        drawn = self.places if self.alpha is None else self.alpha
        rows = np.flatnonzero(drawn.any(axis=1))
        return slice(int(rows[0]), int(rows[-1]) + 1) if rows.size else slice(0, 0)


def joined(left: Tint, right: Tint, column: int) -> Tint:
    """One tint up to a column and another of the same colours from there on.

    Raises
    ------
    ValueError
        If their colours differ, or only one of them has an alpha of its own.
    """
    alike = np.array_equal(left.colours, right.colours)
    if not alike or (left.alpha is None) != (right.alpha is None):
        raise ValueError("the two tints are not drawn in the same way")
    alpha = None
    if left.alpha is not None and right.alpha is not None:
        alpha = _beside(left.alpha, right.alpha, column)
    return Tint(_beside(left.places, right.places, column), left.colours, alpha)


def _beside(left: NDArray[np.uint8], right: NDArray[np.uint8], column: int) -> NDArray[np.uint8]:
    made = left.copy()
    made[:, column:] = right[:, column:]
    return made
