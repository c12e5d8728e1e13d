"""Regions that stand out in a map: where they are, how large, how high."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Finding
from medview.learning.anomaly import AnomalySettings

SMALLEST_ML = 0.2
MOST = 20
_NEIGHBOUR_VOXELS = 2


def find_all(
    score: ScalarMap, residual: ScalarMap, inner: NDArray[np.bool_], settings: AnomalySettings
) -> tuple[Finding, ...]:
    """Regions over the threshold of the score, largest first, then those of the residual alone.

    The latter are large differences that the model's own uncertainty hides in the score. Only
    voxels of `inner` (k, j, i) count: at the rim of the brain the mask decides.
    """
    over = (np.asarray(score.array) > settings.threshold) & inner
    hidden = (np.asarray(residual.array) > settings.residual_threshold) & inner
    hidden &= ~ndimage.binary_dilation(over, iterations=_NEIGHBOUR_VOXELS)
    found = regions(score, over) + [
        replace(one, hidden_by_uncertainty=True) for one in regions(residual, hidden)
    ]
    return tuple(replace(one, id=n) for n, one in enumerate(found[:MOST], start=1))


def regions(shown: ScalarMap, mask: NDArray[np.bool_]) -> list[Finding]:
    """Connected regions of a mask (k, j, i) of at least ``SMALLEST_ML``, largest first.

    Centroids are in LPS mm, the peak is that of the map.
    """
    labels, count = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:] * shown.geometry.voxel_ml
    boxes = ndimage.find_objects(labels)
    order = [n for n in np.argsort(-sizes, kind="stable") if sizes[n] >= SMALLEST_ML]
    return [_finding(shown, labels, int(n) + 1, boxes[n], float(sizes[n])) for n in order]


def _finding(
    shown: ScalarMap,
    labels: NDArray[np.int32],
    label: int,
    box: tuple[slice, slice, slice],
    size_ml: float,
) -> Finding:
    corner = [side.start for side in box]
    inside = labels[box] == label
    centre = np.argwhere(inside).mean(axis=0) + corner
    values = np.where(inside, np.asarray(shown.array)[box], -np.inf)
    peak = np.unravel_index(int(values.argmax()), values.shape)
    x, y, z = (round(float(mm), 2) for mm in shown.geometry.to_mm(centre))
    return Finding(
        id=0,
        map=shown.name,
        centroid_lps=(x, y, z),
        slice=int(peak[0]) + corner[0],
        volume_ml=round(size_ml, 3),
        peak=float(values[peak]),
    )
