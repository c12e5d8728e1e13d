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
    slice are the same mark, wherever the crosshair was.
    """

    plane: Plane
    slice: int
    time: int = 0
    point_lps: Point = field(default=(0.0, 0.0, 0.0), compare=False)
