"""Planes turned about the crosshair: rotations, and the grids that such planes are sampled on.

The three planes of a volume turn as one frame (viewer's oblique reformat): they stay at right
angles to each other. Each pane shows its own plane with as little turn on the screen as can be,
so that a plane that only turned about its own normal is drawn as before.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medview.domain.geometry import Geometry

Tilt = tuple[float, ...]
"""Rows of a (3, 3) rotation in LPS, nine numbers; empty: not turned."""

STRAIGHT: Tilt = ()
# A plane that leans less than this is drawn as the straight one.
_LEAST_DEGREES = 0.05


def matrix_of(tilt: Tilt) -> NDArray[np.float64]:
    """The rotation as a matrix (3, 3): a direction of the straight frame times it is turned."""
    return np.array(tilt, dtype=np.float64).reshape(3, 3) if tilt else np.eye(3)


def turned(tilt: Tilt, axis_lps: ArrayLike, degrees: float) -> Tilt:
    """Turn further about an axis of the patient, by the right-hand rule."""
    unit = np.asarray(axis_lps, dtype=np.float64)
    matrix = _about(unit / np.linalg.norm(unit), np.radians(degrees)) @ matrix_of(tilt)
    # Of many small turns the rounding would add up to a shear.
    left, _, right = np.linalg.svd(matrix)
    return _tilt_of(left @ right)


def onto(one: ArrayLike, other: ArrayLike) -> Tilt:
    """The shortest turn that takes one direction to another."""
    return _tilt_of(_shortest(_unit(one), _unit(other)))


def lean_of(tilt: Tilt, normal: ArrayLike) -> float:
    """By how many degrees a plane with this normal leans when it is turned, 0 to 90."""
    unit = _unit(normal)
    across = float(np.linalg.norm(np.cross(unit, matrix_of(tilt) @ unit)))
    return float(np.degrees(np.arcsin(min(1.0, across))))


def oblique_grid(straight: Geometry, axis: int, tilt: Tilt) -> Geometry | None:
    """The grid on which the plane across array axis `axis` is sampled; None where it is straight.

    `straight` stands at right angles. Its array axes keep their order and sense; voxels are
    cubes of its smallest spacing, and the grid covers it whole.
    """
    axes = straight.affine[:3, :3] / np.linalg.norm(straight.affine[:3, :3], axis=0)
    if not tilt or lean_of(tilt, axes[:, axis]) < _LEAST_DEGREES:
        return None
    least = float(min(straight.spacing_mm))
    normal = axes[:, axis]
    shortest = _shortest(normal, matrix_of(tilt) @ normal)
    return covering(straight, shortest @ axes, np.full(3, least))


def covering(geometry: Geometry, axes: NDArray[np.float64], steps: NDArray[np.float64]) -> Geometry:
    """The grid with these unit axes (3, 3; columns k, j, i) and steps, mm, over all of another."""
    ends = np.array([0, 1])
    corners = np.stack(np.meshgrid(ends, ends, ends), axis=-1).reshape(-1, 3)
    places = geometry.to_mm(corners * (np.array(geometry.shape) - 1)) @ axes
    low, high = places.min(axis=0), places.max(axis=0)
    shape = np.ceil((high - low) / steps - 1e-6).astype(int) + 1
    affine = np.eye(4)
    affine[:3, :3] = axes * steps
    affine[:3, 3] = axes @ low
    return replace(geometry, shape=(int(shape[0]), int(shape[1]), int(shape[2])), affine=affine)


def _about(unit: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """Rotation by an angle, radians, about a unit vector (Rodrigues' formula)."""
    x, y, z = unit
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def _shortest(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    axis = np.cross(one, other)
    sine, cosine = float(np.linalg.norm(axis)), float(one @ other)
    if sine < 1e-12:
        # Any axis across will do for a half turn, and for none.
        axis, sine = np.cross(one, np.eye(3)[int(np.argmin(np.abs(one)))]), 0.0
    return _about(axis / np.linalg.norm(axis), float(np.arctan2(sine, cosine)))


def _unit(direction: ArrayLike) -> NDArray[np.float64]:
    vector = np.asarray(direction, dtype=np.float64)
    return np.asarray(vector / np.linalg.norm(vector))


def _tilt_of(matrix: NDArray[np.float64]) -> Tilt:
    if np.allclose(matrix, np.eye(3), atol=1e-9):
        return STRAIGHT
    return tuple(float(value) for value in matrix.ravel())
