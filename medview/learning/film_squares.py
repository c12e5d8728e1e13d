"""The square of a film that a model sees: cut out, and put back on the film's own grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Picture = NDArray[np.float32]


def middle_box(shape: tuple[int, ...]) -> tuple[float, float, float]:
    """The largest square in the middle of a film."""
    side = min(shape)
    return (shape[0] - side) / 2, (shape[1] - side) / 2, float(side)


def cut_square(picture: Picture, box: tuple[float, float, float], size: int) -> Picture:
    """A square of a picture as (size, size): each value the mean of what it covers."""
    top, left, side = box
    edges = np.arange(size + 1) * side / size
    return np.asarray(
        _sums(_sums(picture, top + edges, 0), left + edges, 1) * (size / side) ** 2,
        dtype=np.float32,
    )


def _sums(picture: NDArray[np.floating], edges: NDArray[np.float64], axis: int) -> Picture:
    """Integrals between edges along an axis, the last pixel going on beyond the end."""
    moved = np.moveaxis(picture, axis, 0).astype(np.float64)
    length = len(moved)
    total = np.concatenate([np.zeros((1, *moved.shape[1:])), np.cumsum(moved, axis=0)])
    inside = np.clip(edges, 0, length)
    low = np.minimum(np.floor(inside).astype(int), length - 1)
    share = (inside - low).reshape(-1, *(1,) * (moved.ndim - 1))
    running = total[low] + share * moved[low]
    beyond = (edges - inside).reshape(share.shape)
    running = running + np.where(beyond < 0, moved[:1], moved[-1:]) * beyond
    return np.moveaxis(np.diff(running, axis=0), 0, axis)


def pick_square(
    labels: NDArray[np.int8], box: tuple[float, float, float], size: int
) -> NDArray[np.int8]:
    """Labels in the middle of each pixel of a square, (size, size); 0 beyond the film."""
    steps = (np.arange(size) + 0.5) * box[2] / size
    rows, columns = (np.floor(first + steps).astype(int) for first in box[:2])
    inside = [
        (n >= 0) & (n < whole) for n, whole in zip((rows, columns), labels.shape, strict=True)
    ]
    found = labels[np.clip(rows, 0, labels.shape[0] - 1)][
        :, np.clip(columns, 0, labels.shape[1] - 1)
    ]
    return np.where(np.outer(*inside), found, 0).astype(np.int8)


def shares_of(zones: NDArray[np.int8], cells: int) -> Picture:
    """Share of the zones 1 to 6 in each of cells x cells parts of a square, (6, cells, cells)."""
    size = len(zones) // cells
    parts = zones[: size * cells, : size * cells].reshape(cells, size, cells, size)
    each = [(parts == zone).mean(axis=(1, 3)) for zone in range(1, 7)]
    return np.stack(each).astype(np.float32)


def paste_square(
    values: Picture, box: tuple[float, float, float], shape: tuple[int, ...]
) -> Picture:
    """A map (size, size) over a square, on the grid of the film; linear between, 0 outside."""
    top, left, side = box
    size = values.shape[0]
    rows, columns = ((np.arange(n) + 0.5 - first) * size / side - 0.5 for n, first in
                     ((shape[0], top), (shape[1], left)))  # fmt: skip
    grid = np.meshgrid(rows, columns, indexing="ij")
    found = ndimage.map_coordinates(values, grid, order=1, mode="nearest")
    inside = [np.abs(g - (size - 1) / 2) <= size / 2 for g in grid]
    return np.asarray(np.where(inside[0] & inside[1], found, 0), dtype=np.float32)
