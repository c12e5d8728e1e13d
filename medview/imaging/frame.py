"""All that one pane shows, computed by one pure function into one frozen value.

Screen, PNG and PDF draw the same ``Frame``; tests read it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medview.domain.doubts import doubts
from medview.domain.errors import GeometryError
from medview.domain.geometry import Geometry
from medview.domain.overlay import LayerStyle, ScalarMap
from medview.domain.report import ColourBar
from medview.domain.volume import Volume, Window
from medview.imaging.intensity import grey
from medview.imaging.looks import drawn as drawn_by_look
from medview.imaging.looks import is_drawn_on, look_of, shut, slice_of_grey, tone_of
from medview.imaging.marks import Mark, drawn
from medview.imaging.oblique import STRAIGHT, lean_of
from medview.imaging.paint import certainty, legend, tint
from medview.imaging.part import take
from medview.imaging.picture import flatten, placement
from medview.imaging.resample import NEAREST_KINDS
from medview.imaging.reslice import Cut, crosshair_lines, cut_of, plane_axes
from medview.imaging.tint import Tint
from medview.imaging.view import (
    Annotations,
    Corners,
    Frame,
    Labels,
    Layer,
    Part,
    SlabMode,
    View,
)

__all__ = [
    "RESEARCH_ONLY",
    "Annotations",
    "Corners",
    "Frame",
    "Labels",
    "Layer",
    "SlabMode",
    "View",
    "compose_frame",
    "flatten",
    "letters",
    "placement",
]

RESEARCH_ONLY = "research use only"
INTERPOLATED = "Interpolated between slices"

# Letters toward which LPS x, y and z grow and shrink.
_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))

# A clear one, then nothing but white.
_WHITE = np.repeat(np.array([0, 255], np.uint8), (1, 255))[:, None].repeat(4, axis=1)

_SLAB_NAMES = {"mip": "MIP", "minip": "MinIP", "mean": "Mean"}


def compose_frame(
    volume: Volume,
    layers: tuple[Layer, ...],
    view: View,
    *,
    marks: tuple[Mark, ...] = (),
    said: tuple[str, ...] = (),
    part: Part | None = None,
) -> Frame:
    """Cut, window, invert, tint and label: everything a pane shows of a volume.

    Pure: equal inputs give equal frames, and layers change nothing but tints, values, colour
    bar and the overlay's name. `marks` are boxes on the image, `said` the results of models in
    a line each, for the upper right corner. Maps must lie on the volume's own grid (bring them
    there with `resample_onto`, on a worker).

    With `part` (see `needed`) image and tints are those blocks of a slice: values are averaged
    before they turn to grey or colour, of masks and labels the highest counts. All places and
    values stay those of the pixels of the slice.

    Raises
    ------
    GeometryError
        If a map, or the map that fades it, lies on another grid.
    """
    cut = cut_of(volume.geometry, view)
    part = None if is_drawn_on(volume, view) else part
    to_lps = cut.pixel_to_lps
    absent = cut.absent(volume.missing_slices)
    image, window = _image(volume, view, cut, part)
    shown = tuple(layer for layer in layers if layer.style.visible)
    tints = tuple(_tint(layer, cut, part) for layer in shown)
    x, y = _pixel_of(to_lps, view.point_lps)
    return Frame(
        image=image,
        paints=(*_graphics(volume, view, cut, part), *tints),
        pixel_to_lps=to_lps,
        pixel_mm=cut.pixel_mm,
        labels=_labels(volume.geometry, to_lps),
        cursor=(x, y),
        slice=cut.index,
        slices=cut.grid.shape[cut.layout.cut],
        position=_position(volume, cut, (x, y)),
        window=window,
        values=_values(volume, layers, view.point_lps),
        colour_bars=_colour_bars(shown, tints),
        corners=_with_results(
            _corners(volume, shown, view, cut=cut, window=window, at=(x, y)), view, said
        ),
        missing=absent is not None and bool(absent.all()),
        crosshair=view.crosshair,
        lines=crosshair_lines(cut, view),
        lean=_lean(cut, view),
        absent=absent,
        annotations=view.annotations,
        marks=drawn(marks, to_lps),
        part=part,
    )


def _with_results(corners: Corners, view: View, said: tuple[str, ...]) -> Corners:
    """The texts with what models say below the place: lower down the score strip has its room."""
    if view.annotations != "all" or not said:
        return corners
    return replace(corners, top_right=(*corners.top_right, *said))


def letters(direction_lps: ArrayLike) -> str:
    """Where a direction points in the patient, at most two letters, the stronger first (R20).

    Parts of the unit vector below 1e-4 are dropped. The result for the other way round has
    the opposite letters in the same order.
    """
    direction = np.asarray(direction_lps, dtype=np.float64)
    unit = direction / np.linalg.norm(direction)
    order = sorted(range(3), key=lambda axis: -round(abs(float(unit[axis])), 6))
    strong = [axis for axis in order if abs(unit[axis]) > 1e-4][:2]
    return "".join(_LETTERS[axis][0 if unit[axis] > 0 else 1] for axis in strong)


def _labels(geometry: Geometry, to_lps: NDArray[np.float64]) -> Labels:
    """Letters of the four edges from the very matrix that the pixels are drawn with."""
    if not geometry.orientation_known:
        return Labels()
    right, down = to_lps[:3, 0], to_lps[:3, 1]
    return Labels(
        left=letters(-right), right=letters(right), top=letters(-down), bottom=letters(down)
    )


def _image(
    volume: Volume, view: View, cut: Cut, part: Part | None
) -> tuple[NDArray[np.uint8], Window | None]:
    """Grey or colour of the cut, and the window it was made with (None for a table)."""
    if part is None:
        plane = cut.take(volume.array, skip=volume.missing_slices)
    else:
        plane = take(cut, volume.array, part)
    if volume.is_colour:
        colour = np.ascontiguousarray(plane, dtype=np.uint8)
        turned = volume.inverted != view.inverted
        colour = np.asarray(255 - colour, dtype=np.uint8) if turned else colour
        return shut(volume, view, cut, colour), None
    tone = tone_of(volume, view, slice_of_grey(volume, cut))
    image = grey(plane, tone.voi, inverted=tone.inverted, curve=tone.curve)
    window = tone.voi if isinstance(tone.voi, Window) else None
    return shut(volume, view, cut, image), window


def _colour_bars(shown: tuple[Layer, ...], tints: tuple[Tint, ...]) -> tuple[ColourBar, ...]:
    """Of each layer as it was tinted, the topmost first."""
    pairs = reversed(tuple(zip(shown, tints, strict=True)))
    return tuple(
        bar for layer, painted in pairs for bar in legend(layer.map, _style(layer), painted)
    )


def _graphics(volume: Volume, view: View, cut: Cut, part: Part | None) -> tuple[Tint, ...]:
    """What the file and its presentation state lay over the image, beneath all maps (R30)."""
    noted = drawn_by_look(volume, view, cut)
    return (*_planes(volume, cut, part), *(() if noted is None else (noted,)))


def _planes(volume: Volume, cut: Cut, part: Part | None) -> tuple[Tint, ...]:
    """The overlay planes of the file, in white."""
    if volume.graphics is None:
        return ()
    if part is None:
        mask = np.nan_to_num(cut.take(volume.graphics.view(np.uint8), overlay=True)) > 0
    else:
        mask = np.asarray(take(cut, volume.graphics, part, highest=True), dtype=bool)
    places = mask.view(np.uint8)
    return (Tint(np.ascontiguousarray(places), _WHITE),) if places.any() else ()


def _tint(layer: Layer, cut: Cut, part: Part | None) -> Tint:
    """One layer on the drawn pixels."""

    def laid(shown: ScalarMap) -> NDArray[np.generic]:
        _check_grid(shown, cut.source)
        discrete = shown.kind in NEAREST_KINDS
        if part is None:
            return cut.take(shown.array, overlay=True, nearest=discrete)
        return take(cut, shown.array, part, highest=discrete)

    values = laid(layer.map)
    fade = None if layer.fade is None else certainty(laid(layer.fade), layer.fade.range)
    return tint(values, _style(layer), fade)


def _style(layer: Layer) -> LayerStyle:
    """The style as asked for; zero is never drawn where it means "none" (masks, labels)."""
    if layer.map.kind in NEAREST_KINDS:
        return replace(layer.style, threshold=max(layer.style.threshold, 0.5))
    return layer.style


def _check_grid(shown: ScalarMap, grid: Geometry) -> None:
    if shown.geometry is not grid and not shown.geometry.same_grid(grid):
        raise GeometryError(
            f"the map {shown.title or shown.name} does not lie on the grid of this series",
            do="Show it on the series it was made from.",
        )


def _pixel_of(
    to_lps: NDArray[np.float64], point_lps: tuple[float, float, float]
) -> tuple[float, float]:
    """Where a point of the patient falls on the drawn pixels, at a right angle to them."""
    away = np.asarray(point_lps) - to_lps[:3, 3]
    axes = to_lps[:3, :2].T
    x, y = np.linalg.solve(axes @ axes.T, axes @ away)
    return float(x), float(y)


def _position(volume: Volume, cut: Cut, at: tuple[float, float]) -> str:
    """Where the slice is, such as "H 12.0 mm": the axis of the patient that it steps along."""
    geometry = volume.geometry
    if volume.is_film or not geometry.orientation_known or geometry.spacing_kind != "patient":
        return ""
    world = cut.grid.axis_of.index(cut.layout.cut)
    place = cut.pixel_to_lps @ np.array([at[0], at[1], 0.0, 1.0])
    mm = round(float(place[world]), 1)
    return f"{_LETTERS[world][0 if mm >= 0 else 1]} {abs(mm):.1f} mm"


def _values(
    volume: Volume, layers: tuple[Layer, ...], point_lps: tuple[float, float, float]
) -> dict[str, float | None]:
    """Value of the image and of every map in the voxel that holds the point."""
    image = None if volume.is_colour else _value(volume.array, volume.geometry, point_lps)
    if image is not None and _slice_of(volume.geometry, point_lps) in volume.missing_slices:
        image = None
    values = {"image": image}
    for layer in layers:
        for shown in (layer.map, layer.fade):
            if shown is not None:
                values[shown.name] = _value(shown.array, shown.geometry, point_lps)
    return values


def _slice_of(geometry: Geometry, point_lps: tuple[float, float, float]) -> int:
    return int(np.rint(geometry.to_index(point_lps)[0]))


def _value(
    array: NDArray[np.generic], geometry: Geometry, point_lps: tuple[float, float, float]
) -> float | None:
    """Value of the voxel that holds a point; None outside and for NaN."""
    k, j, i = (int(n) for n in np.rint(geometry.to_index(point_lps)))
    if not all(0 <= n < size for n, size in zip((k, j, i), geometry.shape, strict=True)):
        return None
    value = float(array[k, j, i])
    return value if np.isfinite(value) else None


def _corners(
    volume: Volume,
    shown: tuple[Layer, ...],
    view: View,
    *,
    cut: Cut,
    window: Window | None,
    at: tuple[float, float],
) -> Corners:
    """Texts that follow from what is drawn; whose images they are, the caller adds."""
    if view.annotations == "none":
        return Corners(bottom_right=(RESEARCH_ONLY,))
    place = _place_lines(volume, view, cut, at)
    grey_lines = (*_grey_lines(volume, view, window), *_look_lines(volume, view, cut))
    titles = tuple(_sentence(layer.map.title or layer.map.name) for layer in shown)
    guessed = (INTERPOLATED,) if cut.between_slices else ()
    doubtful = (*_doubt_lines(volume), *guessed)
    return Corners(
        top_right=place[:2] if view.annotations == "all" else place[:1],
        bottom_left=(*doubtful, *(grey_lines if view.annotations == "all" else grey_lines[:1])),
        bottom_right=(*titles, RESEARCH_ONLY),
    )


def _doubt_lines(volume: Volume) -> tuple[str, ...]:
    """What is doubtful about the image, two warnings a line: it is part of the volume."""
    words = doubts(volume.warnings, len(volume.missing_slices))
    return tuple(_sentence(" · ".join(words[n : n + 2])) for n in range(0, len(words), 2))


def _lean(cut: Cut, view: View) -> float:
    """Degrees between an oblique plane and the straight one; 0 for that."""
    if not cut.is_oblique:
        return 0.0
    straight = plane_axes(cut.source, replace(view, tilt=STRAIGHT))
    return lean_of(view.tilt, straight[:, cut.layout.cut])


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _place_lines(volume: Volume, view: View, cut: Cut, at: tuple[float, float]) -> tuple[str, ...]:
    """Which slice of how many, and where; nothing for a film."""
    if volume.is_film:
        return ()
    axis = cut.layout.cut
    name = "Im" if axis == 0 and not cut.is_oblique else view.plane.value.capitalize()
    size = f"{cut.step_mm:.1f} mm" if volume.geometry.spacing_kind == "patient" else ""
    leans = f"tilted {_lean(cut, view):.0f}°" if cut.is_oblique else ""
    second = " · ".join(text for text in (_position(volume, cut, at), size, leans) if text)
    lines = (f"{name} {cut.index + 1} / {cut.grid.shape[axis]}", second)
    return tuple(line for line in lines if line)


def _grey_lines(volume: Volume, view: View, window: Window | None) -> tuple[str, ...]:
    """Window, slab and inversion in the words of the corner."""
    lines = []
    if window is not None:
        lines.append(f"W {_short(window.width)}  L {_short(window.level)}")
    elif not volume.is_colour:
        lines.append("Look-up table")
    if view.slab_mm > 0:
        lines.append(f"{_SLAB_NAMES[view.slab_mode]} {_short(view.slab_mm)} mm")
    if view.inverted:
        lines.append("Inverted")
    return tuple(lines)


def _look_lines(volume: Volume, view: View, cut: Cut) -> tuple[str, ...]:
    """Which presentation state the slice is shown by."""
    look = look_of(volume, view)
    covers = look is not None and look.covers(slice_of_grey(volume, cut))
    return (f"State: {look.state.label}",) if look is not None and covers else ()


def _short(number: float) -> str:
    """A number as short as it can be read: whole from 10 on, else three figures."""
    text = f"{number:.0f}" if abs(number) >= 10 else f"{number:.3g}"
    return text.replace("-", "\u2212")
