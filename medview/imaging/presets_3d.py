"""What of a volume can be seen from outside, and in which colours: presets as data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medview.domain.volume import Volume

# Values of images without a unit are brought to 0..1000 between these percentiles.
_TAILS = (2.0, 99.7)
_TOP = 1000.0


@dataclass(frozen=True, slots=True)
class Preset3D:
    """Colour and opacity by value.

    `colours` are (value, red, green, blue) with colours 0..1, `opacities` (value, share).
    `in_hu` says that values are Hounsfield units, else 0..1000 from dark to bright tissue.
    `is_mip` shows the brightest value on every ray instead.
    """

    key: str
    title: str
    colours: tuple[tuple[float, float, float, float], ...] = ()
    opacities: tuple[tuple[float, float], ...] = ()
    in_hu: bool = False
    is_mip: bool = False


PRESETS: dict[str, Preset3D] = {
    each.key: each
    for each in (
        Preset3D(
            "ct_bone", "CT bone",
            ((150, 0.55, 0.33, 0.22), (350, 0.88, 0.72, 0.55), (1200, 1.0, 0.97, 0.9)),
            ((160, 0.0), (320, 0.35), (700, 0.85), (1500, 0.95)), in_hu=True,
        ),
        Preset3D(
            "ct_soft", "CT soft tissue",
            ((-150, 0.75, 0.55, 0.4), (0, 0.8, 0.45, 0.35), (120, 0.9, 0.6, 0.5),
             (350, 1.0, 0.95, 0.85)),
            ((-180, 0.0), (-60, 0.04), (30, 0.22), (120, 0.5), (400, 0.85)), in_hu=True,
        ),
        Preset3D(
            "mr_head", "MR head",
            ((120, 0.35, 0.24, 0.2), (400, 0.8, 0.62, 0.52), (1000, 1.0, 0.96, 0.9)),
            ((110, 0.0), (260, 0.12), (520, 0.45), (1000, 0.8)),
        ),
        Preset3D("mip", "Maximum (MIP)", is_mip=True),
    )
}  # fmt: skip


def presets_for(volume: Volume) -> tuple[Preset3D, ...]:
    """Presets that make sense of a volume: those in HU only where its values are."""
    is_ct = volume.quantity == "HU"
    return tuple(each for each in PRESETS.values() if each.is_mip or each.in_hu == is_ct)


def refusal_3d(volume: Volume) -> str:
    """Why a volume cannot be seen from outside, as a sentence; empty when it can."""
    if volume.is_colour:
        return "Colour images have no 3-D view."
    if min(volume.geometry.shape) < _FEWEST:
        return f"{volume.geometry.shape[0]} slices are too few for a 3-D view."
    return ""


_FEWEST = 8


def prepared(volume: Volume, most_voxels: int) -> tuple[NDArray[np.int16], tuple[int, int, int]]:
    """Values as int16 in HU or 0..1000, thinned to at most so many voxels; and the steps."""
    step = [1, 1, 1]
    shape = list(volume.geometry.shape)
    while np.prod([-(-n // s) for n, s in zip(shape, step, strict=True)]) > most_voxels:
        spacing = [mm * s for mm, s in zip(volume.geometry.spacing_mm, step, strict=True)]
        step[spacing.index(min(spacing))] += 1
    k, j, i = step
    array = volume.array[::k, ::j, ::i]
    if volume.quantity == "HU":
        made = np.clip(array, -2000, 4000).astype(np.int16)
    else:
        known = array[np.isfinite(array)] if array.dtype.kind == "f" else array
        low, high = np.percentile(known[:: max(1, known.size // 500_000)], _TAILS)
        scaled = (array.astype(np.float32) - low) * (_TOP / max(high - low, 1e-9))
        made = np.clip(np.nan_to_num(scaled), -200, 2000).astype(np.int16)
    return np.ascontiguousarray(made), (k, j, i)
