"""Contrast-limited adaptive histogram equalisation of a grey picture (Zuiderveld 1994)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
LEVELS = 256
TILES = 8
CLIP = 2.0
"""A grey level counts at most so many times its even share of a tile."""


def clahe(grey: Picture, tiles: int = TILES, clip: float = CLIP) -> Picture:
    """Equalise (rows, columns) in 0..1 tile by tile, linear between the tiles; 0..1 again.

    Raises
    ------
    ValueError
        If the picture has fewer rows or columns than tiles.
    """
    if min(grey.shape) < tiles:
        raise ValueError(f"{grey.shape} has less than {tiles} rows or columns")
    level = np.clip(np.round(grey * (LEVELS - 1)), 0, LEVELS - 1).astype(np.int64)
    edges = [np.linspace(0, n, tiles + 1).round().astype(int) for n in grey.shape]
    tables = np.empty((tiles, tiles, LEVELS), np.float32)
    for i in range(tiles):
        for j in range(tiles):
            rows, columns = (slice(e[k], e[k + 1]) for e, k in zip(edges, (i, j), strict=True))
            tables[i, j] = _table(level[rows, columns], clip)
    (up, low, down), (left, right, over) = (_between(n, tiles) for n in grey.shape)
    down = down[:, None]
    upper = (1 - over) * tables[up[:, None], left, level] + over * tables[up[:, None], right, level]
    lower = (1 - over) * tables[low[:, None], left, level]
    lower = lower + over * tables[low[:, None], right, level]
    return np.asarray((1 - down) * upper + down * lower, dtype=np.float32)


def _table(level: NDArray[np.int64], clip: float) -> Picture:
    """What each grey level of a tile becomes: the clipped histogram, summed, in 0..1."""
    count = np.bincount(level.ravel(), minlength=LEVELS).astype(np.float64)
    most = clip * level.size / LEVELS
    excess = np.maximum(count - most, 0).sum()
    total = np.cumsum(np.minimum(count, most) + excess / LEVELS)
    return np.asarray(total / level.size, dtype=np.float32)


def _between(n: int, tiles: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """For each of n pixels the tile before and after its middle, and how far it is between them."""
    place = np.clip((np.arange(n) + 0.5) * tiles / n - 0.5, 0, tiles - 1)
    before = np.floor(place).astype(np.intp)
    return before, np.minimum(before + 1, tiles - 1), place - before
