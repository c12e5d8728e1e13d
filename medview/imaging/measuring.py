"""Drawings on the planes they belong to: where they are drawn and what they measure.

Lengths and angles are of the patient's millimetres; statistics are of the values on the plane
that is shown, in the volume's own quantity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry, Plane
from medview.domain.measurement import CLOSED, Kind, Measured, Measurement, Quantity
from medview.domain.volume import Volume
from medview.imaging.measure import length_mm, length_text
from medview.imaging.oblique import onto
from medview.imaging.reslice import Cut, cut_of, plane_axes
from medview.imaging.view import DrawnShape, View

# Directions closer than this are the same plane.
_PARALLEL = 1 - 1e-4
_ROUND = 48
# The plane across each LPS axis.
_PLANE_ACROSS = (Plane.SAGITTAL, Plane.CORONAL, Plane.AXIAL)
# What a region on a slab adds to its figures.
OF_ONE_SLICE = "of the single image"


@dataclass(frozen=True, slots=True)
class RegionValues:
    """Values in a closed drawing: count of pixels, area in mm2 (or pixels), values in `unit`."""

    count: int
    area: float
    mean: float
    sd: float
    low: float
    high: float
    unit: str


def shapes_on(
    measurements: tuple[Measurement, ...], volume: Volume, view: View, *, chosen: int = 0
) -> tuple[DrawnShape, ...]:
    """The drawings that lie on the slice a view shows, on the pixels of its frame."""
    cut = cut_of(volume.geometry, view)
    here = [each for each in measurements if lies_on(each, cut)]
    return tuple(_drawn(each, volume, cut, is_chosen=each.id == chosen) for each in here)


def lies_on(measurement: Measurement, cut: Cut) -> bool:
    """Whether a drawing is on the slice: parallel to it, and less than half a step away."""
    matrix = cut.pixel_to_lps
    normal = np.cross(matrix[:3, 0], matrix[:3, 1])
    normal /= np.linalg.norm(normal)
    own = np.cross(measurement.right, measurement.down)
    if abs(float(own @ normal)) < _PARALLEL:
        return False
    away = (np.array(measurement.points[0]) - matrix[:3, 3]) @ normal
    return bool(abs(away) <= cut.step_mm / 2 + 1e-6)


def own_view(measurement: Measurement, geometry: Geometry) -> View:
    """The view whose slice a drawing lies on, of a straight plane or of a turned one."""
    point = measurement.points[0]
    if geometry.shape[0] == 1:
        return View(Plane.ACQUIRED, point)
    axes = plane_axes(geometry, View())
    own = np.cross(measurement.right, measurement.down)
    along = axes.T @ own
    axis = int(np.argmax(np.abs(along)))
    plane = _PLANE_ACROSS[geometry.axis_of.index(axis)]
    return View(plane, point, tilt=onto(axes[:, axis], own * np.sign(along[axis])))


def described(measurement: Measurement, volume: Volume, cut: Cut) -> tuple[str, ...]:
    """What a drawing says: a length, an angle, or the values inside, a line each.

    Values are those of the one slice that it lies on, also where a slab is shown, and it says so:
    a figure must not change with how the image is looked at.
    """
    if not measurement.is_finished:
        return ()
    points = [np.array(point) for point in measurement.points]
    kind = measurement.kind
    if kind == "length":
        return (length_text(volume.geometry, points[0], points[1]),)
    if kind in ("angle", "cobb"):
        return (f"{angle_of(measurement):.1f}°",)
    if kind in CLOSED:
        alone = replace(cut, first=cut.index, last=cut.index)
        found = values_inside(measurement, volume, alone)
        words = _region_words(found, volume) if found is not None else ()
        return (*words, OF_ONE_SLICE) if words and cut.last > cut.first else words
    return (measurement.text,) if measurement.text else ()


def measured(measurement: Measurement, volume: Volume, cut: Cut) -> Measured:
    """A drawing with the numbers that `described` puts into words; `cut` is its own slice."""
    line = tuple((float(x), float(y), float(z)) for x, y, z in outline(measurement))
    return Measured(measurement, _figures(measurement, volume, cut), line)


def _figures(measurement: Measurement, volume: Volume, cut: Cut) -> tuple[Quantity, ...]:
    kind, spacing = measurement.kind, volume.geometry.spacing_kind
    at_detector = spacing == "detector"
    if kind == "length":
        value = length_mm(*measurement.points[:2])
        return (Quantity("length", value, "mm" if spacing else "px", at_detector),)
    if kind in ("angle", "cobb"):
        return (Quantity("angle", angle_of(measurement), "deg"),)
    found = values_inside(measurement, volume, cut) if kind in CLOSED else None
    if found is None:
        return ()
    named = (
        ("mean", found.mean),
        ("SD", found.sd),
        ("minimum", found.low),
        ("maximum", found.high),
    )
    area = Quantity("area", found.area, "mm2" if spacing else "px", at_detector)
    return (area, *(Quantity(name, value, found.unit) for name, value in named))


def angle_of(measurement: Measurement) -> float:
    """Degrees between the arms of an angle (0 to 180), or between Cobb lines (0 to 90)."""
    points = [np.array(point) for point in measurement.points]
    if measurement.kind == "angle":
        return _between(points[0] - points[1], points[2] - points[1])
    found = _between(points[1] - points[0], points[3] - points[2])
    return min(found, 180 - found)


def values_inside(measurement: Measurement, volume: Volume, cut: Cut) -> RegionValues | None:
    """Statistics of the pixels of the shown plane whose middle lies inside; None for colour.

    Padding (R28), NaN and slices that were not in the file do not count.
    """
    if volume.is_colour:
        return None
    plane = np.asarray(cut.take(volume.array, skip=volume.missing_slices), dtype=np.float64)
    inside = _mask(measurement, cut, plane.shape[:2])
    counted = inside & np.isfinite(plane)
    if volume.padding is not None:
        low, high = sorted(volume.padding)
        counted &= (plane < low) | (plane > high)
    values = plane[counted]
    if not values.size:
        return None
    return RegionValues(
        int(values.size),
        area_of(measurement) if volume.geometry.spacing_kind else float(inside.sum()),
        float(values.mean()),
        float(values.std()),
        float(values.min()),
        float(values.max()),
        volume.quantity,
    )


def voxels_inside(measurement: Measurement, geometry: Geometry) -> NDArray[np.bool_]:
    """The voxels (k, j, i) that a closed drawing goes through and whose middle lies inside it.

    The plane of the drawing is as thick as the grid's step across it.
    """
    inside = np.zeros(geometry.shape, dtype=np.bool_)
    corners = geometry.to_index(outline(measurement))
    low = np.clip(np.floor(corners.min(0)).astype(int) - 1, 0, geometry.shape)
    high = np.clip(np.ceil(corners.max(0)).astype(int) + 2, 0, geometry.shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    sides = (np.arange(side.start, side.stop, dtype=np.float64) for side in box)
    places = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1)
    normal = np.cross(measurement.right, measurement.down)
    step_mm = float(np.abs(normal @ geometry.affine[:3, :3]).sum())
    centres = geometry.to_mm(places)
    away = (centres - np.array(measurement.points[0])) @ normal
    inside[box] = _is_inside(measurement, centres) & (np.abs(away) <= step_mm / 2 + 1e-6)
    return inside


def area_of(measurement: Measurement) -> float:
    """Area of a closed drawing, mm2, from its outline (not from pixels)."""
    flat = _flat(measurement, measurement.points)
    if measurement.kind == "polygon":
        x, y = flat[:, 0], flat[:, 1]
        return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)
    wide, high = np.abs(flat[1] - flat[0])
    return float(wide * high * (np.pi / 4 if measurement.kind == "ellipse" else 1.0))


def outline(measurement: Measurement) -> NDArray[np.float64]:
    """The points that are joined when it is drawn, LPS mm (n, 3); closed ones end at the start."""
    points = np.array(measurement.points, dtype=np.float64)
    kind: Kind = measurement.kind
    if kind == "polygon":
        return np.vstack([points, points[:1]]) if len(points) > 2 else points
    if kind not in ("ellipse", "rectangle") or len(points) < 2:
        return points
    right, down = np.array(measurement.right), np.array(measurement.down)
    flat = _flat(measurement, measurement.points)
    half = (flat[1] - flat[0]) / 2
    if kind == "rectangle":
        signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)], dtype=np.float64)
    else:
        turn = np.linspace(0, 2 * np.pi, _ROUND + 1)
        signs = np.column_stack([np.cos(turn), np.sin(turn)])
    middle = (points[0] + points[1]) / 2
    steps = signs * half
    return np.asarray(middle + steps[:, :1] * right + steps[:, 1:] * down, dtype=np.float64)


def _drawn(measurement: Measurement, volume: Volume, cut: Cut, *, is_chosen: bool) -> DrawnShape:
    matrix = cut.pixel_to_lps
    back = np.linalg.pinv(matrix[:3, :2])

    def on_pixels(points: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
        return tuple((float(x), float(y)) for x, y in (points - matrix[:3, 3]) @ back.T)

    return DrawnShape(
        measurement.id,
        measurement.kind,
        on_pixels(outline(measurement)),
        on_pixels(np.array(measurement.points, dtype=np.float64)),
        described(measurement, volume, cut),
        is_chosen,
    )


def _mask(measurement: Measurement, cut: Cut, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    matrix = cut.pixel_to_lps
    centres = matrix[:3, 3] + columns[..., None] * matrix[:3, 0] + rows[..., None] * matrix[:3, 1]
    return _is_inside(measurement, centres)


def _is_inside(measurement: Measurement, centres: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether places (..., 3), LPS mm, lie in the outline as seen along its normal."""
    flat = _flat(measurement, centres)
    corners = _flat(measurement, measurement.points)
    if measurement.kind == "polygon":
        return _in_polygon(flat, corners)
    middle, half = (corners[0] + corners[1]) / 2, np.abs(corners[1] - corners[0]) / 2
    away = (flat - middle) / np.maximum(half, 1e-9)
    if measurement.kind == "ellipse":
        return np.asarray((away**2).sum(-1) <= 1)
    return np.asarray(np.abs(away).max(-1) <= 1)


