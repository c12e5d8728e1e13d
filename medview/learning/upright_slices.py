"""Slices of a head that lies turned, cut as if it lay upright, and the way back.

A model of slices knows them as those of heads that lie as most do. One that is turned by 20
degrees more has other anatomy in each slice. So such a head is cut along its own axes; the model
is asked of these slices, they are judged, and the maps are turned back to the volume's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch.nn import functional as F

from medview.domain.geometry import Geometry
from medview.domain.volume import Note, Volume
from medview.learning.brain import SMALLEST_BRAIN_ML, Prepared, prepare
from medview.learning.tilt import pose_in_slices, straight
from medview.learning.upright import Pose
from medview.learning.whole_brain import is_cut, may_be_a_part

LEAST_DEG = 5.0
"""Heads turned by less are shown as they lie: slices learnt from are turned by about as much."""
DOUBTED_DEG = 30.0
"""Turned by more than this, a head is in doubt: no measured one lay further off."""
FURTHEST_DEG = 40.0
"""Of heads found further off it is not sure enough which way is up."""
THICKEST_MM = 7.0
"""Nothing further apart was measured; up to here lesions of turned heads are found better."""
_ROOM = 3
"""Voxels about the brain in the upright grid."""


@dataclass(frozen=True, slots=True, eq=False)
class Upright:
    """A turned head cut upright.

    `prepared` are its upright model slices; `source` and `grid` are the grids of the volume and
    of the upright head, both in the frame of ``tilt.straight``; `degrees` is by how much the head
    was turned.
    """

    prepared: Prepared
    source: Geometry
    grid: Geometry
    degrees: float

    @property
    def steps(self) -> tuple[str, ...]:
        """What was done, in words, for the list of steps of a result."""
        return (
            f"the head lies turned by {self.degrees:.0f} degrees against its slices: it was shown "
            "upright to the model, and the maps were turned back",
        )

    @property
    def stack(self) -> Geometry:
        """Where the voxels of the upright model slices (n, 128, 128) lie."""
        return self.prepared.grid.stack(self.grid)

    def taken(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values of the volume's grid (k, j, i) on the upright one; linear, 0 outside."""
        return _taken(values, self.source, self.grid, order=1)

    def asked_for(self, lying: Prepared) -> NDArray[np.intp]:
        """Which upright slices the brain in the volume's own slices needs, in order."""
        brain = torch.from_numpy(lying.brain.astype(np.float32))[None]
        reached = _looked_up(brain, lying.grid.stack(self.source), self.stack)[0] > 0
        needed = ndimage.binary_dilation(reached.any(axis=(1, 2)))
        kept = self.prepared.scored
        return np.asarray(kept[needed[kept]], dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class UprightHead:
    """A turned head on a grid along its own axes, before model slices are made of it.

    `volume` and its brain `mask` (k, j, i) lie on the grid of `volume`, in the frame of
    ``tilt.straight``, as does `source`, the grid that the head came on; `degrees` is by how much
    it was turned.
    """

    volume: Volume
    mask: NDArray[np.bool_]
    source: Geometry
    degrees: float


def cut_upright(volume: Volume, prepared: Prepared) -> Upright | None:
    """A head cut upright, or None where it lies so already or nobody can tell how it lies."""
    head = upright_head(volume, prepared.mask)
    if head is None:
        return None
    cut = prepare(head.volume, head.mask)
    return Upright(cut, head.source, head.volume.geometry, head.degrees)


def upright_head(volume: Volume, mask: NDArray[np.bool_]) -> UprightHead | None:
    """A head turned upright, `mask` its brain (k, j, i); None where `cut_upright` has none."""
    if not _can_be_told(volume, mask):
        return None
    pose = pose_in_slices(volume, mask)
    if pose.is_inverted or may_be_a_part(volume, mask, pose):
        return None
    if not pose.known or not LEAST_DEG < pose.degrees <= FURTHEST_DEG:
        return None
    source = straight(volume.geometry)
    grid = _grid_of(pose, source, mask)
    given = np.asarray(volume.array, np.float32)
    known = (mask & np.isfinite(given)).astype(np.float32)
    turned = _taken(known, source, grid, order=1) > 0.5
    array = np.nan_to_num(given, posinf=0.0, neginf=0.0)
    head = Volume(_taken(array, source, grid, order=3), grid, modality=volume.modality)
    return UprightHead(head, turned, source, pose.degrees)


def upright_notes(upright: Upright) -> tuple[Note, ...]:
    """A doubt where a head was found so far off that none was measured."""
    if upright.degrees <= DOUBTED_DEG:
        return ()
    words = (
        f"the head lies turned by {upright.degrees:.0f} degrees against its slices, further than "
        "any that was measured; it was shown upright to the model, which may not have been right"
    )
    return (Note("OUTSIDE_TRAINING", words),)


def _can_be_told(volume: Volume, mask: NDArray[np.bool_]) -> bool:
    geometry = volume.geometry
    if max(geometry.spacing_mm) > THICKEST_MM or mask.sum() * geometry.voxel_ml < SMALLEST_BRAIN_ML:
        return False
    return not is_cut(mask)


def _grid_of(pose: Pose, source: Geometry, mask: NDArray[np.bool_]) -> Geometry:
    """A grid with the steps of the source along the head's own axes, round its brain."""
    affine = np.eye(4)
    affine[:3, :3] = pose.turn @ source.affine[:3, :3]
    surface = source.to_mm(np.argwhere(mask & ~ndimage.binary_erosion(mask)))
    index = Geometry((1, 1, 1), affine).to_index(surface)
    low = np.floor(index.min(axis=0)) - _ROOM
    shape = np.ceil(index.max(axis=0) - low).astype(int) + _ROOM + 1
    affine[:3, 3] = affine[:3, :3] @ low
    return Geometry((int(shape[0]), int(shape[1]), int(shape[2])), affine)


def _taken(
    values: NDArray[np.float32], source: Geometry, grid: Geometry, *, order: int
) -> NDArray[np.float32]:
    """Values on another grid with the same steps, by splines; never beyond the values given."""
    matrix = np.linalg.inv(source.affine) @ grid.affine
    found = ndimage.affine_transform(
        values, matrix[:3, :3], matrix[:3, 3], grid.shape, order=order, output=np.float32
    )
    return np.asarray(np.clip(found, values.min(), values.max()), dtype=np.float32)


class WayBack:
    """Upright slices in, as they come; the volume's own out, as soon as all of each is known.

    `heights` are the upright slices that will come, in order; told of are those that `lying`
    scores.
    """

    def __init__(self, upright: Upright, lying: Prepared, heights: NDArray[np.intp]) -> None:
        self._from, self._to = upright.stack, lying.grid.stack(upright.source)
        self._heights, self._wanted = heights, lying.scored
        self._come: torch.Tensor | None = None
        self._needs = np.array(
            [_highest(self._from, self._to, lying.brain, n) for n in self._wanted]
        )
        self._told = np.zeros(len(self._wanted), np.bool_)

    def add(self, here: slice, values: NDArray[np.float32]) -> NDArray[np.intp]:
        """Take channels (c, b, 128, 128) of some upright slices; rows that became complete."""
        heights = self._heights[here]
        if self._come is None:
            self._come = torch.zeros((len(values), *self._from.shape))
        self._come[:, heights] = torch.from_numpy(values)
        known_up_to = np.inf if heights[-1] == self._heights[-1] else heights[-1]
        ready = np.flatnonzero(~self._told & (self._needs <= known_up_to))
        self._told[ready] = True
        return np.asarray(ready, dtype=np.intp)

    def slices(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Channels (c, m, 128, 128) of some of the volume's own slices; 0 where none came."""
        if self._come is None or not rows.size:
            raise ValueError("nothing has come of these slices")
        heights = self._wanted[rows]
        first, affine = int(heights[0]), self._to.affine.copy()
        affine[:3, 3] = self._to.to_mm((first, 0, 0))
        count = int(heights[-1]) - first + 1
        target = replace(self._to, shape=(count, *self._to.shape[1:]), affine=affine)
        return _looked_up(self._come, self._from, target)[:, heights - first]


def _looked_up(values: torch.Tensor, source: Geometry, target: Geometry) -> NDArray[np.float32]:
    """Linear look-up of channels (c, k, j, i) at every voxel of another grid; 0 outside.

    The way of ``region_grid.look_up`` in single precision, which is many times as fast.
    """
    of_source, of_target = (np.array(one.shape[::-1], dtype=np.float64) for one in (source, target))
    to_unit, from_unit = np.eye(4), np.eye(4)  # voxels (i, j, k) and -1 to 1 from edge to edge
    to_unit[:3] = np.column_stack([np.diag(2 / of_source), 1 / of_source - 1])
    from_unit[:3] = np.column_stack([np.diag(of_target / 2), (of_target - 1) / 2])
    way = np.linalg.inv(source.affine_ijk) @ target.affine_ijk
    theta = torch.from_numpy((to_unit @ way @ from_unit)[None, :3].astype(np.float32))
    grid = F.affine_grid(theta, [1, 1, *target.shape], align_corners=False)
    return np.asarray(F.grid_sample(values[None], grid, align_corners=False)[0].numpy())


def _highest(
    source: Geometry, target: Geometry, brain: NDArray[np.bool_], height: np.intp
) -> float:
    """The highest slice of `source` that the brain in a slice of `target` needs."""
    rows, columns = np.nonzero(brain[height])
    places = np.stack([np.full(rows.size, height), rows, columns], axis=1)
    return float(np.ceil(source.to_index(target.to_mm(places))[:, 0].max(initial=-1.0)))
