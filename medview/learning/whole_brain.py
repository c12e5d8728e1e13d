"""Whether a brain lies whole in its volume, and whether there is one at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import rankdata

from medview.domain.errors import ModelInputError
from medview.domain.volume import Note, Volume
from medview.learning.brain import SMALLEST_BRAIN_ML
from medview.learning.upright import LEAST_ALIKE, WIDEST_DEG, Pose

MOST_AT_EDGE = 0.15
"""Share of its largest section that a brain may have on a face of the volume. Whole heads of the
sets learnt from have at most 0.07, at the lowest slice; halves have 0.28 to 0.97."""
MOST_NEAR_EDGE = 0.3
"""The same within 12 mm of a face. Whole heads have at most 0.26, parts of 60 % at least 0.33."""
WHOLE_ALIKE = 0.85
"""Correlation with the mean head that parts of 60 % do not reach; heads of ixi-t1 have 0.92 and
more, those of elderly-t1 0.70 and more, which lie far from the edge."""
ROUND_A_HEAD = 0.05
"""What lies round a brain in its skull is at least this share of the brain's mean, half of it or
more; heads have 0.65 to 0.99 of it so, brains without a skull nothing."""
ALIKE_EVERYWHERE = 0.05
"""A brain of noise is brighter than what lies round it as often as not, to within this share."""
_NEAR_EDGE_MM = 12.0
_STEP_MM = 2.0
_MOST_COMPARED = 5000
NOT_WHOLE = "the brain seems not to be whole in this volume, it ends at its edge"


def is_cut(
    mask: NDArray[np.bool_],
    axes: tuple[int, ...] = (0, 1, 2),
    planes: tuple[int, ...] = (1, 1, 1),
    most: float = MOST_AT_EDGE,
) -> bool:
    """Whether a brain (k, j, i) goes on beyond the volume, along any of these axes.

    So many `planes` at each end of an axis count as its edge; `most` of the largest section may
    lie there.
    """
    for axis in axes:
        areas = mask.sum(axis=tuple(n for n in range(3) if n != axis))
        at_edge = max(areas[: planes[axis]].max(), areas[-planes[axis] :].max())
        if at_edge > most * max(areas.max(), 1):
            return True
    return False


def may_be_a_part(
    volume: Volume, mask: NDArray[np.bool_], pose: Pose, axes: tuple[int, ...] = (0, 1, 2)
) -> bool:
    """Whether a part of a head is missing, along any of these axes of its array.

    The network that outlines brains stops some millimetres before the edge of a part. So a brain
    that comes near the edge is asked for more: whether it seems to lie as hardly any does, or is
    large there and unlike the mean head. The outline of a brain without a skull goes up to the
    edge, and a volume cut to the size of one is large near every face: there size says nothing.
    """
    planes = [max(1, round(_NEAR_EDGE_MM / step)) for step in volume.geometry.spacing_mm]
    near = (planes[0], planes[1], planes[2])
    if pose.degrees > WIDEST_DEG and is_cut(mask, axes, near):
        return True
    if pose.alike >= WHOLE_ALIKE or not is_cut(mask, axes, near, MOST_NEAR_EDGE):
        return False
    return _has_head_round(volume, mask)


def cut_notes(mask: NDArray[np.bool_], *, is_part: bool = False) -> tuple[Note, ...]:
    """A doubt about measures of a brain that is not there as a whole.

    `is_part` where how it lies has shown that.
    """
    if not is_part and not is_cut(mask):
        return ()
    words = f"{NOT_WHOLE}; volumes and age are about a whole one and mean little here"
    return (Note("OUTSIDE_TRAINING", words),)


def refuse_noise(volume: Volume, mask: NDArray[np.bool_], pose: Callable[[], Pose]) -> None:
    """Refuse what has no head in it, though the network that looks for a brain outlined one.

    That is so where the outlined part is no brighter and no darker than what lies round it, and
    is unlike the mean head, too; each alone is also seen in heads of patients. `pose` is asked
    only then.

    Raises
    ------
    ModelInputError
        Nothing in the volume stands out as a brain does.
    """
    if mask.sum() * volume.geometry.voxel_ml < SMALLEST_BRAIN_ML:
        return
    if abs(_brighter(volume, mask) - 0.5) > ALIKE_EVERYWHERE or pose().alike >= LEAST_ALIKE:
        return
    raise ModelInputError(
        "no brain was found in this volume: it is alike everywhere, as noise is",
        do="Choose a head MRI that covers the brain.",
        code="MV-MOD-011",
    )


def _has_head_round(volume: Volume, mask: NDArray[np.bool_]) -> bool:
    """Whether there is something round the outlined part, as a skull is."""
    brain, beside = _inside_and_round(volume, mask)
    if not (brain.size and beside.size):
        return False
    lowest = volume.array.min(initial=brain.min(), where=np.isfinite(volume.array))
    least = lowest + ROUND_A_HEAD * (brain.mean() - lowest)
    return bool(np.mean(beside > least) >= 0.5)


def _brighter(volume: Volume, mask: NDArray[np.bool_]) -> float:
    """How often a voxel of the outlined part is brighter than one round it, 0 to 1."""
    one, other = _inside_and_round(volume, mask)
    if not (one.size and other.size):
        return 1.0
    ranks = rankdata(np.concatenate([one, other]))[: one.size]
    above = ranks.sum() - one.size * (one.size + 1) / 2
    return float(above / (one.size * other.size))


def _inside_and_round(volume: Volume, mask: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
    """Some values well inside the outlined part, and some 2 to 6 mm outside of it."""
    every = [max(1, int(_STEP_MM / step)) for step in volume.geometry.spacing_mm]
    thin = tuple(slice(None, None, n) for n in every)
    values, inside = np.asarray(volume.array[thin], dtype=np.float32), mask[thin]
    near, far = (ndimage.binary_dilation(inside, iterations=n) for n in (1, 3))
    found = values[ndimage.binary_erosion(inside, iterations=2)], values[far & ~near]
    return [_some(each[np.isfinite(each)]) for each in found]


def _some(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values[:: max(1, values.size // _MOST_COMPARED)]
