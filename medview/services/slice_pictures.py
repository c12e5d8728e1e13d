"""How a slice is pictured in a report: cropped, coloured, lettered, with a scale."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry
from medview.domain.overlay import LayerStyle, ScalarMap
from medview.domain.prediction import Prediction
from medview.domain.report import ColourBar, Picture, Stroke
from medview.domain.volume import Volume
from medview.domain.wording import number
from medview.imaging.frame import Corners, Frame, Layer, View, compose_frame, flatten, placement
from medview.imaging.marks import Mark
from medview.imaging.part import needed_here
from medview.imaging.reslice import Cut, cut_of
from medview.services.key_slices import KeySlice, best_plane, is_film
from medview.services.layering import first_style

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
    which = f", slice {frame.slice + 1} of {frame.slices}" if frame.slices > 1 else ""
    where = f", {frame.position}" if frame.position else ""
    side = "; patient right is on the left" if frame.labels.left.startswith("R") else ""
    return f"{what}{which}{where}{side}."
