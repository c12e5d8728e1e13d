"""Values of one grid at the voxels of another, by their places in the patient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import GeometryError
from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap

#: Kinds of maps that have no values between two voxels.
NEAREST_KINDS = ("mask", "labels")


def sampled(
    array: NDArray[np.generic], source: Geometry, plane: Geometry, *, nearest: bool
) -> NDArray[np.generic]:
    """Values of `array` on a grid of one slice: linear for numbers, unless `nearest` or bool."""
    if array.ndim == 4:
        channels = (array[..., c] for c in range(array.shape[3]))
        parts = [_onto(one, source, plane, order=1, outside=0.0) for one in channels]
        return np.rint(np.stack(parts, axis=-1)).astype(np.uint8)
    if array.dtype == np.bool_:
        return _onto(array, source, plane, order=0, outside=0.0)
    return _onto(array, source, plane, order=0 if nearest else 1, outside=np.nan)


def _onto(
    array: NDArray[np.generic], source: Geometry, target: Geometry, *, order: int, outside: float
) -> NDArray[np.float32]:
    """Sample `array` (on `source`) at the voxels of `target`; `outside` half a voxel away."""
    matrix = np.linalg.inv(source.affine) @ target.affine
    # Only planes that lean and maps on other grids are sampled; the window opens without scipy.
    from scipy import ndimage

    values = ndimage.affine_transform(
        array,
        matrix[:3],
        output_shape=target.shape,
        output=np.float32,
        order=order,
        mode="nearest",
    )
    _blank_outside(values, matrix, source.shape, outside)
    return np.asarray(values, dtype=np.float32)


def _blank_outside(
    values: NDArray[np.float32],
    matrix: NDArray[np.float64],
    shape: tuple[int, int, int],
    outside: float,
) -> None:
    """Set voxels that lie more than half a source voxel off the source grid, in place."""
    j = np.arange(values.shape[1])[:, None]
    i = np.arange(values.shape[2])[None, :]
    in_plane = [matrix[n, 1] * j + matrix[n, 2] * i + matrix[n, 3] for n in range(3)]
    for k in range(values.shape[0]):
        out = np.zeros(values.shape[1:], dtype=bool)
        for n in range(3):
            place = in_plane[n] + matrix[n, 0] * k
            out |= (place < -0.5 - 1e-6) | (place > shape[n] - 0.5 + 1e-6)
        values[k][out] = outside


def resample_onto(moving: ScalarMap, target: Geometry, *, outside: float = np.nan) -> ScalarMap:
    """Bring a map onto another grid by its place in the patient.

    Linear for values, nearest for masks and labels. Nothing is smoothed, so a target
    coarser than the map aliases.

    Parameters
    ----------
    moving : ScalarMap
        Values (k, j, i) on their own grid.
    target : Geometry
        The grid wanted, in the same frame of reference.
    outside : float
        Value more than half a voxel off the map's grid; 0 for masks and labels.

    Returns
    -------
    ScalarMap
        Values with ``target.shape``, float32 (masks keep their type); `moving` itself when
        the grids are the same.

    Raises
    ------
    GeometryError
        If the frames of reference are known and differ (R23), or the grids do not overlap.
    """
    if moving.geometry.same_grid(target):
        return moving
    _check_same_space(moving, target)
    nearest = moving.kind in NEAREST_KINDS
    values = _onto(
        moving.array,
        moving.geometry,
        target,
        order=0 if nearest else 1,
        outside=0.0 if nearest else outside,
    )
    array = values.astype(moving.array.dtype) if nearest else values
    return replace(moving, array=array, geometry=target)


def _check_same_space(moving: ScalarMap, target: Geometry) -> None:
    known = moving.geometry.frame_of_reference, target.frame_of_reference
    if all(known) and known[0] != known[1]:
        raise GeometryError(
            f"the map {moving.title or moving.name} was made in another frame of reference",
            do="Choose the series that the map was made from.",
        )
    if not _overlap(moving.geometry, target):
        raise GeometryError(
            f"the map {moving.title or moving.name} lies elsewhere in the patient",
            do="Choose the series that the map was made from.",
        )


def _overlap(one: Geometry, other: Geometry) -> bool:
    """Whether the boxes of two grids in LPS mm share anything."""
    boxes = []
    for grid in (one, other):
        edges = np.meshgrid(*((-0.5, n - 0.5) for n in grid.shape))
        places = grid.to_mm(np.stack(edges, axis=-1).reshape(-1, 3))
        boxes.append((places.min(axis=0), places.max(axis=0)))
    (low, high), (other_low, other_high) = boxes
    return bool((np.minimum(high, other_high) > np.maximum(low, other_low)).all())
