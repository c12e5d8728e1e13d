"""Where voxels are in the patient: one affine, one convention (LPS millimetres)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

TILT_DEGREES = 0.05
"""Axes that lean by more than this make a sheared grid (R12)."""
SpacingKind = Literal["patient", "detector"]

# Letters toward which an LPS axis grows (+) and away from (-), for index axes.
_CODE = (("L", "R"), ("P", "A"), ("S", "I"))


class Plane(Enum):
    """How a pane cuts the patient; ``ACQUIRED`` shows the stored rows and columns as they are."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"
    ACQUIRED = "acquired"


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Grid of a volume: shape and the affine from array index to LPS mm.

    Parameters
    ----------
    shape : tuple[int, int, int]
        Number of slices, rows and columns: array order (k, j, i).
    affine : NDArray[np.float64]
        (4, 4), maps homogeneous array index (k, j, i, 1) to LPS mm (x to the patient's left,
        y to posterior, z to the head); voxel (0, 0, 0) is the centre of the first voxel.
    frame_of_reference : str
        DICOM Frame of Reference UID (0020,0052); empty when unknown.
    orientation_known : bool
        False when the file does not say where left is; then no letters are drawn.
    spacing_kind : "patient" | "detector" | None
        What a millimetre means: in the patient, at the detector of a film, or unknown.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    frame_of_reference: str = ""
    orientation_known: bool = True
    spacing_kind: SpacingKind | None = "patient"

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise ValueError("the affine must be a finite 4 x 4 matrix")
        if abs(np.linalg.det(affine[:3, :3])) < 1e-12:
            raise ValueError("the affine is singular")
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @classmethod
    def from_ijk_affine(
        cls, shape: tuple[int, int, int], affine_ijk: ArrayLike, **fields: object
    ) -> Geometry:
        """Make a geometry from an affine that takes (column, row, slice) to LPS mm.

        `shape` stays in array order (slices, rows, columns).
        """
        ijk = np.array(affine_ijk, dtype=np.float64)
        return cls(shape, ijk[:, [2, 1, 0, 3]], **fields)  # type: ignore[arg-type]  # named fields

    @property
    def affine_ijk(self) -> NDArray[np.float64]:
        """(4, 4) from (column, row, slice, 1) to LPS mm: the order of JSON and NIfTI."""
        return np.asarray(self.affine[:, [2, 1, 0, 3]], dtype=np.float64)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Length of one step along k, j and i in mm (array order)."""
        return _spacing_mm(self)

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in ml, from the determinant, so shear is counted rightly (R43)."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    @property
    def centre_mm(self) -> NDArray[np.float64]:
        """LPS mm of the middle of the grid, (3,)."""
        return self.to_mm((np.array(self.shape) - 1) / 2)

    def slice_centre_mm(self, axis: int, index: int) -> NDArray[np.float64]:
        """LPS mm of the middle of a slice along an array axis, (3,)."""
        place = (np.array(self.shape) - 1) / 2
        place[axis] = index
        return self.to_mm(place)

    @property
    def shear_degrees(self) -> float:
        """Angle between the slice step and the slice normal (gantry tilt), degrees."""
        k, j, i = (self.affine[:3, n] for n in range(3))
        normal = np.cross(i, j)
        cosine = abs(float(k @ normal)) / float(np.linalg.norm(k) * np.linalg.norm(normal))
        return float(np.degrees(np.arccos(min(1.0, cosine))))

    @property
    def axis_of(self) -> tuple[int, int, int]:
        """Array axis (0 = k, 1 = j, 2 = i) that runs most along LPS x, y and z, each used once."""
        return _axis_of(self)

    @property
    def orientation_code(self) -> str:
        """Letters toward which column, row and slice index grow, such as "LPS"."""
        world_of = {axis: world for world, axis in enumerate(self.axis_of)}
        letters = []
        for axis in (2, 1, 0):
            world = world_of[axis]
            letters.append(_CODE[world][0 if self.affine[world, axis] > 0 else 1])
        return "".join(letters)

    def to_mm(self, index_kji: ArrayLike) -> NDArray[np.float64]:
        """Take array indices (..., 3) in order k, j, i to LPS mm (..., 3)."""
        index = np.asarray(index_kji, dtype=np.float64)
        return np.asarray(index @ self.affine[:3, :3].T + self.affine[:3, 3])

    def to_index(self, points_lps: ArrayLike) -> NDArray[np.float64]:
        """Take LPS mm (..., 3) to fractional array indices (..., 3) in order k, j, i."""
        points = np.asarray(points_lps, dtype=np.float64)
        inverse = _inverse(self)
        return np.asarray(points @ inverse[:3, :3].T + inverse[:3, 3])

    def contains(self, point_lps: ArrayLike) -> bool:
        """Say whether a point lies within half a voxel of the grid."""
        index = self.to_index(point_lps)
        return bool((index >= -0.5).all() and (index <= np.array(self.shape) - 0.5).all())

    def same_grid(self, other: Geometry, *, tolerance_mm: float = 1e-3) -> bool:
        """Say whether both grids have the same voxels in the same places."""
        if self.shape != other.shape:
            return False
        corners = np.array([(0, 0, 0), self.shape, (self.shape[0], 0, 0), (0, 0, self.shape[2])])
        return bool(np.abs(self.to_mm(corners) - other.to_mm(corners)).max() <= tolerance_mm)


# For one frame these are asked a dozen times; a geometry never changes, so no answer goes stale.


@lru_cache(maxsize=64)
def _inverse(geometry: Geometry) -> NDArray[np.float64]:
    inverse = np.asarray(np.linalg.inv(geometry.affine), dtype=np.float64)
    inverse.setflags(write=False)
    return inverse


@lru_cache(maxsize=64)
def _spacing_mm(geometry: Geometry) -> tuple[float, float, float]:
    k, j, i = np.linalg.norm(geometry.affine[:3, :3], axis=0)
    return float(k), float(j), float(i)


@lru_cache(maxsize=64)
def _axis_of(geometry: Geometry) -> tuple[int, int, int]:
    unit = geometry.affine[:3, :3] / np.linalg.norm(geometry.affine[:3, :3], axis=0)
    strength = np.abs(unit)
    found = [-1, -1, -1]
    for _ in range(3):
        world, axis = np.unravel_index(int(np.argmax(strength)), (3, 3))
        found[int(world)] = int(axis)
        strength[world, :] = -1
        strength[:, axis] = -1
    return found[0], found[1], found[2]
