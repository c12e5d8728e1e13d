"""Padding is no image: before a model sees a volume it becomes background (R28)."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from medview.domain.volume import Volume

AIR_HU = -1000


def without_padding(volume: Volume) -> Volume:
    """Give the volume with its padding turned into air or background; itself without any.

    Air is -1000 in Hounsfield units. Elsewhere background is what is shown darkest of the rest:
    its lowest value, or its highest where grey is turned (MONOCHROME1).
    """
    if volume.padding is None or volume.is_colour:
        return volume
    low, high = sorted(volume.padding)
    values = cast(NDArray[np.float64], volume.array)
    outside = (values >= low) & (values <= high)
    if not outside.any() or outside.all():
        return volume
    array = np.array(volume.array)
    array[outside] = _background(volume, array[~outside])
    return replace(volume, array=array, padding=None)


def _background(volume: Volume, image: NDArray[np.generic]) -> float:
    if volume.quantity == "HU":
        return AIR_HU
    return float((np.nanmax if volume.inverted else np.nanmin)(image.astype(np.float32)))
