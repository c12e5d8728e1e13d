"""Does the model recognise a slice: how much of its structure does the reconstruction explain?

A difference means something only where the model explains the rest of the picture. A network
that has learnt nothing gives an empty picture back; all structure stays in the difference, and
what is brighter or darker than what is about it would pass for unusual.

Structure is what differs between blocks of 4 x 4 pixels after a wide average is taken off, so
that the shading of the brain alone explains nothing. The fifth of the blocks with the largest
error is left out, because a lesion may lie there.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch.nn import functional as F

BLOCK_PX = 4
WIDE_PX = 16.0
LEFT_OUT = 0.2
FEWEST_BLOCKS = 8
"""Below this nobody can say whether a slice is recognised."""
USUAL = 0.05
"""All but this share of normal slices show what is usual; the floor is half of it."""
LOWEST_FLOOR = 0.02
"""What explains less than this explains nothing, whatever normal brains have come to."""


def explained(
    slices: NDArray[np.float32], x_bar: NDArray[np.float32], brain: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Share of the structure of slices (n, 128, 128) that their reconstruction explains, (n,).

    1 is a perfect reconstruction, 0 an empty or a wrong one, less is worse than none. NaN for a
    slice with too little brain.
    """
    own, whole = _structure(slices, brain)
    error, _ = _structure(slices - x_bar, brain)
    out = np.full(len(slices), np.nan)
    for k in np.flatnonzero(whole.sum(axis=(1, 2)) >= FEWEST_BLOCKS):
        squares, all_of_it = error[k][whole[k]] ** 2, own[k][whole[k]] ** 2
        kept = squares <= np.quantile(squares, 1 - LEFT_OUT)
        there = float(all_of_it[kept].sum())
        out[k] = 1 - float(squares[kept].sum()) / there if there > 0 else 0.0
    return out


def recognised(share: NDArray[np.float64], floor: float) -> NDArray[np.bool_]:
    """Which slices can be judged, (n,)."""
    return np.asarray(np.nan_to_num(share, nan=-np.inf) >= floor, dtype=np.bool_)


def floor_of(share: NDArray[np.float64]) -> float:
    """Half of what nearly all slices of normal brains reach, with two digits."""
    known = share[np.isfinite(share)]
    usual = float(np.quantile(known, USUAL)) if known.size else 0.0
    return max(LOWEST_FLOOR, round(usual / 2, 2))


def _structure(
    pictures: NDArray[np.float32], brain: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Mean of each block less the wide average about it, and which blocks are all brain."""
    inside = torch.from_numpy(brain.astype(np.float32))[:, None]
    values = torch.from_numpy(np.ascontiguousarray(pictures, dtype=np.float32))[:, None] * inside
    part, share = (F.avg_pool2d(one, BLOCK_PX)[:, 0].double().numpy() for one in (values, inside))
    sigma = (0, WIDE_PX / BLOCK_PX, WIDE_PX / BLOCK_PX)
    wide = [ndimage.gaussian_filter(one, sigma, truncate=3) for one in (part, share)]
    own = part / np.maximum(share, 1e-6) - wide[0] / np.maximum(wide[1], 1e-6)
    return own, np.asarray(share > 0.99, dtype=np.bool_)
