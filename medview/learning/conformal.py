"""Split conformal intervals: how wide they must be for a case that nothing was fitted on.

The rule is that of Vovk and of Lei and others (2018).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95


def half_width(errors: NDArray[np.float64], level: float = LEVEL) -> float:
    """Half width that covers a new error with at least this chance, from n errors seen before.

    The ceil((n + 1) level)-th smallest absolute error; the largest where there are too few, NaN
    where there is none.
    """
    known = np.sort(np.abs(errors[np.isfinite(errors)]))
    if not known.size:
        return float("nan")
    rank = int(np.ceil((known.size + 1) * level))
    return float(known[min(rank, known.size) - 1])
