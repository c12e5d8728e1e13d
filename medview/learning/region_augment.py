"""Training pictures for the region network, each time a little different.

One look-up through a turned, scaled and softly warped grid takes image, labels and distance to
the brain along, so that they stay together; the ventricles are drawn wider or narrower with what
lies round them, as age does. Then each kind of tissue gets a little brighter or darker, and
contrast, bias field, blur and noise change what it looks like. Left and right labels change
places when the head is mirrored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from medview.learning.region_grid import BRIGHTEST, SHAPE, STEP_MM
from medview.learning.region_groups import CLASSES, REGIONS, UNKNOWN, mirrored
from medview.models.region_net import FOLD

Part = tuple[slice, slice, slice]
"""A part of the box: slices, rows and columns."""
WHOLE: Part = (slice(0, SHAPE[0]), slice(0, SHAPE[1]), slice(0, SHAPE[2]))
ATLAS_BLUR = 1.5
"""Standard deviation of the atlas's blur in cells of 4 mm."""
FLOOR = 1e-3
"""No class is rarer than this anywhere in the atlas: heads differ from the few that made it."""
_KNOTS = (5, 6, 5)
_NARROWEST = -0.3
"""How much ventricles narrow at most, as a share of how much they widen."""
_TISSUES = (
    ("lateral ventricle", "third and fourth ventricle", "fluid round the brain"),
    (
        *("frontal grey", "parietal grey", "temporal grey", "occipital grey", "limbic grey"),
        "hippocampus and amygdala",
    ),
    ("white matter", "corpus callosum"),
    ("brain stem",),
    ("thalamus",),
    ("basal ganglia",),
    ("cerebellum", "vermis"),
)
"""Regions that change their brightness together. What lies in one tissue must, or the network
learns to part lobes by an edge that no head has."""


@dataclass(frozen=True, slots=True)
class RegionAugmentation:
    """Strengths, as standard deviations; shares are chances. Zero everywhere: the plain box."""

    turn_rad: float = 0.08
    scale: float = 0.06
    shift_mm: float = 3.0
    warp_mm: float = 2.5
    gamma: float = 0.2
    bias_field: float = 0.06
    noise: float = 0.05
    ventricles_mm: float = 5.0
    tissue: float = 0.05
    blur_share: float = 0.25
    thick_share: float = 0.15
    stripped_share: float = 0.3
    mirror_share: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class RegionCase:
    """A head with its regions in the box.

    `soft` (3, 80, 104, 80) float32 holds its values, how far a voxel lies outside the brain
    mask that the program finds, and how far outside the labelled brain (what a stripped volume
    shows), both in mm. `regions` (80, 104, 80) are region numbers, as float32. `outward`
    (3, 80, 104, 80) points away from the ventricles (x, y, z; 1 at their wall, less farther off).
    """

    case: str
    patient: str
    soft: Tensor
    regions: Tensor
    outward: Tensor


def varied(
    case: RegionCase, how: RegionAugmentation, rng: np.random.Generator, part: Part = WHOLE
) -> tuple[Tensor, Tensor]:
    """A part of one varied box: values (1, d, h, w) and region numbers (d, h, w)."""
    mirror = rng.random() < how.mirror_share
    places = _places(how, mirror, rng, part)
    if how.ventricles_mm:
        wider = float(rng.uniform(_NARROWEST, 1)) * how.ventricles_mm
        outward = F.grid_sample(case.outward[None], places, align_corners=True)
        places = places - wider * outward.permute(0, 2, 3, 4, 1) / torch.from_numpy(_half_mm())
    moved = F.grid_sample(case.soft[None], places, align_corners=True, padding_mode="border")[0]
    hard = case.regions[None, None]
    regions = F.grid_sample(hard, places, mode="nearest", align_corners=True)[0, 0].long()
    if mirror:
        table = torch.full((256,), UNKNOWN)
        turned = mirrored()
        table[: len(turned)] = torch.tensor(turned)
        regions = table[regions]
    stripped = rng.random() < how.stripped_share
    shown = moved[2] <= rng.uniform(0, 2) if stripped else moved[1] <= rng.uniform(4, 9)
    values = _tinted(moved[:1], regions, how, rng)
    return (_repainted(values, how, rng) * shown), regions


