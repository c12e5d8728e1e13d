"""Which array axis goes where on the screen, slices and slabs.

A grid whose axes stand at right angles is cut by indexing, so every pixel is a voxel. A
sheared grid (gantry tilt) keeps its affine; its stored slices are indexed too, and planes
across them are sampled on a straightened grid, because a cut by index would lean. Oblique
planes are sampled on a turned grid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry, Plane
from medview.imaging.oblique import covering, matrix_of, oblique_grid
from medview.imaging.resample import sampled
from medview.imaging.view import SlabMode, View

# Above this lean, planes across the slices are sampled and no longer indexed (rule R12).
SHEAR_LIMIT_DEGREES = 0.05

# Slices this much further apart than their pixels are thick: between them one sees a guess.
THICK = 1.5

# Plane -> LPS axes (cut, right, down) and the signs of right and down on a radiological
# screen: the patient's left on the right, the nose up or to the left, the feet down.
_SCREEN = {
    Plane.AXIAL: ((2, 0, 1), (1, 1)),
    Plane.CORONAL: ((1, 0, 2), (1, -1)),
    Plane.SAGITTAL: ((0, 1, 2), (1, -1)),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How array axes lie on the screen: the one place that turns, flips and transposes.

    `right` and `down` are (array axis, +1 or -1): where the index grows to on the screen.
    """

    cut: int
    right: tuple[int, int]
    down: tuple[int, int]

    @property
    def shape_axes(self) -> tuple[int, int]:
        """Array axes of the drawn rows (down) and columns (right)."""
        return self.down[0], self.right[0]

    def lay(self, plane: NDArray[np.generic]) -> NDArray[np.generic]:
        """Turn a cut (two array axes in their order, maybe colour) to the screen; a view."""
        turned = plane if self.down[0] < self.right[0] else plane.swapaxes(0, 1)
        return turned[:: self.down[1], :: self.right[1]]

    def pixel_to_index(self, shape: tuple[int, int, int], index: int) -> NDArray[np.float64]:
        """(4, 4) from (x, y, d, 1) to array index (k, j, i, 1); d counts slices from `index`."""
        matrix = np.zeros((4, 4))
        matrix[3, 3] = 1.0
        for column, (axis, sign) in enumerate((self.right, self.down)):
            matrix[axis, column] = sign
            matrix[axis, 3] = 0 if sign > 0 else shape[axis] - 1
        matrix[self.cut, 2] = 1.0
        matrix[self.cut, 3] = index
        return matrix