def _in_polygon(points: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Even-odd rule, for points (..., 2)."""
    inside = np.zeros(points.shape[:-1], dtype=np.bool_)
    x, y = points[..., 0], points[..., 1]
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if ay == by:
            continue
        crosses = (ay > y) != (by > y)
        inside ^= crosses & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return inside


def _flat(measurement: Measurement, points: object) -> NDArray[np.float64]:
    """Places along the axes of the drawing's own plane, mm (..., 2)."""
    axes = np.stack([np.array(measurement.right), np.array(measurement.down)], axis=-1)
    return np.asarray(np.asarray(points, dtype=np.float64) @ axes, dtype=np.float64)


def _between(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    if lengths == 0:
        return 0.0
    return float(np.degrees(np.arccos(np.clip(one @ other / lengths, -1, 1))))


def _region_words(found: RegionValues, volume: Volume) -> tuple[str, ...]:
    kind = volume.geometry.spacing_kind
    area = f"{found.area:.0f} pixels"
    if kind is not None:
        area = f"{found.area:.0f} mm²" + (" at detector" if kind == "detector" else "")
    unit = "" if found.unit in ("a.u.", "1", "") else f" {found.unit}"
    digits = 1 if abs(found.mean) >= 1 else 3
    return (
        area,
        f"mean {found.mean:.{digits}f}{unit}, SD {found.sd:.{digits}f}",
        f"{found.low:.{digits}f} to {found.high:.{digits}f}{unit}",
    )
