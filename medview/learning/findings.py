"""Regions that stand out in a map: where they are, how large, how high."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medview.domain.overlay import ScalarMap
from medview.domain.prediction import SMALLEST_ML, Finding
from medview.learning.anomaly_settings import AnomalySettings

MOST = 20
REACH_MM = 25.0
USUAL = 0.95
"""Up to this quantile a score is usual in its brain: no finding of a volume grows into that."""
_NEIGHBOUR_VOXELS = 2


def find_all(
    score: ScalarMap, residual: ScalarMap, inner: NDArray[np.bool_], settings: AnomalySettings
) -> tuple[Finding, ...]:
    """Regions over the threshold of the score, highest first, then those of the residual alone.

    The latter are large differences that the model's own uncertainty hides in the score. Only
    voxels of `inner` (k, j, i) count: at the rim of the brain the mask decides. A region over the
    threshold is a seed: what is found reaches from its peak down to ``settings.grow`` of it,
    because the smoothed edge of a lesion lies below the threshold; but not into what is usual in
    this brain (``usual_score``).
    """
    values, spacing_mm = np.asarray(score.array), score.geometry.spacing_mm
    seeds, least = (values > settings.threshold) & inner, usual_score(values, inner, settings)
    over = grown(values, seeds, inner, settings.grow, spacing_mm, least)
    hidden = (np.asarray(residual.array) > settings.residual_threshold) & inner
    hidden &= ~ndimage.binary_dilation(over, iterations=_NEIGHBOUR_VOXELS)
    found = regions(score, over) + [
        replace(one, hidden_by_uncertainty=True) for one in regions(residual, hidden)
    ]
    return tuple(replace(one, id=n) for n, one in enumerate(found[:MOST], start=1))


def highest_peak(
    values: NDArray[np.float32],
    inner: NDArray[np.bool_],
    settings: AnomalySettings,
    spacing_mm: Sequence[float],
) -> float:
    """The peak of the highest finding of a score (k, j, i); 0 where there is none."""
    labels, _ = ndimage.label((values > settings.threshold) & inner)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    large = sizes >= SMALLEST_ML * 1000 / float(np.prod(spacing_mm))
    return float(values[large[labels]].max(initial=0.0))


def among_normals(
    found: Sequence[Finding], peaks: NDArray[np.float64], name: str
) -> tuple[Finding, ...]:
    """Findings of the map of a name with how many normal brains hold one as high.

    `peaks` (n,) are the highest of each normal brain; without any nothing is known.
    """
    return tuple(
        replace(one, normals_as_high=int((peaks >= one.peak).sum()), normals=peaks.size)
        if peaks.size and one.map == name
        else one
        for one in found
    )


def usual_score(
    values: NDArray[np.float32], inner: NDArray[np.bool_], settings: AnomalySettings
) -> float:
    """The highest score that is usual in a brain (k, j, i); 0 for slices without neighbours.

    Of a single slice a lesion may fill too large a part for it to be told.
    """
    if settings.volume_mm <= 0 or not inner.any():
        return 0.0
    return float(np.quantile(values[inner], USUAL))


def grown(
    values: NDArray[np.float32],
    seeds: NDArray[np.bool_],
    inner: NDArray[np.bool_],
    share: float,
    spacing_mm: Sequence[float],
    least: float = 0.0,
) -> NDArray[np.bool_]:
    """Seeds (k, j, i) of at least ``SMALLEST_ML`` with what is connected to their peaks.

    That is what has at least `share` of the peak, and more than `least`. Nothing is lost of a
    seed, and nothing grows further than ``REACH_MM`` beyond its box.
    """
    labels, count = ndimage.label(seeds)
    fewest = SMALLEST_ML * 1000 / float(np.prod(spacing_mm))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    boxes = ndimage.find_objects(labels)
    reach = [int(np.ceil(REACH_MM / mm)) for mm in spacing_mm]
    out = seeds.copy()
    for n in np.flatnonzero(sizes >= fewest):
        pairs = zip(boxes[n], reach, strict=True)
        box = tuple(slice(max(0, side.start - more), side.stop + more) for side, more in pairs)
        seed = labels[box] == n + 1
        low = share * float(values[box][seed].max())
        high = (values[box] >= low) & (values[box] > least)
        parts, _ = ndimage.label((high & inner[box]) | seed)
        peak = np.unravel_index(int(np.where(seed, values[box], -np.inf).argmax()), seed.shape)
        out[box] |= parts == parts[peak]
    return out


def regions(shown: ScalarMap, mask: NDArray[np.bool_]) -> list[Finding]:
    """Connected regions of a mask (k, j, i) of at least ``SMALLEST_ML``, highest peak first.

    Of equal peaks the larger region comes first. Centroids are in LPS mm, the peak is that of the
    map.
    """
    labels, count = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:] * shown.geometry.voxel_ml
    boxes = ndimage.find_objects(labels)
    found = [
        _finding(shown, labels, int(n) + 1, boxes[n], float(sizes[n]))
        for n in np.flatnonzero(sizes >= SMALLEST_ML)
    ]
    return sorted(found, key=lambda one: (-one.peak, -one.volume_ml))


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
