"""From draws to maps: residual, both uncertainties and pixel score of model slices.

Source: arXiv 2504.15562, equations 10-13. With x the slice, x_bar the mean of K draws:

- residual = (x - x_bar)^2, the difference smoothed by a small Gaussian first (ours; 0 is the
  paper's form), because a lesion is wider than a misplaced gyrus; the maps of a volume are
  smoothed in all three directions, because a lesion is in the next slice, too;
- total = epistemic + aleatoric; score per pixel = residual / (total + 1e-8).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch.nn import functional as F

from medview.learning.anomaly_settings import Rule

EPSILON = 1e-8
COARSE = 4
"""Wide averages are worked out on blocks of so many pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class SliceMaps:
    """Maps of n model slices, each (n, 128, 128) float32; `x_bar` is the mean reconstruction.

    `contrast` is the residual that slices are judged by, where that is another one.
    """

    x_bar: NDArray[np.float32]
    residual: NDArray[np.float32]
    epistemic: NDArray[np.float32]
    aleatoric: NDArray[np.float32]
    contrast: NDArray[np.float32] | None = None

    @property
    def total(self) -> NDArray[np.float32]:
        """Epistemic plus aleatoric variance."""
        return self.epistemic + self.aleatoric

    def score(self, rule: Rule = "ratio") -> NDArray[np.float32]:
        """Pixel score by one of the rules; "ratio" is the paper's."""
        return combine(self.residual, self.epistemic, self.total, rule)


def combine(
    residual: NDArray[np.float32],
    epistemic: NDArray[np.float32],
    total: NDArray[np.float32],
    rule: Rule,
) -> NDArray[np.float32]:
    """Pixel score from residual and variances.

    The ratio pulls the score down where the model is unsure; product and sum push it up there
    (variances enter as standard deviations, so that all terms grow alike).
    """
    if rule == "product":
        return np.asarray(np.sqrt(residual * total), dtype=np.float32)
    if rule == "sum":
        return np.asarray(np.sqrt(residual) + np.sqrt(total), dtype=np.float32)
    by = {"ratio": total, "ratio-aleatoric": total - epistemic, "ratio-epistemic": epistemic}
    if rule in by:
        return np.asarray(residual / (by[rule] + np.float32(EPSILON)), dtype=np.float32)
    return epistemic if rule == "epistemic" else residual


def smooth_difference(
    difference: NDArray[np.float32],
    brain: NDArray[np.bool_],
    sigma_px: float,
    between: float = 0.0,
) -> NDArray[np.float32]:
    """Gaussian average within the brain, so that the outside does not dilute it.

    Over `sigma_px` pixels in each slice and, where they are neighbours, over `between` slices.
    """
    if sigma_px <= 0:
        return difference
    inside = brain.astype(np.float32)
    sigma = (between, sigma_px, sigma_px)
    weight = ndimage.gaussian_filter(inside, sigma, truncate=3)
    smooth = ndimage.gaussian_filter(difference * inside, sigma, truncate=3)
    return np.where(brain, smooth / np.maximum(weight, 1e-6), 0).astype(np.float32)


def wide_average(
    difference: NDArray[np.float32], brain: NDArray[np.bool_], sigma_px: float
) -> NDArray[np.float32]:
    """The same average over many pixels, worked out on a quarter of the resolution."""
    inside = torch.from_numpy(brain.astype(np.float32))[:, None]
    values = torch.from_numpy(np.ascontiguousarray(difference, dtype=np.float32))[:, None] * inside
    sigma = (0, 0, sigma_px / COARSE, sigma_px / COARSE)
    wide = [
        torch.from_numpy(
            ndimage.gaussian_filter(F.avg_pool2d(part, COARSE).numpy(), sigma, truncate=3)
        )
        for part in (values, inside)
    ]
    average = wide[0] / wide[1].clamp_min(1e-6)
    whole = F.interpolate(average, scale_factor=COARSE, mode="bilinear", align_corners=False)
    return np.asarray((whole * inside)[:, 0].numpy())


def maps_from_draws(
    slices: NDArray[np.float32],
    brain: NDArray[np.bool_],
    pictures: NDArray[np.float32],
    aleatoric: NDArray[np.float32],
    smooth_px: float,
    *,
    wide_px: float = 0.0,
    between: float = 0.0,
) -> SliceMaps:
    """Residual and variances of n slices from K pictures (K, n, 128, 128); zero outside.

    `between` smooths over slices, which must then be neighbours; `wide_px` makes `contrast`.
    """
    x_bar = pictures.mean(0)
    difference = smooth_difference(slices - x_bar, brain, smooth_px, between)
    inside = brain.astype(np.float32)
    contrast = None
    if wide_px > 0:
        contrast = (difference - wide_average(slices - x_bar, brain, wide_px)) ** 2 * inside
    return SliceMaps(
        x_bar * inside,
        difference**2 * inside,
        pictures.var(0) * inside,
        aleatoric * inside,
        contrast,
    )
