"""Where the 3-D view draws a place of the patient: parallel rays, in pixels of its picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medview.domain.crop import FACES, CropBox, Vector
from medview.domain.geometry import Geometry
from medview.domain.scene import Scene

# So much of the volume's diagonal is half as high as the picture: turned at will it fits in.
_HALF = 0.42
# An axis that is seen so much shorter points at the reader: no drag across would move along it.
_SHORTEST = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """From the patient (LPS mm) to the picture of a scene.

    `focus` is drawn in the middle; `right`, `up` and `along` (into the picture) are unit
    vectors; `half_mm` is what half the height of the picture shows.
    """

    focus: NDArray[np.float64]
    right: NDArray[np.float64]
    up: NDArray[np.float64]
    along: NDArray[np.float64]
    half_mm: float
    size: tuple[int, int]

    @property
    def px_per_mm(self) -> float:
        """Pixels of the picture to a mm across the rays."""
        return self.size[1] / (2 * self.half_mm)

    def place(self, point_lps: Vector) -> tuple[float, float]:
        """Pixels from the left and the top edge of the picture."""
        away = np.asarray(point_lps) - self.focus
        width, height = self.size
        x = width / 2 + float(away @ self.right) * self.px_per_mm
        return x, height / 2 - float(away @ self.up) * self.px_per_mm

    def depth(self, point_lps: Vector) -> float:
        """How far behind the focus a place lies, mm."""
        return float((np.asarray(point_lps) - self.focus) @ self.along)

    def face_at(self, box: CropBox, x: float, y: float, reach: float) -> int | None:
        """The face whose handle is drawn within `reach` pixels; of several the one in front."""
        near = []
        for face in range(len(FACES)):
            centre = box.centre(face)
            at = self.place(centre)
            if np.hypot(at[0] - x, at[1] - y) <= reach:
                near.append((self.depth(centre), face))
        return min(near)[1] if near else None

    def along_axis(self, axis: int, right_px: float, down_px: float) -> float:
        """How many mm along an axis of the patient a drag over so many pixels means.

        The place under the mouse follows it. Where the axis points at the reader or away, up is
        away from the reader.
        """
        seen = np.array([self.right[axis], -self.up[axis]])
        length = float(seen @ seen)
        if length < _SHORTEST**2:
            return float(np.sign(self.along[axis])) * -down_px / self.px_per_mm
        return float(seen @ (right_px, down_px)) / length / self.px_per_mm


def sight_of(geometry: Geometry, scene: Scene) -> Sight:
    """How a scene shows a volume: all of it at a zoom of 1."""
    affine, shape = geometry.affine, np.array(geometry.shape)
    diagonal = float(np.linalg.norm(affine[:3, :3] * shape, "fro"))
    width, height = scene.size
    half = _HALF * diagonal / scene.zoom / min(1.0, width / height)
    right, up, along = (np.array(each) for each in (scene.right, scene.up, scene.looks_along))
    focus = geometry.centre_mm - 2 * half * (right * scene.pan[0] - up * scene.pan[1])
    return Sight(focus, right, up, along, half, scene.size)
