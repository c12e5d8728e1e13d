"""How a film lies on its own grid by what its header says, and the way to upright and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry


@dataclass(frozen=True, slots=True)
class Lie:
    """What is to be undone until head is up and the right lung on the left of the picture.

    Undone in this order: `on_side`, rows and columns change places; `upside_down`, rows run
    toward the head; `mirrored`, columns run toward the patient's right.
    """

    on_side: bool = False
    upside_down: bool = False
    mirrored: bool = False

    @property
    def words(self) -> str:
        """How the film lies, in words; "" where it lies upright."""
        if self.on_side:
            return "on its side"
        if self.upside_down:
            return "turned by 180 degrees" if self.mirrored else "upside down"
        return "mirrored" if self.mirrored else ""

    def upright(self, values: NDArray[Any]) -> NDArray[Any]:
        """A picture of the film, (rows, columns), put upright."""
        values = values.T if self.on_side else values
        values = values[::-1] if self.upside_down else values
        return np.ascontiguousarray(values[:, ::-1] if self.mirrored else values)

    def back(self, values: NDArray[Any]) -> NDArray[Any]:
        """An upright picture in the order of the film's own rows and columns."""
        values = values[:, ::-1] if self.mirrored else values
        values = values[::-1] if self.upside_down else values
        return np.ascontiguousarray(values.T if self.on_side else values)


UPRIGHT = Lie()


def lie_of(geometry: Geometry) -> Lie:
    """How a film lies; upright where the header says nothing or no frontal view of it."""
    across, through, down = geometry.axis_of
    if not geometry.orientation_known or through != 0:
        return UPRIGHT
    return Lie(
        on_side=across == 1,
        upside_down=bool(geometry.affine[2, down] > 0),
        mirrored=bool(geometry.affine[0, across] < 0),
    )
