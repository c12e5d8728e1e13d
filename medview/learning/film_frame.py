"""A frame of one value round a film, as pictures of a screen or of a page have one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALIKE = 0.02
"""Values of a frame differ by at most so much of the picture's range, as JPEG blurs them."""
WIDE = 0.05
"""A frame that is worth a word has at least this share of the picture."""
MOST = 0.5
"""A larger share than any film here has as a frame (0.38 of one of 612): it is always left out."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What of a picture lies inside its frame: first row and column, size, and the whole size."""

    top: int
    left: int
    size: tuple[int, int]
    whole: tuple[int, int]

    @property
    def share(self) -> float:
        """Share of the picture that is frame."""
        return 1 - self.size[0] * self.size[1] / (self.whole[0] * self.whole[1])

    @property
    def words(self) -> str:
        """What was left out, in words."""
        (rows, columns), (all_rows, all_columns) = self.size, self.whole
        return (
            f"a frame of one value was left out: {columns} x {rows} of "
            f"{all_columns} x {all_rows} pixels are film"
        )

    def cut(self, values: NDArray[Any]) -> NDArray[Any]:
        """The part of a picture (rows, columns) inside its frame."""
        return values[self.top : self.top + self.size[0], self.left : self.left + self.size[1]]

    def back(self, values: NDArray[Any]) -> NDArray[Any]:
        """A map of the inside on the whole picture's grid, 0 in the frame."""
        below, beyond = (w - n for w, n in zip(self.whole, self.size, strict=True))
        room = ((self.top, below - self.top), (self.left, beyond - self.left))
        return np.pad(values, room)


def inside_of(picture: NDArray[np.float32]) -> Inside | None:
    """What lies inside a frame of the value of a corner; None where there is no such frame."""
    finite = picture[np.isfinite(picture)]
    if not finite.size:
        return None
    most = ALIKE * float(finite.max() - finite.min())
    for corner in (picture[0, 0], picture[-1, -1]):
        other = ~(np.abs(picture - corner) <= most)
        rows, columns = (np.flatnonzero(other.any(axis=axis)) for axis in (1, 0))
        if not rows.size:
            continue
        size = (int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1)
        whole = (other.shape[0], other.shape[1])
        found = Inside(int(rows[0]), int(columns[0]), size, whole)
        if found.share >= WIDE:
            return found
    return None
