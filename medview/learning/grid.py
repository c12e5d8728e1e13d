"""The 128 x 128 slices a brain model sees, and the way back to the volume's own grid.

Both ways are products with two small matrices (rows, columns), built from millimetres; the
slices are the volume's own, along the array axis that runs most from foot to head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from medview.domain.geometry import Geometry

SIDE = 128
PIXEL_MM = 1.5
Places = NDArray[np.float64]
MODEL_MM: Places = np.asarray((np.arange(SIDE) - (SIDE - 1) / 2) * PIXEL_MM, dtype=np.float64)
"""Where the rows (and columns) of a model slice lie, mm from the middle of the brain."""


def resampling_matrix(
    source: NDArray[np.float64], source_mm: float, target: NDArray[np.float64], target_mm: float
) -> NDArray[np.float32]:
    """Weights (len(target), len(source)) that take samples at `source` mm to `target` mm.

    A triangle as wide as the coarser of the two steps: linear interpolation when the target is
    finer, area-like averaging when it is coarser (no aliasing). Targets outside get zeros.
    """
    width = max(source_mm, target_mm)
    weight = np.clip(1 - np.abs(target[:, None] - source[None, :]) / width, 0, None)
    inside = (target >= source.min() - source_mm / 2) & (target <= source.max() + source_mm / 2)
    total = weight.sum(axis=1, keepdims=True)
    weight = np.where(inside[:, None] & (total > 0), weight / np.maximum(total, 1e-12), 0)
    return weight.astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class BrainGrid:
    """How the slices of one volume are cut.

    Canonical order is (slice, row, column) growing to head, posterior and left; `order` and
    `flips` turn the volume's array to it. `centre` is the middle of the brain (row, column) in
    canonical voxels.
    """

    shape: tuple[int, int, int]
    order: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    spacing_mm: tuple[float, float, float]
    centre: tuple[float, float]

    @classmethod
    def of(cls, geometry: Geometry, centre: tuple[float, float]) -> BrainGrid:
        """The grid of a volume; `centre` in canonical (row, column) voxels."""
        order, flips = canonical_axes(geometry)
        shape = tuple(geometry.shape[a] for a in order)
        spacing = tuple(geometry.spacing_mm[a] for a in order)
        return cls(
            (shape[0], shape[1], shape[2]),
            order,
            flips,
            (spacing[0], spacing[1], spacing[2]),
            centre,
        )

    def _places(self) -> tuple[Places, Places]:
        """Millimetres of the rows and of the columns, from the middle of the brain."""
        rows = (np.arange(self.shape[1]) - self.centre[0]) * self.spacing_mm[1]
        columns = (np.arange(self.shape[2]) - self.centre[1]) * self.spacing_mm[2]
        return np.asarray(rows, dtype=np.float64), np.asarray(columns, dtype=np.float64)

    def to_model(self, canonical: NDArray[np.float32]) -> NDArray[np.float32]:
        """Canonical slices (n, rows, columns) to model slices (n, 128, 128)."""
        rows, columns = self._places()
        down = resampling_matrix(rows, self.spacing_mm[1], MODEL_MM, PIXEL_MM)
        across = resampling_matrix(columns, self.spacing_mm[2], MODEL_MM, PIXEL_MM)
        return _between(down, canonical, across)

    def from_model(self, slices: NDArray[np.float32]) -> NDArray[np.float32]:
        """Model slices (n, 128, 128) to canonical slices (n, rows, columns); zero outside."""
        rows, columns = self._places()
        up = resampling_matrix(MODEL_MM, PIXEL_MM, rows, self.spacing_mm[1])
        along = resampling_matrix(MODEL_MM, PIXEL_MM, columns, self.spacing_mm[2])
        return _between(up, slices, along)

    def stack(self, geometry: Geometry) -> Geometry:
        """Where the voxels of the model slices (n, 128, 128) lie; `geometry` is the volume's."""
        # Canonical voxels of the first model voxel and of one step along each axis.
        steps = np.diag([1.0, PIXEL_MM / self.spacing_mm[1], PIXEL_MM / self.spacing_mm[2]])
        first = np.array([0.0, *self.centre]) + steps @ np.array(
            [0.0, *[MODEL_MM[0] / PIXEL_MM] * 2]
        )
        signs = np.where(self.flips, -1.0, 1.0)
        start = np.where(self.flips, np.array(self.shape) - 1.0, 0.0)
        affine = np.eye(4)
        axes = geometry.affine[:3, list(self.order)]
        affine[:3, :3] = axes * signs @ steps
        affine[:3, 3] = geometry.affine[:3, 3] + axes @ (start + signs * first)
        return Geometry((self.shape[0], SIDE, SIDE), affine, geometry.frame_of_reference)

    def index_of(self, height: int) -> int:
        """Index along the volume's own axis of a canonical slice."""
        return self.shape[0] - 1 - height if self.flips[0] else height

    def volume_slice(
        self, height: int, picture: NDArray[np.float32]
    ) -> tuple[int, NDArray[np.float32]]:
        """Index along array axis ``order[0]`` and the slice with the volume's other two axes."""
        for axis, flip in enumerate(self.flips[1:]):
            if flip:
                picture = np.flip(picture, axis)
        if self.order[1] > self.order[2]:
            picture = picture.T
        return self.index_of(height), np.ascontiguousarray(picture)

    def from_volume(self, array: NDArray[Any]) -> NDArray[np.float32]:
        """Turn an array (k, j, i) of the volume to canonical order."""
        return np.ascontiguousarray(_turned(array, self.order, self.flips), dtype=np.float32)

    def to_volume(self, canonical: NDArray[np.generic]) -> NDArray[np.generic]:
        """Turn canonical order back to the array order (k, j, i) of the volume."""
        for axis, flip in enumerate(self.flips):
            if flip:
                canonical = np.flip(canonical, axis)
        return np.ascontiguousarray(np.transpose(canonical, np.argsort(self.order)))


def _between(
    left: NDArray[np.float32], slices: NDArray[np.float32], right: NDArray[np.float32]
) -> NDArray[np.float32]:
    """``left @ slice @ right.T`` for each slice.

    By torch, not numpy: two libraries with threads of their own wait for each other, which made
    this twenty times slower on a busy machine.
    """
    stack = torch.from_numpy(np.ascontiguousarray(slices, dtype=np.float32))
    half = stack @ torch.from_numpy(right).T
    return np.asarray((torch.from_numpy(left) @ half).numpy())


def canonical_axes(
    geometry: Geometry,
) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """Array axes that run along head, posterior and left, and which of them run backwards."""
    x, y, z = geometry.axis_of
    order = (z, y, x)
    signs = (geometry.affine[2, z], geometry.affine[1, y], geometry.affine[0, x])
    return order, (bool(signs[0] < 0), bool(signs[1] < 0), bool(signs[2] < 0))


def canonical(array: NDArray[np.generic], geometry: Geometry) -> NDArray[np.generic]:
    """The array seen in canonical order (head, posterior, left), without a copy."""
    return _turned(array, *canonical_axes(geometry))


def _turned(
    array: NDArray[Any], order: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> NDArray[Any]:
    turned = np.transpose(array, order)
    for axis, flip in enumerate(flips):
        if flip:
            turned = np.flip(turned, axis)
    return turned
