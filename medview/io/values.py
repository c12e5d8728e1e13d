"""Stored values to those of a volume: 16-bit integers where that is exact."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medview.domain.volume import Note

INT16 = np.iinfo(np.int16)


def as_volume_values(
    stored: NDArray[np.generic], slope: float = 1.0, intercept: float = 0.0
) -> NDArray[np.generic]:
    """Give ``stored * slope + intercept``: int16 if `stored` are integers and it is exact.

    Values that are what they mean already are not copied.
    """
    whole = stored.dtype.kind in "iub" and slope.is_integer() and intercept.is_integer()
    if whole and stored.size:
        ends = [int(end) * int(slope) + int(intercept) for end in (stored.min(), stored.max())]
        if min(ends) >= INT16.min and max(ends) <= INT16.max:
            if (slope, intercept) == (1, 0):
                return stored.astype(np.int16, copy=False)
            return (stored.astype(np.int32) * int(slope) + int(intercept)).astype(np.int16)
    # What float32 cannot hold becomes infinite, and is told of as such.
    with np.errstate(over="ignore", invalid="ignore"):
        values = stored.astype(np.float32, copy=(slope, intercept) != (1, 0))
    if (slope, intercept) != (1, 0):
        values *= np.float32(slope)
        values += np.float32(intercept)
    return values


def notes_on(values: NDArray[np.generic]) -> tuple[Note, ...]:
    """What is doubtful about values (k, ...): how many are no numbers, or infinite."""
    if values.dtype.kind != "f":
        return ()
    # Plane by plane: a large volume has no room for another array beside it.
    missing = sum(plane.size - int(np.isfinite(plane).sum()) for plane in values)
    text = f"{missing} of {values.size} values are not numbers or infinite"
    return (Note("NOT_FINITE", text),) if missing else ()
