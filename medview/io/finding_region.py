"""Where a finding lies, found again in its map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Finding

Inside = NDArray[np.bool_]
_ROOM = 1.5
"""Half the side of the box about a peak, as a share of the diameter of a ball of its volume."""
_ROOM_MM = 20.0
_HALVINGS = 24


def region_of(finding: Finding, shown: ScalarMap) -> Inside:
    """Where a finding lies, (k, j, i): what is connected to its peak and has its volume.

    The level is sought at which that region is as large as the finding was told to be, so that
    neither the thresholds nor the mask of the run need to be known.
    """
    values = np.asarray(shown.array, dtype=np.float32)
    inside = np.zeros(values.shape, dtype=np.bool_)
    peak = _peak_of(finding, shown, values)
    box = _box_about(peak, finding.volume_ml, shown.geometry)
    part = values[box]
    at = tuple(n - side.start for n, side in zip(peak, box, strict=True))
    wanted = max(1, round(finding.volume_ml / shown.geometry.voxel_ml))
    low, high = 0.0, float(part[at])
    best = _connected(part, at, high)
    for _ in range(_HALVINGS):
        level = (low + high) / 2
        found = _connected(part, at, level)
        if abs(int(found.sum()) - wanted) < abs(int(best.sum()) - wanted):
            best = found
        low, high = (level, high) if found.sum() > wanted else (low, level)
    inside[box] = best
    return inside


def _peak_of(
    finding: Finding, shown: ScalarMap, values: NDArray[np.float32]
) -> tuple[int, int, int]:
    """The voxel of the finding's peak: on its slice, of its value, nearest to its middle."""
    k = min(max(finding.slice, 0), values.shape[0] - 1)
    rows, columns = np.nonzero(np.isclose(values[k], finding.peak, rtol=1e-5, atol=0))
    _, j, i = shown.geometry.to_index(np.array(finding.centroid_lps))
    if not rows.size:
        last = (np.array(values.shape[1:]) - 1).clip(0)
        row, column = np.clip(np.round([j, i]), 0, last).astype(int)
        return k, int(row), int(column)
    nearest = int(np.argmin((rows - j) ** 2 + (columns - i) ** 2))
    return k, int(rows[nearest]), int(columns[nearest])


def _box_about(
    peak: tuple[int, int, int], volume_ml: float, geometry: Geometry
) -> tuple[slice, slice, slice]:
    reach_mm = _ROOM * 2 * (volume_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3) + _ROOM_MM
    sides = [
        slice(max(0, at - round(reach_mm / mm)), min(size, at + round(reach_mm / mm) + 1))
        for at, mm, size in zip(peak, geometry.spacing_mm, geometry.shape, strict=True)
    ]
    return sides[0], sides[1], sides[2]


def _connected(part: NDArray[np.float32], at: tuple[int, ...], level: float) -> Inside:
    labels, _ = ndimage.label(part >= level)
    return np.asarray(labels == labels[at]) if labels[at] else np.zeros(part.shape, np.bool_)
