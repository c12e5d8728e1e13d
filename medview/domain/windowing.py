"""What windows and look-up tables make of values (PS3.3 C.11.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medview.domain.volume import ValueTable, Window


def share_of(x: NDArray[np.floating], voi: Window | ValueTable) -> NDArray[np.floating]:
    """Output of a window or table between 0 and 1, NaN as 0, in the precision of `x` (R26)."""
    if isinstance(voi, ValueTable):
        place = np.rint((np.nan_to_num(x, nan=voi.first) - voi.first) / voi.step)
        index = np.clip(place, 0, len(voi.values) - 1).astype(np.int64)
        return np.asarray(voi.values[index])
    if voi.function == "SIGMOID":
        # 1 / (1 + exp(-4 (x - c) / w)), written so that it cannot overflow.
        share = 0.5 + 0.5 * np.tanh((x - voi.level) * (2 / max(voi.width, 1e-12)))
        return np.asarray(np.nan_to_num(share, nan=0.0))
    return _line(x, voi)


def _line(x: NDArray[np.floating], window: Window) -> NDArray[np.floating]:
    """LINEAR and LINEAR_EXACT: a straight line between two limits, flat outside."""
    if window.function == "LINEAR" and window.width >= 1:
        centre, width = window.level - 0.5, window.width - 1
    else:
        # LINEAR needs a width of at least 1; a narrower one can only have meant the exact form.
        centre, width = window.level, window.width
    if width <= 0:
        return np.asarray(x > centre, dtype=x.dtype)
    share = (x - centre) * (1 / width) + 0.5
    return np.asarray(np.fmin(np.fmax(share, 0), 1))  # in this order NaN becomes 0
