"""Where the planes of other panes run through the plane of one: by their places in the patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry
from medview.imaging.reslice import Cut, cut_of
from medview.imaging.view import ReferenceLine, View

# Planes that lean less than this against each other have no line worth drawing.
_PARALLEL = 1 - 1e-4


def reference_lines(
    geometry: Geometry, view: View, others: Sequence[View]
) -> tuple[ReferenceLine, ...]:
    """The lines in which the slices of other views cut the slice of `view`.

    A line ends where the other slice ends. A slab has three: its middle, and its first and last
    slice as edges. Planes that are parallel, or that end before they meet, have none.
    """
    own = cut_of(geometry, view)
    lines = []
    for other in others:
        cut = cut_of(geometry, other)
        for index in sorted({cut.index, cut.first, cut.last}):
            ends = _meeting(own, replace(cut, index=index))
            if ends is not None:
                lines.append(ReferenceLine(other.plane, ends, is_edge=index != cut.index))
    return tuple(lines)


def _meeting(own: Cut, other: Cut) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Where the rectangle of one slice goes through the plane of another, on its pixels."""
    to_lps = own.pixel_to_lps
    normal, away = _normal(to_lps), _normal(other.pixel_to_lps)
    if abs(float(normal @ away)) > _PARALLEL:
        return None
    corners = _corners(other)
    heights = (corners - to_lps[:3, 3]) @ normal
    points = []
    for n in range(4):
        low, high = heights[n], heights[(n + 1) % 4]
        if (low >= 0) != (high >= 0):
            part = low / (low - high)
            points.append(corners[n] + part * (corners[(n + 1) % 4] - corners[n]))
    if len(points) != 2:
        return None
    on_pixels = (np.array(points) - to_lps[:3, 3]) @ np.linalg.pinv(to_lps[:3, :2]).T
    first, last = sorted((float(x), float(y)) for x, y in on_pixels)
    return first, last


def _normal(to_lps: NDArray[np.float64]) -> NDArray[np.float64]:
    normal = np.cross(to_lps[:3, 0], to_lps[:3, 1])
    return np.asarray(normal / np.linalg.norm(normal))


def _corners(cut: Cut) -> NDArray[np.float64]:
    """The four corners of the drawn pixels, round about, (4, 3) LPS mm."""
    rows, columns = (cut.grid.shape[axis] for axis in cut.layout.shape_axes)
    left, top, right, bottom = -0.5, -0.5, columns - 0.5, rows - 0.5
    places = [(left, top), (right, top), (right, bottom), (left, bottom)]
    pixels = np.array([(x, y, 0.0, 1.0) for x, y in places])
    return np.asarray((pixels @ cut.pixel_to_lps.T)[:, :3])
