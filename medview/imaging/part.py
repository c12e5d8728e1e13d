"""How a slice is placed in a pane, and which part of a large slice a pane needs."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from medview.domain.volume import Volume
from medview.imaging.area import Span, averaged, highest_in
from medview.imaging.body import Box, box_in
from medview.imaging.coarse import coarser
from medview.imaging.looks import is_drawn_on, is_stored_slice
from medview.imaging.reslice import Cut, cut_of
from medview.imaging.view import Part, View

# Smaller ones are composed whole, once for every place on the screen.
_LARGE = 1 << 20
# A pane takes so much more than it shows on each side: a short way needs no new pixels.
_MARGIN = 0.125
# By so little of a block ends may lie beyond an edge without asking for another block.
_NONE = 1e-6


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


def needed(
    volume: Volume, view: View, room: Room, body: NDArray[np.float64] | None = None
) -> Part | None:
    """What a pane needs of a large slice; None for all of it, pixel by pixel.

    `body` are the corners of what just fits into the pane at a zoom of 1; None: all of it.
    Slabs and planes across the stored slices are taken whole, and so is a slice that a
    presentation state draws on: its lines are drawn pixel by pixel.
    """
    cut = cut_of(volume.geometry, view)
    rows, columns = (cut.grid.shape[axis] for axis in cut.layout.shape_axes)
    if rows * columns <= _LARGE or not is_stored_slice(cut) or is_drawn_on(volume, view):
        return None
    if volume.slices_to_come:  # coarse pixels of what is not there yet would be kept
        return None
    box = box_in((rows, columns), cut.pixel_to_lps, body)
    x, y, wide, high = placed(room, box, cut.pixel_mm, view.zoom, view.pan_mm)
    seen = (-x / wide, -y / high, (room.width - x) / wide, (room.height - y) / high)
    step = min(1 / (room.fine * max(wide, high)), float(min(rows, columns)))
    # Where the slice is not finer than the screen its own pixels are drawn.
    is_finer = step > 1 + _NONE
    return part_of(cut, seen, step if is_finer else 1.0, seen[:2] if is_finer else (0.0, 0.0))


def needed_here(volume: Volume, view: View, size: tuple[int, int]) -> Part | None:
    """The same for a picture of so many pixels, with what smoothing looks at beyond its edges."""
    part = needed(volume, view, Room(*size))
    return None if part is None else grown(part, cut_of(volume.geometry, view))


def part_of(cut: Cut, box: Box, step: float, origin: tuple[float, float] = (0.0, 0.0)) -> Part:
    """The blocks of a cut that hold a box; at least one, even where the box lies beside it.

    One of the blocks, on the slice or not, begins at `origin` (x, y).
    """
    along, across = (cut.grid.shape[axis] for axis in cut.layout.shape_axes)
    left, columns = _blocks(across, origin[0], box[0], box[2], step)
    top, rows = _blocks(along, origin[1], box[1], box[3], step)
    return Part(left, top, columns, rows, step, (along, across))


def _blocks(size: int, origin: float, low: float, high: float, step: float) -> tuple[float, int]:
    """Where the first block begins and how many there are."""
    first = floor(-origin / step + _NONE)
    end = max(ceil((size - origin) / step - _NONE), first + 1)
    begin = min(max(floor((low - origin) / step + _NONE), first), end - 1)
    until = min(max(ceil((high - origin) / step - _NONE), begin + 1), end)
    return origin + begin * step, until - begin


def grown(part: Part, cut: Cut) -> Part:
    """The same with more on each side, as far as the slice goes."""
    right, bottom = part.left + part.columns * part.step, part.top + part.rows * part.step
    x, y = (_MARGIN * part.step * n for n in (part.columns, part.rows))
    box = (part.left - x, part.top - y, right + x, bottom + y)
    return part_of(cut, box, part.step, (part.left, part.top))


# What was taken last, by array identity and way: a turn of the window takes the same again.
_kept: dict[tuple[int, bool], tuple[tuple[object, ...], NDArray[np.generic]]] = {}


def take(
    cut: Cut, array: NDArray[np.generic], part: Part, *, highest: bool = False
) -> NDArray[np.generic]:
    """Those blocks of an array on the grid of a stored slice, (rows, columns) or with colours.

    A block has the mean of its values, or the highest.
    """
    if part.step == 1:
        laid, row, column = cut.layout.lay(array[cut.index]), round(part.top), round(part.left)
        return laid[row : row + part.rows, column : column + part.columns]
    key, asked = (id(array), highest), (cut.index, cut.layout, part)
    known = _kept.get(key)
    if known is not None and known[0] == asked:
        return known[1]
    if known is None:
        weakref.finalize(array, _kept.pop, key, None)
    made = _pooled(cut, array, part, highest=highest)
    made.setflags(write=False)
    _kept[key] = (asked, made)
    return made


def _pooled(
    cut: Cut, array: NDArray[np.generic], part: Part, *, highest: bool
) -> NDArray[np.generic]:
    """The blocks of a part from those of the next finer power of two, which are kept."""
    level = 1 << (int(part.step).bit_length() - 1)
    laid = cut.layout.lay(coarser(array, cut.index, level, highest=highest))
    spans = []
    for side, (axis, sign), start, count in (
        (laid.shape[0], cut.layout.down, part.top, part.rows),
        (laid.shape[1], cut.layout.right, part.left, part.columns),
    ):
        # Blocks are counted as they are stored: a turned slice may begin with less than one.
        begin = 0 if sign > 0 else cut.grid.shape[axis] - level * side
        spans.append(Span((start - begin) / level, part.step / level, count))
    pool = highest_in if highest else averaged
    return pool(laid, *spans)
