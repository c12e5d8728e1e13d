"""The value at one place as a curve: through the slices of a pane, or over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry
from medview.domain.volume import Volume
from medview.imaging.reslice import cut_of
from medview.imaging.view import View


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """`y` (n,) at `x` (n,), NaN where there is no value; `here` is the index looked at now.

    `unit` is that of `x`, "mm", "s" or empty for a mere count from 1.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    here: int
    unit: str = ""


def through_slices(
    volume: Volume, view: View, point_lps: Sequence[float] | None = None
) -> Curve | None:
    """Values along the slices of a view at a place in it; None in colour or for one slice.

    The nearest voxel counts, as for the probe. `x` is in mm from the first slice where sizes
    in the patient are known, else the number of the slice. `point_lps` None is the crosshair.
    """
    cut = cut_of(volume.geometry, view)
    count = cut.grid.shape[cut.layout.cut]
    if volume.is_colour or count < 2:
        return None
    place = cut.grid.to_index(view.point_lps if point_lps is None else point_lps)
    line = np.repeat(place[None], count, axis=0)
    line[:, cut.layout.cut] = np.arange(count)
    values = _at(volume.array, volume.geometry, cut.grid.to_mm(line))
    gone = np.zeros(volume.geometry.shape[0], dtype=bool)
    gone[list(volume.missing_slices)] = True
    if gone.any():
        stored = np.rint(volume.geometry.to_index(cut.grid.to_mm(line))[:, 0]).astype(int)
        values[gone[stored.clip(0, len(gone) - 1)]] = np.nan
    if volume.geometry.spacing_kind == "patient":
        return Curve(np.arange(count, dtype=np.float64) * cut.step_mm, values, cut.index, "mm")
    return Curve(np.arange(count, dtype=np.float64) + 1, values, cut.index)


def over_time(
    course: NDArray[np.float32],
    geometry: Geometry,
    point_lps: Sequence[float],
    time: int,
    step_s: float | None = None,
) -> Curve | None:
    """Values of one voxel over all time points of `course` (t, k, j, i); None outside.

    `x` is in seconds where the step between two is known, else the number of the time point.
    """
    k, j, i = np.rint(geometry.to_index(point_lps)).astype(int)
    if not all(0 <= n < size for n, size in zip((k, j, i), geometry.shape, strict=True)):
        return None
    values = np.asarray(course[:, k, j, i], dtype=np.float64)
    count = np.arange(len(values), dtype=np.float64)
    if step_s is None:
        return Curve(count + 1, values, time)
    return Curve(count * step_s, values, time, "s")


def _at(
    array: NDArray[np.generic], geometry: Geometry, points_lps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Values (n,) of the voxels nearest to points (n, 3); NaN outside."""
    index = np.rint(geometry.to_index(points_lps)).astype(int)
    inside = ((index >= 0) & (index < np.array(geometry.shape))).all(axis=1)
    k, j, i = index[inside].T
    made = np.full(len(index), np.nan)
    made[inside] = array[k, j, i]
    return made
