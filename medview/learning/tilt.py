"""How a head lies in its slices, for models that look at the slices as they were taken."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry
from medview.domain.volume import Note, Volume
from medview.learning.brain import SMALLEST_BRAIN_ML
from medview.learning.region_grid import STEP_MM, lying
from medview.learning.upright import Pose, alike_within, pose_of
from medview.learning.whole_brain import NOT_WHOLE, is_cut, may_be_a_part

MOST_DEG = 18.0
"""Turned by more, a brain without anything scores as one with something does."""
_CANNOT_BE_TOLD = f"{NOT_WHOLE}; how the head lies in its slices cannot be told"
_INVERTED = (
    "white matter is darker than grey matter here: the grey values are inverted, or it is no T1; "
    "scores mean little then"
)
_MOST_KEPT = 8
# How the last heads lie: a run again with other settings is about the same head.
_LAST: dict[bytes, Pose] = {}


def pose_in_slices(volume: Volume, mask: NDArray[np.bool_]) -> Pose:
    """How the head lies against the axes of its array, whatever the header says of these.

    `mask` is the brain on the volume's own grid (k, j, i).
    """
    geometry = straight(volume.geometry)
    # Finer voxels than the box has tell nothing more of how a head lies.
    every = [max(1, int(STEP_MM / step)) for step in geometry.spacing_mm]
    thin = tuple(slice(None, None, n) for n in every)
    affine = geometry.affine.copy()
    affine[:3, :3] *= every
    array = np.ascontiguousarray(volume.array[thin])
    small = Volume(
        array, replace(geometry, shape=array.shape, affine=affine), modality=volume.modality
    )
    brain = np.ascontiguousarray(mask[thin])
    key = _key(small, brain)
    if key not in _LAST:
        box = lying(small, brain)
        within = alike_within(box.shown, box.outside_mm, STEP_MM)
        pose = replace(pose_of(box.shown, STEP_MM), within=within)
        if len(_LAST) == _MOST_KEPT:
            del _LAST[next(iter(_LAST))]
        _LAST[key] = pose
    return _LAST[key]


def _key(volume: Volume, mask: NDArray[np.bool_]) -> bytes:
    """Bytes that tell a head and its brain from any other."""
    digest = hashlib.sha256(f"{volume.array.dtype} {volume.array.shape} ".encode())
    digest.update(f"{volume.modality} ".encode())
    for part in (volume.geometry.affine, volume.array, mask):
        digest.update(part.tobytes())
    return digest.digest()


def straight(geometry: Geometry) -> Geometry:
    """The same grid along the axes of the patient that its own are nearest to."""
    affine = np.zeros((4, 4))
    for axis, (world, step) in enumerate(
        zip(np.argsort(geometry.axis_of), geometry.spacing_mm, strict=True)
    ):
        affine[world, axis] = np.copysign(step, geometry.affine[world, axis])
    affine[:3, 3], affine[3, 3] = geometry.affine[:3, 3], 1
    return replace(geometry, affine=affine)


def tilt_notes(volume: Volume, mask: NDArray[np.bool_]) -> tuple[Note, ...]:
    """A doubt where the head is turned far against its slices; nothing where it is not.

    How a part of a head lies cannot be told. That is said of slices that hold a part; of whole
    slices of a part only where it would be called turned.
    """
    if mask.sum() * volume.geometry.voxel_ml < SMALLEST_BRAIN_ML:
        return ()
    within = tuple(axis for axis in range(3) if axis != volume.geometry.axis_of[2])
    pose = pose_in_slices(volume, mask)
    if _is_part(volume, mask, pose, within):
        return (Note("OUTSIDE_TRAINING", _CANNOT_BE_TOLD),)
    if pose.is_inverted:
        return (Note("OUTSIDE_TRAINING", _INVERTED),)
    if not pose.known or pose.degrees <= MOST_DEG:
        return ()
    if _is_part(volume, mask, pose):
        return (Note("OUTSIDE_TRAINING", _CANNOT_BE_TOLD),)
    words = (
        f"the head lies turned by {pose.degrees:.0f} degrees against its slices; brains that do so "
        "score higher, whatever is in them"
    )
    return (Note("OUTSIDE_TRAINING", words),)


def _is_part(
    volume: Volume, mask: NDArray[np.bool_], pose: Pose, axes: tuple[int, ...] = (0, 1, 2)
) -> bool:
    """Whether a head ends at the edge of the volume along any of these axes, or seems to."""
    return is_cut(mask, axes) or may_be_a_part(volume, mask, pose, axes)
