"""Lengths and statistics in the patient, not in pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medview.domain.geometry import Geometry
from medview.domain.volume import Volume


def length_mm(start_lps: ArrayLike, end_lps: ArrayLike) -> float:
    """Distance of two points in LPS mm, (3,) each (R44)."""
    away = np.asarray(end_lps, dtype=np.float64) - np.asarray(start_lps, dtype=np.float64)
    return float(np.linalg.norm(away))


def length_text(geometry: Geometry, start_lps: ArrayLike, end_lps: ArrayLike) -> str:
    """A length with what its millimetre means (R22): in the patient, at the detector, or pixels.

    Without spacing the grid counts whole pixels as millimetres, so they are named pixels.
    """
    length = length_mm(start_lps, end_lps)
    if geometry.spacing_kind is None:
        return f"{length:.1f} pixels"
    place = " at detector" if geometry.spacing_kind == "detector" else ""
    return f"{length:.1f} mm{place}"


@dataclass(frozen=True, slots=True)
class Statistics:
    """What lies inside a region: values in `unit`, `sd` over the region (not of the mean)."""

    count: int
    mean: float
    sd: float
    low: float
    high: float
    volume_ml: float
    unit: str


def statistics_in(volume: Volume, inside: NDArray[np.bool_]) -> Statistics | None:
    """Statistics of the voxels where `inside`, (k, j, i), is True.

    Padding (R28), NaN and slices that were not in the file do not count. None when nothing
    is left, or for colour.
    """
    if volume.is_colour:
        return None
    counted = inside.copy()
    counted[list(volume.missing_slices)] = False
    values = np.asarray(volume.array[counted], dtype=np.float64)
    values = values[np.isfinite(values)]
    if volume.padding is not None:
        low, high = sorted(volume.padding)
        values = values[(values < low) | (values > high)]
    if not values.size:
        return None
    return Statistics(
        count=int(values.size),
        mean=float(values.mean()),
        sd=float(values.std()),
        low=float(values.min()),
        high=float(values.max()),
        volume_ml=float(values.size * volume.geometry.voxel_ml),
        unit=volume.quantity,
    )
