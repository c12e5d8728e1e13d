"""Whether a brain is as large as brains are; where it is not, the file's millimetres are wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medview.domain.volume import Note, Volume

SHORTEST_MM, LONGEST_MM = 100.0, 220.0
"""Adult brains have 150 to 200 mm between front and back, those of newborns more than 100."""
_AS_DEEP = 0.5


def size_notes(volume: Volume, mask: NDArray[np.bool_]) -> tuple[Note, ...]:
    """A doubt where a brain is too small or too large to be one of anybody.

    Of a slab, which is thin against its length, only too large a one is told. `mask` is the brain
    on the volume's own grid (k, j, i).
    """
    if not mask.any() or volume.geometry.spacing_kind is None:
        return ()
    found = [np.flatnonzero(mask.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
    steps = volume.geometry.spacing_mm
    sides = [(at[-1] - at[0] + 1) * step for at, step in zip(found, steps, strict=True)]
    longest, whole = max(sides), min(sides) >= _AS_DEEP * max(sides)
    if longest <= LONGEST_MM and (longest >= SHORTEST_MM or not whole):
        return ()
    words = (
        f"the brain that was found is {longest:.0f} mm long, those of adults 150 to 200 mm; the "
        "file may give a wrong size of its voxels, and then volumes and places in mm are wrong"
    )
    return (Note("OUTSIDE_TRAINING", words),)
