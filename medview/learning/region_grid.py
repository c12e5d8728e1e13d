"""The box that the region network sees: 2 mm voxels along the patient's axes, round the brain.

Of a head that lies far off, the axes are its own: as they would be, were it upright.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from medview.domain.geometry import Geometry
from medview.domain.volume import Volume
from medview.learning.brain import CleanBrain, clean, no_brain
from medview.learning.grid import canonical_axes
from medview.learning.upright import Pose, pose_of
from medview.learning.whole_brain import may_be_a_part

STEP_MM = 2.0
SHAPE = (80, 104, 80)
"""Slices, rows and columns; they grow to head, posterior and left."""
BRIGHTEST = 1.5
"""Intensities are clipped at this multiple of the 98th percentile of the brain."""
EVEN_MM = 20.0
"""Width of the Gaussian over which brightness is evened out."""
KEPT_MM = 6.0
"""How far outside the brain mask the head is still shown."""
_SLICES_AT_ONCE = 8
_TIE = 0.01
"""Parts of a voxel within which two voxels count as equally near."""


def box_round(centre_lps: NDArray[np.float64], source: Geometry) -> Geometry:
    """The box whose middle lies near a point, LPS mm.

    Its first voxel lies on a voxel of the source: 2 mm volumes are turned, not interpolated.
    The box is the same in the patient whatever way the source is stored.
    """
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[1, 1] = affine[0, 2] = STEP_MM
    affine[3, 3] = 1
    middle = (np.array(SHAPE) - 1) / 2 * STEP_MM
    corner = centre_lps - middle[::-1]
    affine[:3, 3] = source.to_mm(_nearest_voxel(source, corner))
    return Geometry(SHAPE, affine)


def _nearest_voxel(source: Geometry, place_lps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Index (k, j, i) of the voxel of an endless grid that lies nearest to a point, LPS mm.

    Of two that are equally near, the one further to head, posterior or left. Rounding the index
    itself would take the one or the other by the way the array is stored.
    """
    along = np.empty(3)
    for world, axis in enumerate(source.axis_of):
        along[axis] = np.sign(source.affine[world, axis])
    return np.asarray(np.floor(source.to_index(place_lps) * along + 0.5 + _TIE) * along)


def _turned_box(surface_lps: NDArray[np.float64], turn: NDArray[np.float64]) -> Geometry:
    """The box along a head's own axes: `turn` (3, 3) takes LPS directions to those of the head.

    Its middle is that of the smallest such box round points (n, 3) of the brain, LPS mm.
    """
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([STEP_MM] * 3)[:, ::-1]
    affine[:3, 3] = turn @ _middle(surface_lps @ turn)
    affine[:3, 3] -= affine[:3, :3] @ ((np.array(SHAPE) - 1) / 2)
    return Geometry(SHAPE, affine)


@dataclass(frozen=True, slots=True, eq=False)
class Boxed:
    """A head in the box.

    `values` (80, 104, 80) float32: 2nd percentile of the brain at 0, local white matter near 1,
    clipped to 0-1.5; `outside_mm` how far a voxel lies outside the brain mask (0 within); `mask`
    the brain on the volume's own grid (k, j, i). `pose` is how the head lay before it was turned
    upright, None where nobody asked or nobody can tell; `is_part` where a part of it is missing.
    """

    values: NDArray[np.float32]
    outside_mm: NDArray[np.float32]
    geometry: Geometry
    mask: NDArray[np.bool_]
    words: str
    skull_stripped: bool
    pose: Pose | None = None
    is_part: bool = False

    @property
    def shown(self) -> NDArray[np.float32]:
        """What the network is given: the head near the brain, 0 elsewhere."""
        return np.where(self.outside_mm <= KEPT_MM, self.values, np.float32(0))


def boxed(volume: Volume, given_mask: NDArray[np.bool_] | None = None) -> Boxed:
    """Find the brain and bring the head into the box, upright, through patient space.

    Raises
    ------
    ModelInputError
        Colour, not finite, constant, or no brain found.
    """
    head = lying(volume, given_mask)
    pose = pose_of(head.shown, STEP_MM)
    if may_be_a_part(volume, head.mask, pose):
        return replace(head, is_part=True)  # how a part of a head lies cannot be told
    if not pose.is_turned:
        return replace(head, pose=pose)
    box = _turned_box(_surface_lps(head.mask, volume.geometry), pose.turn)
    upright = _filled(volume, head.mask, box)
    return replace(
        head, values=upright.values, outside_mm=upright.outside_mm, geometry=box, pose=pose
    )


def lying(volume: Volume, given_mask: NDArray[np.bool_] | None = None) -> Boxed:
    """The same as the header says that the head lies; errors as for ``boxed``."""
    brain = clean(volume, given_mask)
    mask = _own_order(brain, volume.geometry)
    middle = _middle(_surface_lps(mask, volume.geometry))
    found = _filled(volume, mask, box_round(middle, volume.geometry))
    return replace(found, words=brain.words, skull_stripped=brain.skull_stripped)


