"""What a reader draws on an image to measure or to point: places in the patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["length", "angle", "cobb", "ellipse", "rectangle", "polygon", "arrow", "text"]
Point = tuple[float, float, float]

#: How many points a drawing has when it is finished; a polygon as many as it takes.
POINTS: dict[Kind, int] = {
    "length": 2,
    "angle": 3,
    "cobb": 4,
    "ellipse": 2,
    "rectangle": 2,
    "polygon": 0,
    "arrow": 2,
    "text": 1,
}
CLOSED: tuple[Kind, ...] = ("ellipse", "rectangle", "polygon")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One drawing on one plane of one volume.

    `points` are LPS mm. `right` and `down` are unit vectors of the plane it was drawn on, so it
    stays on that plane whatever is turned or flipped later. Of an ellipse and a rectangle the
    points are two opposite corners of the box; of an angle the vertex is the middle one; of Cobb
    lines the first two and the last two are a line each. `time` is the time point.
    """

    id: int
    kind: Kind
    points: tuple[Point, ...]
    right: Point
    down: Point
    text: str = ""
    time: int = 0

    @property
    def is_finished(self) -> bool:
        """Whether it has all its points."""
        wanted = POINTS[self.kind]
        return len(self.points) >= (wanted or 3)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a drawing: `name` ("length", "area", "mean" ...), its value and unit.

    Units are "mm", "mm2", "deg", "px", or the quantity of the volume. `at_detector` says that
    millimetres are those of the detector, not of the patient.
    """

    name: str
    value: float
    unit: str
    at_detector: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """A drawing with its numbers, and its line through the patient, LPS mm."""

    drawing: Measurement
    figures: tuple[Quantity, ...]
    outline: tuple[Point, ...]