def layout_of(geometry: Geometry, view: View) -> Layout:
    """Say how `view` lays the grid on the screen: flips first, then rotation clockwise."""
    if view.plane is Plane.ACQUIRED or _is_other_film(geometry, view.plane):
        cut, right, down = 0, (2, 1), (1, 1)
    else:
        worlds, signs = _SCREEN[view.plane]
        cut, across, along = (geometry.axis_of[world] for world in worlds)
        right = (across, signs[0] * _sign(geometry, worlds[1], across))
        down = (along, signs[1] * _sign(geometry, worlds[2], along))
    right = _turned(right) if view.flip_h else right
    down = _turned(down) if view.flip_v else down
    for _ in range(view.rotate % 360 // 90):
        right, down = _turned(down), right
    return Layout(cut, right, down)


def _is_other_film(geometry: Geometry, plane: Plane) -> bool:
    """True for a single slice that does not lie in this plane: it is shown as stored."""
    if geometry.shape[0] > 1:
        return False
    return not geometry.orientation_known or geometry.axis_of[_SCREEN[plane][0][0]] != 0


def _sign(geometry: Geometry, world: int, axis: int) -> int:
    return 1 if geometry.affine[world, axis] >= 0 else -1


def _turned(axis: tuple[int, int]) -> tuple[int, int]:
    return axis[0], -axis[1]


@lru_cache(maxsize=64)
def lean_degrees(geometry: Geometry) -> float:
    """Largest deviation of two array axes from a right angle, degrees."""
    unit = geometry.affine[:3, :3] / np.linalg.norm(geometry.affine[:3, :3], axis=0)
    cosines = np.abs([unit[:, 0] @ unit[:, 1], unit[:, 0] @ unit[:, 2], unit[:, 1] @ unit[:, 2]])
    return float(np.degrees(np.arcsin(min(1.0, float(cosines.max())))))


@lru_cache(maxsize=16)
def straightened(geometry: Geometry) -> Geometry:
    """The grid at right angles that covers a sheared one.

    Columns keep their direction, rows are put at a right angle to them, slices along the
    normal; steps are those of the sheared grid measured along the new axes.
    """
    k, j, i = (geometry.affine[:3, n] for n in range(3))
    across = i / np.linalg.norm(i)
    along = j - (j @ across) * across
    along /= np.linalg.norm(along)
    normal = np.cross(across, along)
    normal *= np.sign(normal @ k)
    axes = np.stack([normal, along, across], axis=1)
    steps = np.array([abs(k @ normal), abs(j @ along), np.linalg.norm(i)])
    return covering(geometry, axes, steps)


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """One plane through a grid, ready to take any array that lies on that grid.

    `source` is the grid of the arrays, `grid` the one being drawn: the same one, unless the
    source is sheared and the plane runs across its slices, or the plane is oblique. `first` and
    `last` are the slab.
    """

    source: Geometry
    grid: Geometry
    layout: Layout
    index: int
    first: int
    last: int
    mode: SlabMode
    is_oblique: bool = False

    @property
    def pixel_to_lps(self) -> NDArray[np.float64]:
        """(4, 4) from (x, y, d, 1) of the drawn pixels to LPS mm."""
        matrix = self.layout.pixel_to_index(self.grid.shape, self.index)
        return np.asarray(self.grid.affine @ matrix, dtype=np.float64)

    @property
    def pixel_mm(self) -> tuple[float, float]:
        """Size of a drawn pixel to the right and down, mm."""
        spacing = self.grid.spacing_mm
        return spacing[self.layout.right[0]], spacing[self.layout.down[0]]

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector at a right angle to the drawn slice, LPS, (3,)."""
        to_lps = self.pixel_to_lps
        across = np.cross(to_lps[:3, 0], to_lps[:3, 1])
        return np.asarray(across / np.linalg.norm(across))

    @property
    def between_slices(self) -> bool:
        """Whether much of what is drawn lies between slices, where nothing was measured.

        That is so across slices that are further apart than their pixels, or that lean.
        """
        if self.is_oblique:
            return True
        apart, *within = self.source.spacing_mm
        thick = self.grid is not self.source or apart > THICK * min(within)
        return self.layout.cut != 0 and thick

    @property
    def is_stored(self) -> bool:
        """Whether slices are drawn as the file holds them."""
        return self.layout.cut == 0 and self.grid is self.source

    @property
    def step_mm(self) -> float:
        """Distance to the next slice, along the normal."""
        return _slice_distance_mm(self.grid, self.layout.cut)

    def take(
        self,
        array: NDArray[np.generic],
        *,
        skip: tuple[int, ...] = (),
        overlay: bool = False,
        nearest: bool = False,
    ) -> NDArray[np.generic]:
        """Cut an array on the source grid and lay it on the screen, (h, w) or (h, w, 3).

        A slab of stored slices leaves out the indices `skip`. An overlay in a minimum slab
        shows its maximum: a small finding must not vanish because its neighbours are empty.
        Outside a straightened or turned source is NaN (black for colour). Where a plane is
        sampled, `nearest` takes the nearest voxel (labels have no values between them). Colours
        have no order: of a slab of them its slice `index` is shown.
        """
        if array.ndim == 4 and self.first < self.last:
            alone = replace(self, first=self.index, last=self.index)
            return alone.take(array, nearest=nearest)
        mode = "mip" if overlay and self.mode == "minip" else self.mode
        slab = self._slab(array, skip, nearest=nearest)
        return self.layout.lay(_combine(slab, self.layout.cut, mode))

    def absent(self, missing: tuple[int, ...]) -> NDArray[np.bool_] | None:
        """(h, w) True where the slab has no slice of the file; None when all is there."""
        if not missing:
            return None
        gone = np.zeros(self.source.shape[0], dtype=bool)
        gone[list(missing)] = True
        if self.is_stored:
            if not gone[self.first : self.last + 1].all():
                return None
            shape = tuple(self.grid.shape[axis] for axis in self.layout.shape_axes)
            return np.ones(shape, dtype=bool)
        mask = np.broadcast_to(gone[:, None, None], self.source.shape)
        alone = replace(self, first=self.index, last=self.index)
        return np.asarray(alone.take(mask), dtype=bool)

    def _slab(
        self, array: NDArray[np.generic], skip: tuple[int, ...], *, nearest: bool
    ) -> NDArray[np.generic]:
        """The slices first..last of the array, still (k, j, i) with the cut axis short."""
        axis = self.layout.cut
        if self.grid is not self.source:
            planes = range(self.first, self.last + 1)
            parts = [
                sampled(array, self.source, self._plane_of(n), nearest=nearest) for n in planes
            ]
            return np.concatenate(parts, axis=axis)
        wanted = [n for n in range(self.first, self.last + 1) if n not in skip]
        if axis == 0 and wanted and len(wanted) <= self.last - self.first:
            return array[wanted]
        ends = slice(self.first, self.last + 1)
        return array[tuple(ends if n == axis else slice(None) for n in range(3))]

    def _plane_of(self, index: int) -> Geometry:
        """The grid of one drawn slice: as `grid`, with one slice along the cut axis."""
        start = np.zeros(3)
        start[self.layout.cut] = index
        shape = list(self.grid.shape)
        shape[self.layout.cut] = 1
        affine = self.grid.affine.copy()
        affine[:3, 3] = self.grid.to_mm(start)
        return replace(self.grid, shape=(shape[0], shape[1], shape[2]), affine=affine)


@lru_cache(maxsize=256)
def cut_of(geometry: Geometry, view: View) -> Cut:
    """Find the slice (or slab) of a grid that is nearest to the view's point.

    Kept for the last views: for one frame a dozen callers ask the same.
    """
    layout = layout_of(geometry, view)
    grid = geometry
    if _leans(geometry, view, layout):
        grid = straightened(geometry)
        layout = layout_of(grid, view)
    turned = _oblique(geometry, view)
    if turned is not None:
        grid, layout = turned
    axis = layout.cut
    at = int(np.clip(np.rint(grid.to_index(view.point_lps)[axis]), 0, grid.shape[axis] - 1))
    half = int(view.slab_mm / 2 / _slice_distance_mm(grid, axis) + 1e-6)
    first, last = max(0, at - half), min(grid.shape[axis] - 1, at + half)
    return Cut(geometry, grid, layout, at, first, last, view.slab_mode, turned is not None)


def _oblique(geometry: Geometry, view: View) -> tuple[Geometry, Layout] | None:
    """The turned grid of a view and how it lies on the screen; None for a straight plane."""
    if not view.tilt or view.plane is Plane.ACQUIRED or geometry.shape[0] == 1:
        return None
    straight = _at_right_angles(geometry)
    layout = layout_of(straight, view)
    grid = oblique_grid(straight, layout.cut, view.tilt)
    return None if grid is None else (grid, layout)


def _at_right_angles(geometry: Geometry) -> Geometry:
    return straightened(geometry) if lean_degrees(geometry) > SHEAR_LIMIT_DEGREES else geometry


def plane_axes(geometry: Geometry, view: View) -> NDArray[np.float64]:
    """Normals of the three planes of a grid as a view turns them, LPS (3, 3; columns k, j, i)."""
    affine = _at_right_angles(geometry).affine[:3, :3]
    return np.asarray(matrix_of(view.tilt) @ (affine / np.linalg.norm(affine, axis=0)))


def crosshair_lines(cut: Cut, view: View) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where the other two planes run: unit vectors in mm to the right and down of the screen."""
    if not view.tilt or view.plane is Plane.ACQUIRED:
        return (1.0, 0.0), (0.0, 1.0)
    screen = cut.pixel_to_lps[:3, :2]
    screen = screen / np.linalg.norm(screen, axis=0)
    axes = plane_axes(cut.source, view)
    others = axes[:, [cut.layout.right[0], cut.layout.down[0]]]
    (a, b), (c, d) = (others.T @ screen).tolist()
    return (a, b), (c, d)


def _leans(geometry: Geometry, view: View, layout: Layout) -> bool:
    """Whether an indexed cut would draw the patient leaning."""
    if view.plane is Plane.ACQUIRED or geometry.shape[0] == 1:
        return False
    if lean_degrees(geometry) <= SHEAR_LIMIT_DEGREES:
        return False
    right, down = (geometry.affine[:3, axis] for axis, _ in (layout.right, layout.down))
    lean = abs(right @ down) / (np.linalg.norm(right) * np.linalg.norm(down))
    return layout.cut != 0 or bool(lean > np.sin(np.radians(SHEAR_LIMIT_DEGREES)))


@lru_cache(maxsize=64)
def _slice_distance_mm(grid: Geometry, axis: int) -> float:
    """Distance between neighbouring slices along their normal."""
    one, other = (grid.affine[:3, n] for n in range(3) if n != axis)
    normal = np.cross(one, other)
    return float(abs(grid.affine[:3, axis] @ normal) / np.linalg.norm(normal))


def _combine(slab: NDArray[np.generic], axis: int, mode: SlabMode) -> NDArray[np.generic]:
    """One plane out of a slab (k, j, i) along `axis`; NaN gives way to any value."""
    if slab.shape[axis] == 1:
        return slab.squeeze(axis)
    if mode == "mean":
        known = np.isfinite(slab)
        total = np.sum(slab, axis=axis, dtype=np.float32, where=known)
        seen = known.sum(axis=axis)
        return np.where(seen > 0, total / np.maximum(seen, 1), np.nan).astype(np.float32)
    pick = np.fmax if mode == "mip" else np.fmin
    if axis == 2:  # a copy in reading order is far quicker than reducing along short rows
        slab = np.ascontiguousarray(np.moveaxis(slab, 2, 0))
        axis = 0
    return np.asarray(pick.reduce(slab, axis=axis))
