"""One case as a training sees it: as it is, and changed as the recipe says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """A picture (rows, columns) uint8 and the side of the patient on its left and right edge."""

    picture: NDArray[np.uint8]
    left: str = "R"
    right: str = "L"


@dataclass(frozen=True, slots=True, eq=False)
class Varied:
    """A case as it is, six variants of it, and in words what the recipe changes.

    Without an `original` nothing can be drawn; `words` then say what is changed instead.
    """

    case: str
    words: str
    original: Variant | None = None
    variants: tuple[Variant, ...] = ()
