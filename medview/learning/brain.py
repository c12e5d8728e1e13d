"""From a head volume to a clean brain: mask, robust intensity, model slices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from scipy import ndimage
from torch.nn import functional as F

from medview.domain.errors import ModelInputError, WeightsError
from medview.domain.resources import resource
from medview.domain.volume import Volume
from medview.io.cards import WEIGHTS
from medview.learning.grid import PIXEL_MM, BrainGrid, canonical
from medview.models.brain_mask import SIDE as MASK_SIDE
from medview.models.brain_mask import BrainMask

BRIGHTEST = 1.5
"""Intensities are clipped at this multiple of the 98th percentile of the brain."""
SMALLEST_BRAIN_ML = 200.0
SMALLEST_SLICE_PX = 800
"""Of 16,384 pixels of a model slice: what a slice must hold of brain to be scored."""
# A whole head holds two to four times the brain's volume; a stripped one little more than it.
STRIPPED_RATIO = 1.35
# After contrast or about a tumour the network leaves a part of a bare brain out.
GAPPY_RATIO = 1.6
LARGEST_BRAIN_ML = 2000.0


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A volume as the model sees it, with the way back and the steps in words.

    `slices` (n, 128, 128) float32 in 0..1, 0 outside the brain; `brain` the mask there;
    `mask` the brain on the volume's own grid (k, j, i). `lowest` is the lowest slice that holds
    anything but zeros.
    """

    slices: NDArray[np.float32]
    brain: NDArray[np.bool_]
    grid: BrainGrid
    mask: NDArray[np.bool_]
    steps: tuple[str, ...]
    skull_stripped: bool
    lowest: int = 0

    @property
    def scored(self) -> NDArray[np.intp]:
        """The slices that are given to the model: with more brain than ``SMALLEST_SLICE_PX``.

        At the very top and bottom there is too little to judge; where no slice has enough, all
        that hold brain are taken.
        """
        area = self.brain.sum(axis=(1, 2))
        enough = np.flatnonzero(area > SMALLEST_SLICE_PX)
        return enough if enough.size else np.flatnonzero(area)

    def on_model(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values of the volume's grid (k, j, i) on the model slices (n, 128, 128)."""
        return self.grid.to_model(self.grid.from_volume(array))

    def on_grid(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Model slices (n, 128, 128) of `scored` on the volume's grid (k, j, i); else 0."""
        whole = np.zeros(self.grid.shape, np.float32)
        whole[self.scored] = self.grid.from_model(values)
        return np.asarray(self.grid.to_volume(whole), dtype=np.float32)


def largest_region(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the largest connected region of a mask; an empty mask stays empty."""
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept: NDArray[np.bool_] = labels == sizes.argmax()
    return kept


@lru_cache(maxsize=1)
def _mask_network() -> BrainMask:
    network = BrainMask().eval()
    try:
        weights = load_file(resource("weights", "brain-mask", WEIGHTS))
        network.load_state_dict({name: value.float() for name, value in weights.items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise WeightsError(
            "the weights of the brain mask are missing or damaged",
            file="brain-mask/weights.safetensors",
            do="Install the program again.",
            code="MV-WGT-008",
        ) from error
    return network


def network_mask(head: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Brain by the bundled network; `head` and answer in canonical order (head, posterior, left).

    The network was trained on RAS arrays (x right, y anterior, z up): the axes are turned
    to that and back.
    """
    # (z, y posterior, x left) -> (x, y, z) growing to right, anterior, head
    ras = np.ascontiguousarray(head[:, ::-1, ::-1].transpose(2, 1, 0))
    x = torch.from_numpy(ras)[None, None]
    small = F.interpolate(x, (MASK_SIDE,) * 3, mode="trilinear", align_corners=False)
    low, high = np.quantile(small.numpy()[..., ::2, ::2, ::2], (0.005, 0.995))
    small = ((small - float(low)) / max(float(high - low), 1e-6)).clamp(0, 1)
    with torch.inference_mode():
        probability = _mask_network()(small)
    whole = F.interpolate(probability, x.shape[2:], mode="trilinear", align_corners=False)
    mask = largest_region(whole[0, 0].numpy() > 0.5)
    filled = ndimage.binary_fill_holes(mask)
    return np.ascontiguousarray(filled.transpose(2, 1, 0)[:, ::-1, ::-1])


def without_empty_edges(head: NDArray[np.float32]) -> tuple[slice, slice, slice]:
    """The smallest box outside which everything is 0.

    The mask network is shown the whole grid at one size: with planes of zeros added to a volume
    it would see a smaller head, and outline another brain.
    """
    filled = head != 0
    ends = [np.flatnonzero(filled.any(axis=axes))[[0, -1]] for axes in ((1, 2), (0, 2), (0, 1))]
    z, y, x = (slice(int(first), int(last) + 1) for first, last in ends)
    return z, y, x


def find_brain(head: NDArray[np.float32], voxel_ml: float) -> tuple[NDArray[np.bool_], bool]:
    """Brain mask in canonical order and whether the volume came without a skull.

    Raises
    ------
    ModelInputError
        If nothing of the size of a brain is there.
    """
    whole, here = np.zeros(head.shape, dtype=np.bool_), without_empty_edges(head)
    head = head[here]
    mask = network_mask(head)
    present = largest_region(head > 0)
    stripped = _is_bare(mask, present, voxel_ml)
    if stripped:
        # Room on all sides, or closing would eat into a brain that touches the edge of the grid.
        closed = ndimage.binary_closing(np.pad(present, 3), iterations=2)[3:-3, 3:-3, 3:-3]
        mask = ndimage.binary_fill_holes(closed) & (head > 0)
    if mask.sum() * voxel_ml < SMALLEST_BRAIN_ML:
        raise no_brain()
    whole[here] = mask
    return whole, stripped


def _is_bare(mask: NDArray[np.bool_], present: NDArray[np.bool_], voxel_ml: float) -> bool:
    """Whether all that is `present` in a volume is a brain; `mask` is what the network found."""
    size = int(present.sum())
    could_be_one = size * voxel_ml < LARGEST_BRAIN_ML
    most = GAPPY_RATIO if could_be_one else STRIPPED_RATIO
    return size < most * max(int(mask.sum()), 1) and bool(present.mean() < 0.6)


def no_brain() -> ModelInputError:
    """Of a volume that shows none, or one too small to be told from its surroundings."""
    return ModelInputError(
        "no brain was found in this volume",
        do="Choose a head MRI that covers the brain.",
        code="MV-MOD-011",
    )


def normalise(head: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Scale the brain robustly to 0..1: 2nd percentile to 0, 98th to 2/3, clipped; 0 outside."""
    low, high = np.percentile(head[mask][::7], (2, 98))
    scaled = (head - np.float32(low)) * np.float32(1 / max(high - low, 1e-6))
    return np.where(mask, np.clip(scaled, 0, BRIGHTEST) / BRIGHTEST, 0).astype(np.float32)


def middle_of(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Centre of the mask's bounding box in (row, column), canonical voxels."""
    rows = np.flatnonzero(mask.any(axis=(0, 2)))
    columns = np.flatnonzero(mask.any(axis=(0, 1)))
    return (rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2


@dataclass(frozen=True, slots=True, eq=False)
class CleanBrain:
    """A normalised brain in canonical order (head, posterior, left).

    `values` 0..1, 0 outside the brain; `mask` the brain; `words` says where the mask is from;
    `lowest` is the lowest slice that holds anything but zeros.
    """

    values: NDArray[np.float32]
    mask: NDArray[np.bool_]
    words: str
    skull_stripped: bool
    lowest: int


def clean(volume: Volume, given_mask: NDArray[np.bool_] | None = None) -> CleanBrain:
    """Find the brain of a T1 volume and bring its intensities to 0..1.

    Parameters
    ----------
    volume : Volume
        T1 or T1 with contrast, any orientation; grey.
    given_mask : NDArray[np.bool_] | None
        Brain on the volume's own grid where one is known (k, j, i); else it is found.

    Raises
    ------
    ModelInputError
        Colour, not finite, constant, too small, or no brain found.
    """
    _refuse_unusable(volume)
    head = np.ascontiguousarray(canonical(volume.array, volume.geometry)).astype(np.float32)
    head = np.nan_to_num(head, nan=0.0, posinf=0.0, neginf=0.0)
    if given_mask is None:
        mask, stripped = _found_mask(volume, head)
        words = _mask_words(stripped, volume.is_film)
    else:
        mask = np.ascontiguousarray(canonical(given_mask, volume.geometry)).astype(bool)
        stripped = bool((head[~mask] == 0).mean() > 0.99) if (~mask).any() else True
        words = "brain mask: given with the data"
    if not mask.any():
        raise no_brain()
    lowest = without_empty_edges(head)[0].start
    return CleanBrain(normalise(head, mask), mask, words, stripped, lowest)


def prepare(volume: Volume, given_mask: NDArray[np.bool_] | None = None) -> Prepared:
    """Turn a volume into model slices by named steps; arguments and errors as for `clean`."""
    brain = clean(volume, given_mask)
    grid = BrainGrid.of(volume.geometry, middle_of(brain.mask))
    slices = grid.to_model(brain.values)
    inside = grid.to_model(brain.mask.astype(np.float32)) > 0.5
    steps = (
        "canonical orientation (head, posterior, left), no resampling between slices",
        brain.words,
        "intensity: 2nd to 98th percentile of the brain, clipped, scaled to 0-1",
        f"each slice 128 x 128 at {PIXEL_MM:g} mm, centred on the brain",
    )
    whole = np.asarray(grid.to_volume(brain.mask), dtype=np.bool_)
    return Prepared(slices * inside, inside, grid, whole, steps, brain.skull_stripped, brain.lowest)


def _refuse_unusable(volume: Volume) -> None:
    if volume.is_colour:
        raise ModelInputError(
            "this is a colour image", do="Choose a grey T1 volume.", code="MV-MOD-012"
        )
    finite = volume.array[np.isfinite(volume.array)]
    if not finite.size:
        raise ModelInputError(
            "all values are missing (NaN)", do="Choose another series.", code="MV-MOD-013"
        )
    if finite.min() == finite.max():
        raise ModelInputError(
            "all values are the same, there is no image",
            do="Choose another series.",
            code="MV-MOD-014",
        )


def _found_mask(volume: Volume, head: NDArray[np.float32]) -> tuple[NDArray[np.bool_], bool]:
    if volume.geometry.shape[volume.geometry.axis_of[2]] > 4:
        return find_brain(head, volume.geometry.voxel_ml)
    return slice_brain(head[0] if head.shape[0] == 1 else head.max(0))[None].repeat(
        head.shape[0], 0
    ), False


def otsu_threshold(picture: NDArray[np.float32]) -> float:
    """Value that parts dark from bright with the widest gap between their means (Otsu 1979)."""
    counts, edges = np.histogram(picture, 256)
    values = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    total = np.cumsum(counts * values)
    gap = total[:-1] / np.maximum(below, 1) - (total[-1] - total[:-1]) / np.maximum(above, 1)
    return float(values[np.argmax(below * above * gap**2)])


def slice_brain(picture: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Brain outline in one slice by threshold and erosion, where no volume tells more.

    Otsu's threshold, opening by 4 % of the head's width, largest region, closed and filled.
    Crude: remnants of skull and skin stay.
    """
    bright = picture > 0.6 * otsu_threshold(picture)
    radius = max(2, round(0.02 * max(picture.shape)))
    disc = np.hypot(*np.mgrid[-radius : radius + 1, -radius : radius + 1]) <= radius
    core = largest_region(ndimage.binary_opening(bright, disc))
    grown = ndimage.binary_closing(np.pad(core, 3 * radius), disc, iterations=2)
    inner = ndimage.binary_fill_holes(grown)[3 * radius : -3 * radius, 3 * radius : -3 * radius]
    return np.asarray(inner, dtype=np.bool_)


def _mask_words(stripped: bool, film: bool) -> str:
    if stripped:
        return "brain mask: values above 0 (the skull is already removed)"
    if film:
        return "brain mask: threshold on a single slice, crude"
    return "brain mask: built-in network (deepbet, low resolution)"
