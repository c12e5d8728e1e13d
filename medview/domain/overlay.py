"""What can lie on an image, and how it is shown there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry

MapKind = Literal["anomaly", "uncertainty", "mask", "image", "evidence", "labels"]
UNCERTAINTIES = ("epistemic", "aleatoric", "total")
"""Maps of the kind "uncertainty", by their names."""


@dataclass(frozen=True, slots=True, eq=False)
class ScalarMap:
    """Values of a model on a grid, (k, j, i) float32 or uint8; NaN where there is none.

    `title` is what a reader sees ("anomaly score"), `name` the key in results ("score"),
    `unit` "1" for pure numbers, `range` the values the colour bar spans by default. `labels` are
    what the values 1, 2, ... of a map of kind "labels" stand for, where that is known.
    """

    name: str
    array: NDArray[np.generic]
    geometry: Geometry
    kind: MapKind = "anomaly"
    unit: str = "1"
    range: tuple[float, float] = (0.0, 1.0)
    title: str = ""
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.array.shape != self.geometry.shape:
            raise ValueError(f"map {self.array.shape} and grid {self.geometry.shape} differ")
        self.array.setflags(write=False)


@dataclass(frozen=True, slots=True)
class LayerStyle:
    """How a map is drawn; never touches the window of the image beneath.

    `range` is what the colours span, `threshold` the value below which nothing is drawn:
    two different things (as FSLeyes has it). `fade_by` names another map of the same result
    whose high values take opacity away. `outline` draws only the edge of what is over the
    threshold, so that the image inside stays as it is.
    """

    visible: bool = False
    colour_map: str = "inferno"
    range: tuple[float, float] = (0.0, 1.0)
    threshold: float = 0.0
    opacity: float = 0.7
    fade_by: str | None = None
    outline: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """Maps of an object of another program on the grid of an image, and what was done for that.

    `words` is for the reader: that the grids differ and how values were brought over, and what is
    too small to be seen; empty where the object was made on the grid of the image.
    """

    maps: tuple[ScalarMap, ...]
    words: str = ""
