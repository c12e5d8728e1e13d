"""Stored values to those of a volume: 16-bit integers where that is exact."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    values = stored.astype(np.float32, copy=(slope, intercept) != (1, 0))
    if (slope, intercept) != (1, 0):
        values *= np.float32(slope)
        values += np.float32(intercept)
    return values
