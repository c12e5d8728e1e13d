"""Slices that are missing are no dark image: before a model sees a volume they are bridged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medview.domain.volume import Volume


def without_gaps(volume: Volume) -> Volume:
    """Give the volume with each missing slice made of its neighbours; itself without any.

    Between two slices that are there values go over evenly from one to the other; beyond the
    last one it is repeated. Blank slices would count as dark tissue where a model looks at the
    distribution of values. The volume still says which slices are missing.
    """
    array = volume.array
    missing = np.array([k for k in volume.missing_slices if k < array.shape[0]], dtype=np.intp)
    there = np.setdiff1d(np.arange(array.shape[0]), missing)
    if not missing.size or not there.size or volume.is_colour:
        return volume
    filled = np.array(array)
    for k in missing:
        above = min(int(np.searchsorted(there, k)), len(there) - 1)
        after, before = int(there[above]), int(there[max(above - 1, 0)])
        share = np.clip((k - before) / max(after - before, 1), 0.0, 1.0)
        low, high = array[before].astype(np.float64), array[after].astype(np.float64)
        between = low + share * (high - low)
        filled[k] = np.round(between) if array.dtype.kind in "iu" else between
    return replace(volume, array=filled)
