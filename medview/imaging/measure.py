"""Lengths in the patient, not in pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from medview.domain.geometry import Geometry


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