def _filled(volume: Volume, mask: NDArray[np.bool_], geometry: Geometry) -> Boxed:
    """A head in a given box, its brightness evened out."""
    array = np.nan_to_num(np.asarray(volume.array, dtype=np.float32), posinf=0.0, neginf=0.0)
    head = taken_to(array, volume.geometry, geometry)
    inside = taken_to(mask.astype(np.float32), volume.geometry, geometry) > 0.5
    if not inside.any():
        raise no_brain()
    low, high = np.percentile(head[inside], (2, 98))
    values = evened(np.maximum((head - low) / max(high - low, 1e-6), 0), inside)
    away = ndimage.distance_transform_edt(~inside, sampling=STEP_MM).astype(np.float32)
    return Boxed(values, away, geometry, mask, "", False)


def evened(values: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Divide by the local brightness of the brighter half of the brain, clipped to 0-1.5.

    White matter comes out near 1 everywhere, whatever the coil did. Means over 20 mm, twice:
    over the brain, then over what is brighter than that.
    """
    whole = _local_mean(values, inside)
    even = values / _local_mean(values, inside & (values > whole))
    return np.asarray(np.clip(even, 0, BRIGHTEST), dtype=np.float32)


def _local_mean(values: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    weight = where.astype(np.float32)
    sigma = EVEN_MM / STEP_MM
    total = ndimage.gaussian_filter(weight, sigma) + np.float32(1e-4)
    mean = float(values[where].mean()) if where.any() else 1.0
    field = (ndimage.gaussian_filter(values * weight, sigma) + np.float32(1e-4 * mean)) / total
    return np.asarray(np.maximum(field, 0.05), dtype=np.float32)


def _own_order(brain: CleanBrain, geometry: Geometry) -> NDArray[np.bool_]:
    """The brain mask turned from canonical order to the array order of the volume."""
    order, flips = canonical_axes(geometry)
    mask = brain.mask
    for axis, flip in enumerate(flips):
        if flip:
            mask = np.flip(mask, axis)
    return np.ascontiguousarray(np.transpose(mask, np.argsort(order)))


def _surface_lps(mask: NDArray[np.bool_], geometry: Geometry) -> NDArray[np.float64]:
    """The outermost voxels of a mask, (n, 3) LPS mm."""
    return geometry.to_mm(np.argwhere(mask & ~ndimage.binary_erosion(mask)))


def _middle(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The middle of the smallest box along the axes round points (n, 3)."""
    return np.asarray((points.min(axis=0) + points.max(axis=0)) / 2)


def taken_to(array: NDArray[np.float32], source: Geometry, target: Geometry) -> NDArray[np.float32]:
    """Values of one grid on another by their place in the patient; 0 outside.

    Linear, after smoothing along axes whose steps are finer than the target's (no aliasing).
    """
    fine = np.array(source.spacing_mm)
    coarse = min(target.spacing_mm)
    # A Gaussian as wide as the box that a coarse voxel averages over.
    sigma = np.where(fine < coarse, np.sqrt(np.maximum(coarse**2 - fine**2, 0) / 12) / fine, 0)
    if (sigma > 0.05).any():
        array = ndimage.gaussian_filter(array, sigma, mode="nearest")
    return look_up(torch.from_numpy(np.ascontiguousarray(array))[None], source, target)[0].numpy()


def look_up(values: Tensor, source: Geometry, target: Geometry) -> Tensor:
    """Linear look-up of (channels, k, j, i) values at every voxel of another grid; 0 outside."""
    rows = np.indices(target.shape[1:]).reshape(2, -1).T
    sizes = torch.tensor(source.shape[::-1], dtype=torch.float32)
    parts = []
    for first in range(0, target.shape[0], _SLICES_AT_ONCE):
        few = range(first, min(first + _SLICES_AT_ONCE, target.shape[0]))
        index = np.concatenate([np.insert(rows, 0, k, axis=1) for k in few])
        at = source.to_index(target.to_mm(index))[:, ::-1]
        places = torch.from_numpy(np.ascontiguousarray(at, dtype=np.float32))
        scaled = (2 * places + 1) / sizes - 1
        grid = scaled.reshape(1, len(few), *target.shape[1:], 3)
        parts.append(F.grid_sample(values[None], grid, align_corners=False)[0])
    return torch.cat(parts, dim=1)


def labels_in(labels: NDArray[np.uint8], source: Geometry, target: Geometry) -> NDArray[np.uint8]:
    """A label map on another grid: each voxel takes the nearest label, 0 outside."""
    whole = np.indices(target.shape).reshape(3, -1).T
    at = np.rint(source.to_index(target.to_mm(whole))).astype(np.intp)
    inside = ((at >= 0) & (at < np.array(source.shape))).all(axis=1)
    found = np.zeros(len(at), dtype=np.uint8)
    k, j, i = at[inside].T
    found[inside] = labels[k, j, i]
    return found.reshape(target.shape)
