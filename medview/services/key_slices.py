"""Which slices of a result a report shows, and how they are pictured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry, Plane
from medview.domain.overlay import LayerStyle, ScalarMap
from medview.domain.prediction import Finding, Prediction
from medview.domain.report import ColourBar, Picture, Stroke
from medview.domain.volume import Volume
from medview.domain.wording import number
from medview.imaging.frame import Corners, Frame, Layer, View, compose_frame, flatten, placement
from medview.imaging.marks import Mark
from medview.imaging.part import needed_here
from medview.imaging.reslice import Cut, cut_of
from medview.services.layering import first_style

# Two pictures nearer to each other than this show the same anatomy.
_APART_MM = 8.0
LEAST_APART_MM = 4.0
# A smaller patch of colour would not be noticed on a printed slice.
_SEEN_MM2 = 25.0
# Width and height of a picture: 280 dots an inch where three stand side by side on A4.
PICTURE_SIZE = (624, 500)
# Of the slices after the first, six pictures stand side by side.
SMALL_SIZE = (324, 372)
# Two rows of images and regions stand above a table.
REGIONS_SIZE = (624, 416)
# A film has more room: two stand side by side, with letters that can be read.
FILM_SIZE = (936, 760)
_MARGIN_MM = 6.0
# The part of its range from which evidence is coloured.
_EVIDENCE_FROM = 0.25
_SCALE_MM = 50.0


@dataclass(frozen=True, slots=True)
class Line:
    """Something drawn in the patient: points in LPS mm that are joined, and what it says.

    The words stand beside its right end, or `inside` its upper left corner.
    """

    paths: tuple[tuple[tuple[float, float, float], ...], ...]
    words: tuple[str, ...] = ()
    inside: bool = False


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


def main_map(prediction: Prediction) -> ScalarMap | None:
    """The score, else the first map that says where something is unusual."""
    kinds = [item for item in prediction.maps if item.kind in ("anomaly", "evidence")]
    return prediction.map("score") or (kinds[0] if kinds else None)


def regions_map(prediction: Prediction) -> ScalarMap | None:
    """The regions of the brain that were measured."""
    return prediction.map("regions")


def uncertainty_map(prediction: Prediction) -> ScalarMap | None:
    """The total uncertainty, else the first map of an uncertainty."""
    kinds = [item for item in prediction.maps if item.kind == "uncertainty"]
    return prediction.map("total") or (kinds[0] if kinds else None)


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


def layer_style(prediction: Prediction, shown: ScalarMap) -> LayerStyle:
    """How the report colours a map: as the window does, uncertainty from half its range on."""
    style = replace(first_style(shown, prediction.parameters), visible=True, opacity=0.85)
    low, high = shown.range
    if shown.kind == "evidence":
        # It spreads over much of a film, which has to be seen through it.
        least = max(style.threshold or low, low + _EVIDENCE_FROM * (high - low))
        return replace(style, threshold=least, opacity=0.6)
    if shown.kind != "uncertainty":
        return style
    return replace(style, threshold=(low + high) / 2)


def threshold_of(prediction: Prediction, name: str) -> float | None:
    """The value from which a map counts as unusual, as the run was told; None if it was not."""
    given = prediction.parameters.get("threshold" if name == "score" else f"{name}_threshold")
    return float(given) if isinstance(given, int | float) else None


def picture(
    volume: Volume,
    layer: Layer | None,
    key: KeySlice,
    box: tuple[int, ...] = (),
    marks: tuple[Mark, ...] = (),
    size: tuple[int, int] = PICTURE_SIZE,
) -> tuple[Picture, ColourBar | None]:
    """Draw one slice, with a map or `marks` on it or without, cropped to `box` (``box_of``)."""
    view = View(plane=best_plane(volume.geometry), point_lps=key.point_lps)
    size = FILM_SIZE if is_film(volume.geometry) else size
    lines = tuple(
        Line((each.corners_lps + each.corners_lps[:1],), (each.text,), inside=True)
        for each in marks
    )
    return drawn_picture(volume, view, layer, box=box, size=size, lines=lines)


def drawn_picture(
    volume: Volume,
    view: View,
    layer: Layer | None = None,
    *,
    box: tuple[int, ...] = (),
    size: tuple[int, int] = PICTURE_SIZE,
    lines: tuple[Line, ...] = (),
) -> tuple[Picture, ColourBar | None]:
    """Draw what a view shows of a volume, with `lines` over it, cropped to `box`."""
    view = replace(view, crosshair=False, annotations="none")
    zoom, pan_mm, width_mm = _crop(cut_of(volume.geometry, view), box, size)
    part = needed_here(volume, replace(view, zoom=zoom, pan_mm=pan_mm), size)
    frame = compose_frame(volume, (layer,) if layer else (), view, part=part)
    # Every page says what the report is for; here it would lie under the scale bar.
    frame = replace(frame, corners=Corners())
    labels = frame.labels
    to_lps = placement(frame, size, zoom=zoom, pan_mm=pan_mm)
    return Picture(
        rgb=flatten(frame, size, zoom=zoom, pan_mm=pan_mm),
        alt=_alt(frame, layer),
        letters=(labels.left, labels.right, "", ""),
        corners=_corners(frame, layer),
        scale=_scale(volume.geometry, width_mm),
        strokes=tuple(_stroke(each, to_lps, size) for each in lines),
    ), frame.colour_bar


def _stroke(line: Line, to_lps: NDArray[np.float64], size: tuple[int, int]) -> Stroke:
    """Where a line in the patient runs over a picture, and where on it the words stand."""
    back = np.linalg.pinv(to_lps[:3, :2])
    paths = []
    for points in line.paths:
        pixels = (np.array(points, dtype=np.float64) - to_lps[:3, 3]) @ back.T + 0.5
        paths.append(tuple((float(x), float(y)) for x, y in pixels / np.array(size)))
    xs, ys = zip(*(point for path in paths for point in path), strict=True)
    at = (min(xs), min(ys)) if line.inside else max(zip(xs, ys, strict=True))
    return Stroke(tuple(paths), line.words, at)


def box_of(prediction: Prediction | None, volume: Volume) -> tuple[int, ...]:
    """First and last index along k, j and i of the brain, or else of what is not background."""
    box = brain_box(prediction) if prediction else ()
    return box or _box(_foreground(volume))


def brain_box(prediction: Prediction) -> tuple[int, ...]:
    """First and last index along k, j and i of the model's brain mask or regions, if any."""
    brain = prediction.map("brain") or regions_map(prediction)
    return () if brain is None else _box(np.asarray(brain.array, dtype=np.float32) > 0)


