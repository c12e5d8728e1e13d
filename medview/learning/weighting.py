"""Whether a brain's cortex is darker than its white matter, as T1 weighting makes it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medview.domain.volume import Note
from medview.learning.brain import Prepared
from medview.learning.grid import PIXEL_MM

CORTEX_MM = (2.0, 6.0)
"""So far beneath the surface of a brain most is cortex; nearer are membranes and fluid."""
DEEP_MM = 12.0
"""From here on the commonest brightness is that of white matter."""
BRIGHT_CORTEX = 0.8
"""In 19 of 20 whole T1 volumes the share is at most 0.77, in 10 FLAIR volumes at least 0.84.

In slices of 6 mm it is 0.77 and 0.80. Measured by ``packaging/weightings.py``.
"""
_LEVELS = 100
# Fluid and air are darker than any white matter.
_DARKEST = 0.15
_SMOOTH_LEVELS = 2.0
_NEAR = 0.5
# Of slices so far apart there are enough.
_STEP_MM = 3.0


def cortex_share(prepared: Prepared) -> float | None:
    """How bright the cortex is on average, as a share of the white matter's brightness.

    What is more than half as bright again as the white matter, or less than half as bright,
    counts for nothing: vessels and fluid. None where a brain is too small to have a deep part.
    """
    apart_mm = prepared.grid.spacing_mm[0]
    every = max(1, round(_STEP_MM / apart_mm))
    brain, values = prepared.brain[::every], prepared.slices[::every]
    steps_mm = (every * apart_mm, PIXEL_MM, PIXEL_MM)
    beneath = ndimage.distance_transform_edt(np.pad(brain, 1), sampling=steps_mm)
    beneath_mm = beneath[1:-1, 1:-1, 1:-1]
    deep = values[beneath_mm >= DEEP_MM]
    if not deep.size:
        return None
    white = _commonest(deep)
    low, high = CORTEX_MM
    rim = values[(beneath_mm >= low) & (beneath_mm <= high)]
    tissue = rim[abs(rim - white) < _NEAR * white]
    return float(tissue.mean() / white) if tissue.size else None


def _commonest(values: NDArray[np.float32]) -> float:
    """The most frequent brightness of tissue among values in 0..1."""
    counts, edges = np.histogram(values, _LEVELS, (0.0, 1.0))
    levels = (edges[:-1] + edges[1:]) / 2
    often = ndimage.gaussian_filter1d(counts.astype(float), _SMOOTH_LEVELS)
    return float(levels[np.argmax(np.where(levels > _DARKEST, often, -1.0))])


def weighting_notes(prepared: Prepared) -> tuple[Note, ...]:
    """A doubt where a whole brain that was taken for T1 has a cortex too bright for it."""
    share = cortex_share(prepared)
    if share is None or share <= BRIGHT_CORTEX:
        return ()
    words = (
        f"the cortex is {100 * share:.0f} % as bright as the white matter, in T1 images without "
        f"contrast agent less than {100 * BRIGHT_CORTEX:.0f} %; another sequence (FLAIR, T2), "
        "shading by the coil, much disease, or a newborn's brain can be why"
    )
    return (Note("OUTSIDE_TRAINING", words),)
