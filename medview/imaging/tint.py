"""An overlay on the pixels of a frame: a number a pixel, and the colours that they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_Plane = TypeVar("_Plane", bound=NDArray[Any])


@dataclass(frozen=True, slots=True, eq=False)
class Tint:
    """Colours over an image, a byte or two a pixel where RGBA has four.

    Parameters
    ----------
    places : NDArray[np.uint8]
        (h, w) which of the colours every pixel has; rows lie one after the other.
    colours : NDArray[np.uint8]
        (256, 4) RGBA, not premultiplied. Where neither of the next two is given the first is
        clear.
    shown : NDArray[np.bool_] | None
        (h, w) which pixels are drawn at all.
    alpha : NDArray[np.uint8] | None
        (h, w) how much covers of every pixel, in place of what its colour says.
    """

    places: NDArray[np.uint8]
    colours: NDArray[np.uint8]
    shown: NDArray[np.bool_] | None = None
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
        rgba[self._drawn == 0] = 0
        return rgba

    @property
    def _drawn(self) -> NDArray[np.generic]:
        """(h, w) zero where nothing is drawn."""
        planes = (each for each in (self.shown, self.alpha) if each is not None)
        return next(planes, self.places)

    @property
    def covered_rows(self) -> slice:
        """The rows from the first to the last that has anything drawn; none where all is clear."""
        rows = np.flatnonzero(self._drawn.any(axis=1))
        return slice(int(rows[0]), int(rows[-1]) + 1) if rows.size else slice(0, 0)


def joined(left: Tint, right: Tint, column: int) -> Tint:
    """One tint up to a column and another of the same colours from there on.

    Raises
    ------
    ValueError
        If their colours differ, or only one of them says for itself what is drawn.
    """
    if not np.array_equal(left.colours, right.colours):
        raise ValueError("the two tints are not drawn in the same way")
    shown = _beside(left.shown, right.shown, column)
    alpha = _beside(left.alpha, right.alpha, column)
    places = _beside(left.places, right.places, column)
    assert places is not None
    return Tint(places, left.colours, shown, alpha)


def _beside(left: _Plane | None, right: _Plane | None, column: int) -> _Plane | None:
    if left is None and right is None:
        return None
    if left is None or right is None:
        raise ValueError("the two tints are not drawn in the same way")
    made = left.copy()
    made[:, column:] = right[:, column:]
    return made
