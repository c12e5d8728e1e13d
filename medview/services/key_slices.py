"""Which slices of a result a report shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry, Plane
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Finding, Prediction
from medview.services.result_maps import brain_box, main_map, threshold_of

# Two pictures nearer to each other than this show the same anatomy.
_APART_MM = 8.0
LEAST_APART_MM = 4.0
# A smaller patch of colour would not be noticed on a printed slice.
_SEEN_MM2 = 25.0


@dataclass(frozen=True, slots=True)
class KeySlice:
    """A slice worth showing: where, and for which finding (None: its score is high).

    `index` counts along the array axis that is cut. `coloured` is False where nothing of the
    score would be seen. `through` is a finding whose peak lies in another slice.
    """

    point_lps: tuple[float, float, float]
    index: int
    finding: Finding | None = None
    coloured: bool = True
    through: Finding | None = None


def best_plane(geometry: Geometry) -> Plane:
    """Axial, unless the voxels are so thick that only the acquired plane is sharp."""
    k, j, i = geometry.spacing_mm
    if geometry.shape[0] == 1 or not geometry.orientation_known:
        return Plane.ACQUIRED
    if k <= 1.5 * max(j, i):
        return Plane.AXIAL
    return (Plane.SAGITTAL, Plane.CORONAL, Plane.AXIAL)[geometry.axis_of.index(0)]


def is_film(geometry: Geometry) -> bool:
    """Whether there is one slice alone, as of a film."""
    return geometry.shape[0] == 1


def cut_axis(geometry: Geometry, plane: Plane) -> int:
    """Array axis that a plane cuts."""
    world = {Plane.SAGITTAL: 0, Plane.CORONAL: 1, Plane.AXIAL: 2}.get(plane)
    return 0 if world is None else geometry.axis_of[world]


def key_slices(
    prediction: Prediction | None, geometry: Geometry, count: int = 3
) -> tuple[KeySlice, ...]:
    """Choose up to `count` slices: peaks of findings first, then where the score is highest.

    They lie 8 mm apart where there is enough to see, else 4 mm.

    Findings hidden by uncertainty come last among the findings. Slices in which hardly anything
    reaches the threshold are left out; if all are like that, the one with the highest score is
    shown. Without a score the slices are spread evenly.
    """
    axis = cut_axis(geometry, best_plane(geometry))
    chosen: list[KeySlice] = []
    for finding in _by_importance(prediction):
        point = peak_of(finding, prediction.map(finding.map) if prediction else None)
        _add(chosen, KeySlice(point, _index(geometry, point, axis), finding), geometry, axis)
    score = main_map(prediction) if prediction else None
    if score is None or prediction is None or not np.asarray(score.array).any():
        for index in _spread(prediction, geometry, axis, count):
            key = KeySlice(_brightest(None, geometry, axis, index), index, coloured=score is None)
            _add(chosen, key, geometry, axis)
        return tuple(chosen[:count])
    least = threshold_of(prediction, score.name)
    seen = _by_score(score, axis, least)
    # Where there is only one thing to see, other levels through it say more than nothing.
    for apart_mm in (_APART_MM, LEAST_APART_MM):
        for index in seen:
            if len(chosen) >= count:
                break
            point = _brightest(score, geometry, axis, index)
            key = KeySlice(point, index, through=_around(point, prediction.findings))
            _add(chosen, key, geometry, axis, apart_mm)
    if not chosen:
        index = _by_score(score, axis, None)[0]
        point = _brightest(score, geometry, axis, index)
        chosen.append(KeySlice(point, index, coloured=False))
    return tuple(chosen[:count])


def peak_of(finding: Finding, source: ScalarMap | None) -> tuple[float, float, float]:
    """LPS mm of the peak of a finding; its centroid where the map does not show the peak."""
    if source is None or not 0 <= finding.slice < source.geometry.shape[0]:
        return finding.centroid_lps
    plane = np.asarray(source.array[finding.slice], dtype=np.float64)
    rows, columns = np.nonzero(np.isclose(plane, finding.peak, rtol=1e-5))
    if not rows.size:
        return finding.centroid_lps
    index = np.stack([np.full(rows.size, finding.slice), rows, columns], axis=1)
    places = source.geometry.to_mm(index)
    return _point(places[np.linalg.norm(places - finding.centroid_lps, axis=1).argmin()])


def _by_importance(prediction: Prediction | None) -> list[Finding]:
    found = prediction.findings if prediction else ()
    return sorted(found, key=lambda each: (each.hidden_by_uncertainty, -each.peak))


def _add(
    chosen: list[KeySlice],
    new: KeySlice,
    geometry: Geometry,
    axis: int,
    apart_mm: float = _APART_MM,
) -> None:
    step = geometry.spacing_mm[axis]
    if all(abs(new.index - old.index) * step >= apart_mm for old in chosen):
        chosen.append(new)


def _around(point_lps: tuple[float, float, float], findings: Iterable[Finding]) -> Finding | None:
    """The finding that a place belongs to: nearer than 1.5 radii of a ball of its volume."""
    for finding in findings:
        radius_mm = (3000 * finding.volume_ml / (4 * np.pi)) ** (1 / 3)
        away = np.linalg.norm(np.subtract(point_lps, finding.centroid_lps))
        if away <= 1.5 * radius_mm:
            return finding
    return None


def _by_score(score: ScalarMap, axis: int, least: float | None) -> list[int]:
    """Slices that hold a score, the one with the highest peak first.

    With `least` only those in which an area that can be seen reaches it.
    """
    others = tuple(n for n in range(3) if n != axis)
    known = np.where(np.isfinite(score.array), score.array, -np.inf)
    peaks = known.max(axis=others)
    shown = np.isfinite(peaks)
    if least is not None:
        pixel_mm2 = float(np.prod([score.geometry.spacing_mm[n] for n in others]))
        shown &= (known >= least).sum(axis=others) * pixel_mm2 >= _SEEN_MM2
    return [int(n) for n in np.argsort(-peaks, kind="stable") if shown[n]]


def _spread(prediction: Prediction | None, geometry: Geometry, axis: int, count: int) -> list[int]:
    """Slices spread evenly over what the model marked, or else over all that is there."""
    box = brain_box(prediction) if prediction else ()
    first, last = box[2 * axis : 2 * axis + 2] if box else (0, geometry.shape[axis])
    return [round(first + (last - first) * (n + 1) / (count + 1)) for n in range(count)]


def _brightest(
    score: ScalarMap | None, geometry: Geometry, axis: int, index: int
) -> tuple[float, float, float]:
    """Where the score peaks in a slice; the middle of the slice without a score."""
    if score is None:
        return _point(geometry.slice_centre_mm(axis, index))
    plane = np.take(score.array, index, axis=axis)
    flat = int(np.argmax(np.where(np.isfinite(plane), plane, -np.inf)))
    place = np.insert(np.array(np.unravel_index(flat, plane.shape)), axis, index)
    return _point(geometry.to_mm(place))


def _index(geometry: Geometry, point_lps: tuple[float, float, float], axis: int) -> int:
    return int(np.rint(geometry.to_index(point_lps)[axis]))


def _point(mm: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in mm)
    return x, y, z
