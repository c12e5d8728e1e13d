"""The same voxels in another order: axes swapped or turned round, nothing computed anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry

Value = TypeVar("Value", bound=np.generic)


def reordered(
    values: NDArray[Value], own: Geometry, wanted: Geometry, *, tolerance_mm: float = 1e-3
) -> NDArray[Value] | None:
    """Values (k, j, i) on `own` in the order of a grid that has its voxels in the same places.

    None where `wanted` has other voxels; places may differ by `tolerance_mm`, as for
    ``Geometry.same_grid``. Where it is not known how a grid lies in the patient nothing is turned.
    """
    if own.same_grid(wanted, tolerance_mm=tolerance_mm):
        return values
    if not (own.orientation_known and wanted.orientation_known):
        return None
    # Column n tells along which axis of `own`, and which way, one goes along axis n of `wanted`.
    steps = np.rint(np.linalg.solve(own.affine[:3, :3], wanted.affine[:3, :3])).astype(int)
    once = np.abs(steps)
    if (once.sum(axis=0) != 1).any() or (once.sum(axis=1) != 1).any():
        return None
    axes = once.argmax(axis=0)
    backward = steps[axes, range(3)] < 0
    first = np.zeros(3)
    first[axes[backward]] = np.array(own.shape)[axes[backward]] - 1
    affine = np.eye(4)
    affine[:3, :3] = own.affine[:3, :3] @ steps
    affine[:3, 3] = own.to_mm(first)
    k, j, i = (own.shape[axis] for axis in axes)
    if not replace(own, shape=(k, j, i), affine=affine).same_grid(
        wanted, tolerance_mm=tolerance_mm
    ):
        return None
    return np.flip(values.transpose(*axes), tuple(np.flatnonzero(backward)))
