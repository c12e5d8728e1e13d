"""Training slices cut from whole brains, each time a little different.

A slice is cut straight out of the volume by one trilinear look-up through a turned, scaled
and softly warped plane, so that one brain gives many plausible ones; no slice is stored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from medview.learning.brain import BRIGHTEST
from medview.learning.grid import PIXEL_MM, SIDE


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Strengths, as standard deviations. Zero everywhere gives the plain slice.

    `curve` is that of the logarithm of the slopes of a random rising brightness curve: other
    contrasts between tissues. `dim` is no deviation but the largest part of its brightness that
    a slice loses, as where vessels or remains of the skull outshine the brain.
    """

    tilt_rad: float = 0.06
    turn_rad: float = 0.10
    scale: float = 0.05
    shift_mm: float = 2.0
    warp_mm: float = 3.0
    gamma: float = 0.12
    bias_field: float = 0.06
    gain: float = 0.06
    offset: float = 0.03
    noise: float = 0.03
    curve: float = 0.0
    dim: float = 0.0


NONE = Augmentation(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
CURVE_STEPS = 5
"""Pieces of the random brightness curve between the 2nd and the 98th percentile of the brain."""


@dataclass(frozen=True, slots=True, eq=False)
class Brain:
    """A normalised brain in canonical order (head, posterior, left), ready to be cut.

    `values` and `mask` are (1, 1, D, H, W) float32; `middle` (row, column) and `heights` (first,
    last slice with brain) in voxels; `step_mm` the voxel size of the three axes.
    """

    patient: str
    values: Tensor
    mask: Tensor
    middle: tuple[float, float]
    heights: tuple[float, float]
    step_mm: tuple[float, float, float]

    @classmethod
    def of(
        cls,
        patient: str,
        values: NDArray[np.float32],
        mask: NDArray[np.bool_],
        step_mm: tuple[float, float, float],
    ) -> Brain:
        """Make one from canonical arrays (slice, row, column)."""
        rows = np.flatnonzero(mask.any(axis=(0, 2)))
        columns = np.flatnonzero(mask.any(axis=(0, 1)))
        slices = np.flatnonzero(mask.any(axis=(1, 2)))
        return cls(
            patient,
            torch.from_numpy(np.ascontiguousarray(values))[None, None],
            torch.from_numpy(mask.astype(np.float32))[None, None],
            ((rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2),
            (float(slices[0]), float(slices[-1])),
            step_mm,
        )


def cut(
    brain: Brain, height: float, how: Augmentation, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """One slice at a relative height (0 lowest brain slice, 1 highest) and its brain mask.

    Both (1, 128, 128) at 1.5 mm; values 0..1, 0 outside the brain.
    """
    along, down, up = _plane(how, rng)
    depth, rows, columns = brain.values.shape[2:]
    first, last = brain.heights
    # A single slice has no neighbours to tilt or warp into.
    up = up * (depth > 1)
    z = first + height * (last - first) + up / brain.step_mm[0]
    y = brain.middle[0] + down / brain.step_mm[1]
    x = brain.middle[1] + along / brain.step_mm[2]
    places = torch.stack(
        [2 * at / max(size - 1, 1) - 1 for at, size in ((x, columns), (y, rows), (z, depth))], -1
    )[None, None]
    values = F.grid_sample(brain.values, places, align_corners=True)[0, 0]
    mask = (F.grid_sample(brain.mask, places, align_corners=True)[0, 0] > 0.5).float()
    return _repaint(values, how, rng) * mask, mask


def is_mirrored(rng: np.random.Generator) -> bool:
    """Whether a slice shows left and right exchanged: the first draw for each, half of them."""
    return bool(rng.random() < 0.5)


def _soft(rng: np.random.Generator, channels: int, knots: int, strength: float) -> Tensor:
    field = torch.from_numpy(rng.normal(0, strength, (1, channels, knots, knots)))
    wide = F.interpolate(field.float(), (SIDE, SIDE), mode="bicubic", align_corners=True)
    return wide[0]


def _plane(how: Augmentation, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Millimetres to the left, to posterior and up, each (128, 128), of the plane to cut."""
    places = (torch.arange(SIDE, dtype=torch.float32) - (SIDE - 1) / 2) * PIXEL_MM
    y, x = torch.meshgrid(places, places, indexing="ij")
    if how == NONE:
        return x, y, torch.zeros_like(x)
    if is_mirrored(rng):
        x = -x
    tilt_x, tilt_y = rng.normal(0, how.tilt_rad, 2)
    turn = rng.normal(0, how.turn_rad)
    scale_x, scale_y = 1 + rng.normal(0, how.scale, 2)
    x, y = x * scale_x, y * scale_y
    x, y = np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y
    warp = _soft(rng, 3, 6, how.warp_mm)
    shift_x, shift_y = rng.normal(0, how.shift_mm, 2)
    # The warp out of the plane is half as strong: slices thin out quickly in height.
    return x + warp[0] + shift_x, y + warp[1] + shift_y, tilt_x * x + tilt_y * y + warp[2] / 2


def _repaint(values: Tensor, how: Augmentation, rng: np.random.Generator) -> Tensor:
    """Other contrast, bias field, gain, offset and noise."""
    if how == NONE:
        return values
    x = (values * BRIGHTEST).clamp(min=0) ** float(np.exp(rng.normal(0, how.gamma)))
    if how.curve or how.dim:  # no draws without: what other recipes draw stays as it was
        x = _other_contrast(x, how, rng)
    x = x * (1 + _soft(rng, 1, 3, how.bias_field)) * float(np.exp(rng.normal(0, how.gain)))
    x = x + float(rng.normal(0, how.offset))
    grain = rng.normal(0, rng.uniform(0, how.noise) if how.noise else 0, x.shape)
    return (x + torch.from_numpy(grain).float()).clamp(0, BRIGHTEST) / BRIGHTEST


def rising_curve(strength: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Where the ends of `CURVE_STEPS` equal steps of brightness 0..1 come to: 0 first, 1 last.

    Never falls; the logarithms of the slopes differ by `strength` (a standard deviation).
    """
    steps = np.exp(rng.normal(0, strength, CURVE_STEPS))
    return np.concatenate([[0.0], np.cumsum(steps) / steps.sum()])


def _other_contrast(x: Tensor, how: Augmentation, rng: np.random.Generator) -> Tensor:
    """Brightness (1: the 98th percentile) by a rising curve, what is brighter kept; dimmed."""
    at = np.linspace(0, 1, CURVE_STEPS + 1)
    bent = np.interp(x.numpy(), at, rising_curve(how.curve, rng)).astype(np.float32)
    changed = torch.where(x > 1, x, torch.from_numpy(bent))
    return changed * float(rng.uniform(1 - how.dim, 1))


def batch_of(
    brains: tuple[Brain, ...],
    size: int,
    how: Augmentation,
    rng: np.random.Generator,
    weights: NDArray[np.float64] | None = None,
) -> tuple[Tensor, Tensor]:
    """Random slices of random brains: values and masks, each (size, 1, 128, 128)."""
    chosen = rng.choice(len(brains), size, p=weights)
    pairs = [cut(brains[n], float(rng.uniform(0.08, 0.95)), how, rng) for n in chosen]
    return torch.stack([v for v, _ in pairs]), torch.stack([m for _, m in pairs])
