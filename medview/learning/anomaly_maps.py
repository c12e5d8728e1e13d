"""From draws to maps: residual, both uncertainties and pixel score of model slices.

Source: arXiv 2504.15562, equations 10-13. With x the slice, x_bar the mean of K draws:

- residual = (x - x_bar)^2, the difference smoothed by a small Gaussian first (ours; 0 is the
  paper's form), because a lesion is wider than a misplaced gyrus; the maps of a volume are
  smoothed in all three directions, because a lesion is in the next slice, too; what is alike on
  both sides of the brain may partly be taken off it (ours), because a lesion is on one side and
  what a brain has of its own, wide ventricles or deep furrows, is mostly on both;
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


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How a difference becomes a residual; all widths are standard deviations.

    Smoothed over `px` pixels in each slice and over `between` slices (0: slices on their own).
    Of a difference the share `opposite` of that on the other side is taken off where both have
    the same sign. What slices are judged by also has an average over `wide_px` pixels taken off
    (0: none), before that.
    """

    px: float = 0.0
    wide_px: float = 0.0
    between: float = 0.0
    opposite: float = 0.0


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


def one_sided(
    difference: NDArray[np.float32], brain: NDArray[np.bool_], share: float
) -> NDArray[np.float32]:
    """Take a share of the difference on the other side off where both have the same sign.

    The other side is that of the picture, whose middle is that of the brain; nothing is taken
    off where it holds no brain, and no sign changes.
    """
    if share <= 0:
        return difference
    other = np.where(brain[..., ::-1], difference[..., ::-1], 0)
    alike = np.sign(difference) == np.sign(other)
    left = np.sign(difference) * np.maximum(np.abs(difference) - share * np.abs(other), 0)
    return np.where(alike, left, difference).astype(np.float32)


def maps_from_draws(
    slices: NDArray[np.float32],
    brain: NDArray[np.bool_],
    pictures: NDArray[np.float32],
    aleatoric: NDArray[np.float32],
    how: Smoothing,
) -> SliceMaps:
    """Residual and variances of n slices from K pictures (K, n, 128, 128); zero outside.

    Where `how` smooths over slices they must be neighbours.
    """
    x_bar = pictures.mean(0)
    raw = slices - x_bar
    near = smooth_difference(raw, brain, how.px, how.between)
    inside = brain.astype(np.float32)

    def residual(difference: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(one_sided(difference, brain, how.opposite) ** 2 * inside)

    wide = how.wide_px > 0
    return SliceMaps(
        x_bar * inside,
        residual(near),
        pictures.var(0) * inside,
        aleatoric * inside,
        residual(near - wide_average(raw, brain, how.wide_px)) if wide else None,
    )
