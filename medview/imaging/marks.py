"""Boxes with a word in their corner, such as the zones of the lungs on a chest film."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medview.domain.overlay import ScalarMap
from medview.domain.prediction import ZONES

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Mark:
    """A box in the patient: its four corners in LPS mm, one after the other, and a text."""

    text: str
    corners_lps: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class DrawnMark:
    """The same on the pixels of a frame, corners (x, y)."""

    text: str
    corners: tuple[Point, ...]

    @property
    def place(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of all its corners."""
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


def zone_marks(lungs: ScalarMap, scores: Mapping[str, str]) -> tuple[Mark, ...]:
    """A box round each zone of the lungs found in this film, with its letter and score in words.

    `lungs` (1, rows, columns) numbers the zones 1 to 6; zones that are not there have no box,
    and neither has a map that only says where lungs are.
    """
    numbers = np.nan_to_num(np.asarray(lungs.array[0], dtype=np.float32))
    if numbers.max(initial=0.0) < 2:
        return ()
    made = []
    for place, letter in enumerate(ZONES, 1):
        rows, columns = np.nonzero(np.rint(numbers) == place)
        if not rows.size:
            continue
        top, bottom = rows.min() - 0.5, rows.max() + 0.5
        left, right = columns.min() - 0.5, columns.max() + 0.5
        index = [(0, top, left), (0, top, right), (0, bottom, right), (0, bottom, left)]
        corners = lungs.geometry.to_mm(np.array(index, dtype=np.float64))
        score = scores.get(letter)
        text = letter if score is None else f"{letter} {score}"
        made.append(Mark(text, tuple((float(x), float(y), float(z)) for x, y, z in corners)))
    return tuple(made)


def drawn(marks: tuple[Mark, ...], pixel_to_lps: NDArray[np.float64]) -> tuple[DrawnMark, ...]:
    """Where marks fall on pixels that `pixel_to_lps`, (4, 4), takes to the patient."""
    if not marks:
        return ()
    back = np.linalg.pinv(pixel_to_lps[:3, :2])
    made = []
    for mark in marks:
        away = np.array(mark.corners_lps) - pixel_to_lps[:3, 3]
        made.append(DrawnMark(mark.text, tuple((float(x), float(y)) for x, y in away @ back.T)))
    return tuple(made)
