"""Slices with fewer pixels: one out of every block of two by two, made once and kept.

A film has more pixels than a screen. What is drawn of it whole is taken from here, so that a
turn of its window costs what the screen has and not what the film has.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Pixels that are joined in one go: what lies between stays in the processor's cache.
_AT_ONCE = 1 << 17

# A slice and ever coarser ones of it, by array identity and way; an entry goes when its array
# does. Of a stack only the slice that was asked for last is kept.
_kept: dict[tuple[int, bool], tuple[int, list[NDArray[np.generic]]]] = {}


def coarser(
    array: NDArray[np.generic], k: int, step: int, *, highest: bool = False
) -> NDArray[np.generic]:
    """One value for every block of `step` x `step` pixels of a stored slice.

    Parameters
    ----------
    array : NDArray[np.generic]
        (n, h, w), or (n, h, w, 3) of colour; it must not be written to afterwards.
    k : int
        Which of the slices.
    step : int
        A power of 2.
    highest : bool
        The highest value of a block instead of its mean: nothing of a mask is lost.

    Returns
    -------
    NDArray[np.generic]
        (ceil(h / step), ceil(w / step)), of the same type. Means of whole numbers are rounded at
        each halving, those of other numbers leave out NaN. Blocks that reach beyond the edge
        hold what there is of them; there the last row and column may count twice.
    """
    stored: NDArray[np.generic] = array[k]
    if step == 1:
        return stored
    key = (id(array), highest)
    known = _kept.get(key)
    if known is None:
        weakref.finalize(array, _kept.pop, key, None)
    # Another list each time: two threads that draw the same film share no half-made one.
    levels = list(known[1]) if known is not None and known[0] == k else []
    while 2 ** len(levels) < step:
        levels.append(_halved(levels[-1] if levels else stored, highest=highest))
    _kept[key] = (k, levels)
    return levels[step.bit_length() - 2]


def _halved(plane: NDArray[np.generic], *, highest: bool) -> NDArray[np.generic]:
    """(h, w, ...) with one value out of two by two."""
    rows, columns = plane.shape[:2]
    made = np.empty(((rows + 1) // 2, (columns + 1) // 2, *plane.shape[2:]), plane.dtype)
    pool = _highest if highest else _float_mean if plane.dtype.kind == "f" else _whole_mean
    step = max(1, _AT_ONCE // columns) * 2
    for row in range(0, rows, step):
        part = plane[row : row + step]
        if len(part) % 2:
            part = np.concatenate([part, part[-1:]])
        if columns % 2:
            part = np.concatenate([part, part[:, -1:]], axis=1)
        pool(part, made[row // 2 : (row + step) // 2])
    return made


def _whole_mean(part: NDArray[Any], out: NDArray[Any]) -> None:
    wide = np.int32 if part.dtype.itemsize < 4 else np.int64
    total = np.add(part[::2], part[1::2], dtype=wide)
    total = total[:, ::2] + total[:, 1::2]
    # Halves to the even number: always up would make each coarser plane brighter than the last.
    total += ((total >> 2) & 1) + 1
    np.copyto(out, total >> 2, casting="unsafe")


def _float_mean(part: NDArray[Any], out: NDArray[Any]) -> None:
    known = np.isfinite(part)
    if known.all():
        total = part[::2] + part[1::2]
        np.multiply(total[:, ::2] + total[:, 1::2], 0.25, out=out)
        return
    total, count = np.where(known, part, 0), known.astype(out.dtype)
    for axis in (0, 1):
        even, odd = (
            tuple(slice(n if a == axis else 0, None, 2 if a == axis else 1) for a in (0, 1))
            for n in (0, 1)
        )
        total, count = total[even] + total[odd], count[even] + count[odd]
    out[...] = np.nan
    np.divide(total, count, out=out, where=count > 0)


def _highest(part: NDArray[Any], out: NDArray[Any]) -> None:
    rows = np.fmax(part[::2], part[1::2])
    np.fmax(rows[:, ::2], rows[:, 1::2], out=out)
