"""Synthetic lesions for tests of an anomaly map: never for training, always called synthetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medview.learning.brain import BRIGHTEST


@dataclass(frozen=True, slots=True, eq=False)
class Lesion:
    """A blob to add to one model slice.

    `blend` (128, 128) 0..1, soft at the edge; `contrast` in units of the brain's 2nd to 98th
    percentile range, negative is darker; `radius_px` its mean radius.
    """

    blend: NDArray[np.float32]
    contrast: float
    radius_px: float

    @property
    def truth(self) -> NDArray[np.bool_]:
        """The lesion's pixels: blend over one half."""
        return self.blend > 0.5

    def paste(self, picture: NDArray[np.float32], brain: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Add the lesion to a model slice (values 0..1, scaled by ``BRIGHTEST``)."""
        added = picture + self.blend * np.float32(self.contrast / BRIGHTEST)
        return np.where(brain, np.clip(added, 0, 1), 0).astype(np.float32)


def draw_lesion(brain: NDArray[np.bool_], rng: np.random.Generator) -> Lesion | None:
    """Draw a lesion inside a brain slice, or None if the slice has no room.

    Centre in the brain eroded by 4 px, mean radius U(4, 14) px with a smooth star-shaped
    outline, contrast +-U(0.15, 0.5), Gaussian edge sigma U(0.7, 2) px, at least 60 % of it in
    the brain.
    """
    rows, columns = np.nonzero(ndimage.binary_erosion(brain, iterations=4))
    if rows.size == 0:
        return None
    for _ in range(50):
        pick = int(rng.integers(rows.size))
        radius = float(rng.uniform(4, 14))
        blend = _star(brain.shape, (rows[pick], columns[pick]), radius, rng)
        contrast = float(rng.uniform(0.15, 0.5) * rng.choice([-1.0, 1.0]))
        lesion = Lesion(blend, contrast, radius)
        truth = lesion.truth
        if truth.any() and (truth & brain).sum() >= 0.6 * truth.sum():
            return lesion
    return None


def _star(
    shape: tuple[int, ...], centre: tuple[int, int], radius: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    rows, columns = np.indices(shape)
    dy, dx = rows - centre[0], columns - centre[1]
    angle = np.arctan2(dy, dx)
    outline = np.full(shape, radius)
    for wave in (2, 3, 4):
        outline += radius * rng.uniform(0, 0.18) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    filled = (np.hypot(dy, dx) <= outline).astype(np.float32)
    return np.asarray(ndimage.gaussian_filter(filled, rng.uniform(0.7, 2.0)), dtype=np.float32)
