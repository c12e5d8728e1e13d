"""An image that the reader has marked to be found again."""

from __future__ import annotations

from dataclasses import dataclass, field

from medview.domain.geometry import Plane
from medview.domain.measurement import Point


@dataclass(frozen=True, slots=True)
class KeyImage:
    """One slice of one plane at one time point of a series.

    `slice` is the index along the axis that is cut (0-based); `point_lps` is where the crosshair
    was, so that the way back leads to the place and not only to the slice. Two marks on the same
    slice are the same mark, wherever the crosshair was. `tilt` is how the planes were turned
    (rows of a rotation in LPS), empty for a straight one; `slice` then counts turned slices.
    """

    plane: Plane
    slice: int
    time: int = 0
    point_lps: Point = field(default=(0.0, 0.0, 0.0), compare=False)
    tilt: tuple[float, ...] = ()

    @property
    def words(self) -> str:
        """Which image it is, such as "axial 12"; of a turned plane the number alone says little."""
        return f"{self.plane.value} {self.slice + 1}" + (", tilted" if self.tilt else "")
