"""How a slice is placed in a pane, and which part of a large film a pane needs."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from medview.domain.volume import Volume
from medview.imaging.body import Box
from medview.imaging.coarse import coarser
from medview.imaging.looks import is_drawn_on
from medview.imaging.reslice import Cut, cut_of
from medview.imaging.view import Part, View

# Smoothing looks at two pixels a side; of an image that is finer on screen it would miss some.
FINEST = 0.5
# Smaller ones are composed whole, once for every place on the screen.
_LARGE = 1 << 22
# A pane takes so much more than it shows on each side: a short way needs no new pixels.
_MARGIN = 0.125


@dataclass(frozen=True, slots=True)
class Room:
    """The pixels of a pane, and how many of the screen each of them has along a side."""

    width: float
    height: float
    fine: float = 1.0


def px_per_mm(room: Room, box: Box, pixel_mm: tuple[float, float]) -> float:
    """Pixels of the pane to a mm where `box` just fits in."""
    left, top, right, bottom = box
    across = room.width / ((right - left) * pixel_mm[0])
    down = room.height / ((bottom - top) * pixel_mm[1])
    return max(min(across, down), 1e-6)


def placed(
    room: Room,
    box: Box,
    pixel_mm: tuple[float, float],
    zoom: float,
    pan_mm: tuple[float, float],
) -> Box:
    """Where the slice lies: x and y of its corner in the pane, and width and height of a pixel."""
    left, top, right, bottom = box
    scale = px_per_mm(room, box, pixel_mm) * zoom
    wide, high = pixel_mm[0] * scale, pixel_mm[1] * scale
    x = room.width / 2 + pan_mm[0] * scale - (left + right) / 2 * wide
    y = room.height / 2 + pan_mm[1] * scale - (top + bottom) / 2 * high
    return x, y, wide, high


def needed(volume: Volume, view: View, room: Room) -> Part | None:
    """What a pane needs of a large film; None for all of a slice, pixel by pixel.

    So is a film that a presentation state draws on: its lines are drawn pixel by pixel.
    """
    cut = cut_of(volume.geometry, view)
    rows, columns = (cut.grid.shape[axis] for axis in cut.layout.shape_axes)
    if not volume.is_film or rows * columns <= _LARGE or is_drawn_on(volume, view):
        return None
    if volume.slices_to_come:  # coarse pixels of what is not there yet would be kept
        return None
    whole = (0.0, 0.0, float(columns), float(rows))
    x, y, wide, high = placed(room, whole, cut.pixel_mm, view.zoom, view.pan_mm)
    step, fine = 1, room.fine * max(wide, high)
    while fine * step < FINEST and step < min(rows, columns):
        step *= 2
    seen = (-x / wide, -y / high, (room.width - x) / wide, (room.height - y) / high)
    return part_of(cut, seen, step)


def needed_here(volume: Volume, view: View, size: tuple[int, int]) -> Part | None:
    """The same for a picture of so many pixels, with what smoothing looks at beyond its edges."""
    part = needed(volume, view, Room(*size))
    return None if part is None else grown(part, cut_of(volume.geometry, view))


def part_of(cut: Cut, box: Box, step: int) -> Part:
    """The blocks of a cut that hold a box; at least one, even where the box lies beside it."""
    left, columns = _blocks(cut, cut.layout.right, box[0], box[2], step)
    top, rows = _blocks(cut, cut.layout.down, box[1], box[3], step)
    across, along = (cut.grid.shape[axis] for axis in reversed(cut.layout.shape_axes))
    return Part(left, top, columns, rows, step, (along, across))


def _blocks(cut: Cut, axis: tuple[int, int], low: float, high: float, step: int) -> tuple[int, int]:
    """Where the first block begins and how many there are; they are counted as they are stored."""
    size = cut.grid.shape[axis[0]]
    count = -(-size // step)
    start = 0 if axis[1] > 0 else size - step * count
    first = min(max(floor((low - start) / step), 0), count - 1)
    end = min(max(ceil((high - start) / step), first + 1), count)
    return start + first * step, end - first


def grown(part: Part, cut: Cut) -> Part:
    """The same with more on each side, as far as the slice goes."""
    right, bottom = part.left + part.columns * part.step, part.top + part.rows * part.step
    x, y = (_MARGIN * part.step * n for n in (part.columns, part.rows))
    return part_of(cut, (part.left - x, part.top - y, right + x, bottom + y), part.step)


def take(
    cut: Cut, array: NDArray[np.generic], part: Part, *, highest: bool = False
) -> NDArray[np.generic]:
    """Those blocks of an array on the grid of a stored slice, (rows, columns) or with colours."""
    laid = cut.layout.lay(coarser(array, part.step, highest=highest)[0])
    rows, columns = part.whole
    whole = part_of(cut, (0.0, 0.0, columns, rows), part.step)
    row, column = (part.top - whole.top) // part.step, (part.left - whole.left) // part.step
    return laid[row : row + part.rows, column : column + part.columns]