def _box(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    box: list[int] = []
    for axis in range(3):
        filled = np.flatnonzero(mask.any(axis=tuple(n for n in range(3) if n != axis)))
        box += [int(filled[0]), int(filled[-1])] if filled.size else []
    return tuple(box)


def _foreground(volume: Volume) -> NDArray[np.bool_]:
    """Voxels that stand out from the darkest; none where no value is known."""
    values = np.asarray(volume.array if volume.array.ndim == 3 else volume.array.max(axis=-1))
    some = values[:: max(1, len(values) // 32)]
    known = some[np.isfinite(some)]
    if not known.size:
        return np.zeros(values.shape, dtype=np.bool_)
    low, high = np.percentile(known, (1, 99))
    return np.asarray(values > low + 0.1 * (high - low))


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
    place = (np.array(geometry.shape) - 1) / 2
    if score is not None:
        plane = np.take(score.array, index, axis=axis)
        flat = int(np.argmax(np.where(np.isfinite(plane), plane, -np.inf)))
        place = np.insert(np.array(np.unravel_index(flat, plane.shape)), axis, index)
    place[axis] = index
    return _point(geometry.to_mm(place))


def _index(geometry: Geometry, point_lps: tuple[float, float, float], axis: int) -> int:
    return int(np.rint(geometry.to_index(point_lps)[axis]))


def _point(mm: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in mm)
    return x, y, z


def _crop(
    cut: Cut, box: tuple[int, ...], size: tuple[int, int]
) -> tuple[float, tuple[float, float], float]:
    """Zoom and pan for ``flatten`` that show the box with a margin, and the width shown in mm."""
    height, width = (cut.grid.shape[axis] for axis in cut.layout.shape_axes)
    size_mm = np.array([width * cut.pixel_mm[0], height * cut.pixel_mm[1]])
    scale = np.array(size) / size_mm
    if not box:
        return 1.0, (0.0, 0.0), float(size[0] / scale.min())
    ends = [box[0:2], box[2:4], box[4:6]]
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
    places = cut.source.to_mm(corners)
    back = np.linalg.inv(cut.pixel_to_lps)
    pixels = (np.c_[places, np.ones(len(places))] @ back.T)[:, :2] * cut.pixel_mm
    low, high = pixels.min(axis=0) - _MARGIN_MM, pixels.max(axis=0) + _MARGIN_MM
    per_mm = float((np.array(size) / (high - low)).min())
    middle = (np.array([width, height]) - 1) / 2 * cut.pixel_mm
    pan = middle - (low + high) / 2
    return per_mm / float(scale.min()), (float(pan[0]), float(pan[1])), size[0] / per_mm


def _corners(frame: Frame, layer: Layer | None) -> tuple[str, str, str, str]:
    if layer is not None:
        return layer.map.title or layer.map.name, "", "", ""
    where = f"Im {frame.slice + 1} / {frame.slices}" if frame.slices > 1 else ""
    window = frame.window
    grey = f"W {number(window.width, 2)} L {number(window.level, 2)}" if window else ""
    return "", where, grey, ""


def _scale(geometry: Geometry, width_mm: float) -> tuple[float, float] | None:
    """A bar of 5 cm, or less where the picture is small; none without millimetres."""
    if geometry.spacing_kind != "patient":
        return None
    length = next((mm for mm in (_SCALE_MM, 20.0, 10.0, 5.0) if mm < width_mm / 2), 0.0)
    return (length, length / width_mm) if length else None


def _alt(frame: Frame, layer: Layer | None) -> str:
    what = f"{layer.map.title or layer.map.name} over the image" if layer else "Image"
    where = f", {frame.position}" if frame.position else ""
    side = "; patient right is on the left" if frame.labels.left.startswith("R") else ""
    return f"{what}, slice {frame.slice + 1} of {frame.slices}{where}{side}."
