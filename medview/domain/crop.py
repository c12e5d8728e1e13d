"""The box that the 3-D view cuts a volume out with: six faces along the axes of the patient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np

from medview.domain.geometry import Geometry

Vector = tuple[float, float, float]

#: Faces as (LPS axis, whether it is the one farther along): right, left, front, back, feet, head.
FACES = tuple(product(range(3), (False, True)))
# Faces that look at each other stay so far apart.
_LEAST_MM = 2.0


@dataclass(frozen=True, slots=True)
class CropBox:
    """What is left of a volume: from `low` to `high`, LPS mm."""

    low: Vector
    high: Vector

    @classmethod
    def around(cls, geometry: Geometry) -> CropBox:
        """The smallest box that holds all voxels of a grid, to their edges."""
        ends = np.array(list(product(*((-0.5, size - 0.5) for size in geometry.shape))))
        places = geometry.to_mm(ends)
        return cls(_vector(places.min(axis=0)), _vector(places.max(axis=0)))

    def centre(self, face: int) -> Vector:
        """The middle of a face, by its place in ``FACES``."""
        axis, is_far = FACES[face]
        middle = [(low + high) / 2 for low, high in zip(self.low, self.high, strict=True)]
        middle[axis] = (self.high if is_far else self.low)[axis]
        return _vector(middle)

    def moved(self, face: int, mm: float, within: CropBox) -> CropBox:
        """The same with a face so many mm further along its axis, as far as it may go.

        It stays in `within` and on its side of the face across.
        """
        axis, is_far = FACES[face]
        low, high = list(self.low), list(self.high)
        if is_far:
            least = low[axis] + _LEAST_MM
            high[axis] = max(min(high[axis] + mm, within.high[axis]), least)
        else:
            most = high[axis] - _LEAST_MM
            low[axis] = min(max(low[axis] + mm, within.low[axis]), most)
        return CropBox(_vector(low), _vector(high))

    @property
    def corners(self) -> tuple[Vector, ...]:
        """The eight corners; those of an edge differ in one axis only."""
        return tuple((x, y, z) for x, y, z in product(*zip(self.low, self.high, strict=True)))


#: Pairs of ``corners`` that an edge joins.
EDGES = tuple(
    (one, other)
    for one, other in product(range(8), repeat=2)
    if one < other and (one ^ other) in (1, 2, 4)
)


def _vector(values: Iterable[float]) -> Vector:
    x, y, z = (float(v) for v in values)
    return x, y, z