def atlas_of(cases: Sequence[RegionCase]) -> Tensor:
    """Logarithm of how often each class lies at each place, (classes, 40, 52, 40).

    Of all heads and their mirror images, 4 mm cells, softened by what heads are turned and moved
    in training; never below a thousandth.
    """
    whole = torch.zeros(CLASSES, *(n // FOLD for n in SHAPE))
    for case in cases:
        cells = torch.stack(
            [
                F.avg_pool3d((case.regions == number).float()[None], FOLD)[0]
                for number in range(CLASSES)
            ]
        )
        whole += cells + cells.flip(3)[list(mirrored())]
    soft = ndimage.gaussian_filter(whole.numpy(), (0, *(ATLAS_BLUR,) * 3), mode="nearest")
    shares = torch.from_numpy(soft / soft.sum(axis=0))
    return shares.clamp_min(FLOOR).log()


def random_part(size: tuple[int, int, int], rng: np.random.Generator) -> Part:
    """A part of the box somewhere; it begins at even voxels, as the network's cells do."""
    first = [2 * int(rng.integers(0, (n - m) // 2 + 1)) for n, m in zip(SHAPE, size, strict=True)]
    z, y, x = (slice(at, at + m) for at, m in zip(first, size, strict=True))
    return z, y, x


def _places(how: RegionAugmentation, mirror: bool, rng: np.random.Generator, part: Part) -> Tensor:
    """Where each voxel of the part is looked up, (1, d, h, w, 3), -1 to 1 (x, y, z)."""
    stretch = np.exp(rng.normal(0, how.scale) + rng.normal(0, how.scale / 2, 3))
    turn = _rotation(rng.normal(0, how.turn_rad, 3)) @ np.diag(stretch)
    if mirror:
        turn = turn @ np.diag([-1.0, 1.0, 1.0])
    half_mm = _half_mm().astype(np.float64)
    shift = torch.from_numpy(rng.normal(0, how.shift_mm, 3) / half_mm).float()
    matrix = torch.from_numpy(turn * half_mm[None, :] / half_mm[:, None]).float()
    sides = [torch.linspace(-1, 1, n)[here] for n, here in zip(SHAPE, part, strict=True)]
    plain = torch.stack(torch.meshgrid(*sides, indexing="ij")[::-1], -1)
    knots = torch.from_numpy(
        rng.normal(0, how.warp_mm, (1, 3, *_KNOTS)) / half_mm.reshape(3, 1, 1, 1)
    )
    warp = F.grid_sample(knots.float(), plain[None], align_corners=True).permute(0, 2, 3, 4, 1)
    return plain[None] @ matrix.T + shift + warp


def _half_mm() -> NDArray[np.float32]:
    """From the middle of the box to its last voxel, (x, y, z) mm."""
    return np.asarray((np.array(SHAPE[::-1]) - 1) / 2 * STEP_MM, dtype=np.float32)


def _rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turns about the three axes one after the other, (3, 3)."""
    whole = np.eye(3)
    for axis, angle in enumerate(angles):
        one, two = (n for n in range(3) if n != axis)
        turn = np.eye(3)
        turn[one, one] = turn[two, two] = np.cos(angle)
        turn[one, two], turn[two, one] = -np.sin(angle), np.sin(angle)
        whole = whole @ turn
    return whole


def _tinted(
    values: Tensor, regions: Tensor, how: RegionAugmentation, rng: np.random.Generator
) -> Tensor:
    """Each kind of tissue a little brighter or darker, with soft edges; (1, d, h, w)."""
    if not how.tissue:
        return values
    steps = torch.zeros(256)
    for names in _TISSUES:
        numbers = [region.number for region in REGIONS if region.name in names]
        steps[numbers] = float(rng.normal(0, how.tissue))
    added = F.pad(steps[regions][None, None], (1,) * 6, mode="replicate")
    return (values + F.avg_pool3d(added, 3, 1)[0]).clamp(0, BRIGHTEST)


def _repainted(values: Tensor, how: RegionAugmentation, rng: np.random.Generator) -> Tensor:
    """Other contrast, bias field, sharpness and noise; 0 to 1.5 as before."""
    x = (values / BRIGHTEST).clamp(0, 1) ** float(np.exp(rng.normal(0, how.gamma))) * BRIGHTEST
    knots = torch.from_numpy(rng.normal(0, how.bias_field, (1, 1, 4, 4, 4))).float()
    field = F.interpolate(knots, values.shape[1:], mode="trilinear", align_corners=True)[0]
    x = x * torch.exp(field) + float(rng.normal(0, how.noise / 2))
    if rng.random() < how.blur_share:
        x = F.avg_pool3d(F.pad(x[None], (1,) * 6, mode="replicate"), 3, 1)[0] * 0.6 + x * 0.4
    if rng.random() < how.thick_share:
        x = _thick(x, int(rng.integers(3)))
    grain = torch.from_numpy(rng.normal(0, 1, x.shape).astype(np.float32))
    return (x + grain * float(rng.uniform(0, how.noise))).clamp(0, BRIGHTEST)


def _thick(x: Tensor, axis: int) -> Tensor:
    """Slices of 4 mm along an axis, brought back to 2 mm."""
    size = [1, 1, 1]
    size[axis] = 2
    few = F.avg_pool3d(x[None], size, size)
    return F.interpolate(few, x.shape[1:], mode="trilinear", align_corners=False)[0]
