"""A presentation state on a pane: its grey, its shutter, its drawings, its turn and its part.

All of it is counted on the image as it is stored, so the turn of a view moves it along; only
texts are drawn upright.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from medview.domain.geometry import Plane
from medview.domain.presentation import Drawing, Look, Shutter, Voi
from medview.domain.volume import ValueTable, Volume
from medview.imaging.intensity import default_voi
from medview.imaging.reslice import Cut, Layout, cut_of
from medview.imaging.tint import Tint
from medview.imaging.view import View

Mask = NDArray[np.bool_]
Points = NDArray[np.float64]

_ROUND = 90
# Lines and letters as large as this many rows ask for.
_LINE_ROWS, _LETTER_ROWS, _SMALLEST_LETTER = 700, 40, 10
_GREYS = np.insert(np.arange(256, dtype=np.uint8)[:, None].repeat(3, 1), 3, 255, axis=1)


# ------------------------------------------------------------------------- which state


def look_of(volume: Volume, view: View) -> Look | None:
    """The state that a view shows the volume by; None when it is shown as stored."""
    return next((look for look in volume.looks if look.state.uid == view.look), None)


def newest_look(volume: Volume) -> Look | None:
    """The state that is shown first: the newest one about the middle slice, else the newest."""
    middle = volume.geometry.shape[0] // 2
    about = [look for look in volume.looks if look.covers(middle)]
    return next(reversed((*volume.looks, *about)), None)


def presented(volume: Volume, view: View, look: Look | None) -> View:
    """The view with a state's turn and part, its window left to the state; None: as stored.

    Images that are turned or drawn on by a state are shown as they are stored, then turned.
    """
    view = replace(view, window=None, inverted=False, look="" if look is None else look.state.uid)
    if look is None:
        return view
    state = look.state
    is_flat = state.drawings or state.shutters or state.areas
    if is_flat and not is_stored_slice(cut_of(volume.geometry, view)):
        view = replace(view, plane=Plane.ACQUIRED)
    if state.rotate or state.flip:
        # A view is mirrored first and then turned the other way round: the same picture.
        rotate = (360 - state.rotate) % 360 if state.flip else state.rotate
        view = replace(view, plane=Plane.ACQUIRED, flip_h=state.flip, flip_v=False, rotate=rotate)
    return _on_area(volume, view, look)


def _on_area(volume: Volume, view: View, look: Look) -> View:
    """The view zoomed so that all of the state's part is seen, in the middle."""
    cut = cut_of(volume.geometry, view)
    area = look.area(cut.index) if is_stored_slice(cut) and look.covers(cut.index) else None
    if area is None:
        return view
    corners = _on_screen(
        np.array([(area.left, area.top), (area.right, area.bottom)]), cut.layout, cut.grid.shape
    )
    size = [cut.grid.shape[axis] for axis in reversed(cut.layout.shape_axes)]
    wide = np.abs(corners[1] - corners[0]) + 1
    away = (np.array(size) - 1) / 2 - corners.mean(axis=0)
    x, y = (float(n) for n in away * cut.pixel_mm)
    return replace(view, zoom=float((np.array(size) / wide).min()), pan_mm=(x, y))


def is_stored_slice(cut: Cut) -> bool:
    """Say whether a cut is one slice as the files have it."""
    return cut.is_stored and cut.first == cut.last


# -------------------------------------------------------------------------------- grey


@dataclass(frozen=True, slots=True, eq=False)
class Tone:
    """How values turn to grey: window or table, a curve after it, and the polarity."""

    voi: Voi
    inverted: bool
    curve: ValueTable | None = None


def tone_of(volume: Volume, view: View, k: int) -> Tone:
    """How a slice turns to grey in a view: the reader's window, else the state's, else its own."""
    look = look_of(volume, view)
    if look is None or not look.covers(k):
        return Tone(view.window or default_voi(volume), volume.inverted != view.inverted)
    own = look.vois[k][0] if look.vois[k] else default_voi(volume)
    inverted = volume.inverted if look.state.inverted is None else look.state.inverted
    return Tone(view.window or own, inverted != view.inverted, look.state.curve)


def slice_of_grey(volume: Volume, cut: Cut) -> int:
    """The slice whose grey a cut has: the stored one, the middle of a slab or of the volume."""
    is_stored = cut.is_stored
    return cut.index if is_stored else volume.geometry.shape[0] // 2


def voi_in_use(volume: Volume, view: View) -> Voi:
    """The window or table that a view shows the volume with."""
    return tone_of(volume, view, slice_of_grey(volume, cut_of(volume.geometry, view))).voi


# ------------------------------------------------------------------------ what is shut


def shut(volume: Volume, view: View, cut: Cut, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The drawn pixels with what the state's shutters close filled; they stay as they are."""
    look = look_of(volume, view)
    if look is None or not look.state.shutters:
        return image
    if not is_stored_slice(cut) or not look.covers(cut.index):
        return image
    closed = cut.layout.lay(_closed(look.state.shutters, cut.grid.shape, _aspect(cut)))
    filled = image.copy()
    filled[closed] = look.state.closed_grey
    return filled


def _aspect(cut: Cut) -> float:
    """Height of a stored pixel over its width."""
    _, j, i = cut.source.spacing_mm
    return j / i


@lru_cache(maxsize=8)
def _closed(shutters: tuple[Shutter, ...], shape: tuple[int, int, int], aspect: float) -> Mask:
    """(1, rows, columns): what any shutter closes."""
    rows, columns = shape[1:]
    row, column = np.ogrid[1 : rows + 1, 1 : columns + 1]
    closed = np.zeros((rows, columns), bool)
    for each in shutters:
        closed |= ~_OPEN[each.shape](row, column, each.values, aspect)
    return closed


def _in_rectangle(
    row: NDArray[np.int64], column: NDArray[np.int64], values: tuple[float, ...], _: float
) -> Mask:
    left, right, top, bottom = values
    return (column >= left) & (column <= right) & (row >= top) & (row <= bottom)


def _in_circle(
    row: NDArray[np.int64], column: NDArray[np.int64], values: tuple[float, ...], aspect: float
) -> Mask:
    middle, centre, radius = values
    return np.asarray((column - centre) ** 2 + ((row - middle) * aspect) ** 2 <= radius**2)


def _in_polygon(
    row: NDArray[np.int64], column: NDArray[np.int64], values: tuple[float, ...], _: float
) -> Mask:
    picture = Image.new("1", (column.size, row.size))
    corners = [(x - 1, y - 1) for y, x in zip(values[::2], values[1::2], strict=True)]
    ImageDraw.Draw(picture).polygon(corners, fill=1, outline=1)
    return np.array(picture, dtype=bool)


_OPEN: dict[
    str,
    Callable[[NDArray[np.int64], NDArray[np.int64], tuple[float, ...], float], Mask],
] = {"RECTANGULAR": _in_rectangle, "CIRCULAR": _in_circle, "POLYGONAL": _in_polygon}


# ----------------------------------------------------------------------- what is drawn


def is_drawn_on(volume: Volume, view: View) -> bool:
    """Whether the state that a view shows the volume by closes or draws on any of it."""
    look = look_of(volume, view)
    return look is not None and bool(look.state.drawings or look.state.shutters)


def drawn(volume: Volume, view: View, cut: Cut) -> Tint | None:
    """What the state draws on a stored slice, as laid on the screen."""
    look = look_of(volume, view)
    if look is None or not is_stored_slice(cut) or not look.covers(cut.index):
        return None
    return _drawn(look, cut.index, cut.layout, cut.grid.shape)


@lru_cache(maxsize=8)
def _drawn(look: Look, k: int, layout: Layout, shape: tuple[int, int, int]) -> Tint | None:
    drawings = look.drawings(k)
    if not drawings:
        return None
    rows, columns = (shape[axis] for axis in layout.shape_axes)
    picture = Image.new("LA", (columns, rows))
    pen = ImageDraw.Draw(picture)
    for drawing in drawings:
        # The pen counts from the centre of the first pixel.
        points = _on_screen(np.array(drawing.points) - 0.5, layout, shape)
        _draw(pen, drawing, points, shape[1])
    grey, alpha = (np.ascontiguousarray(np.asarray(picture)[..., n]) for n in range(2))
    return Tint(grey, _GREYS, alpha=alpha)


def _on_screen(points: Points, layout: Layout, shape: tuple[int, int, int]) -> Points:
    """Points (column, row) of the stored slice, (n, 2), as (x, y) of the drawn pixels."""
    index = {2: points[:, 0], 1: points[:, 1]}
    placed = [
        index[axis] if sign > 0 else shape[axis] - 1 - index[axis]
        for axis, sign in (layout.right, layout.down)
    ]
    return np.stack(placed, axis=1)


def _draw(pen: ImageDraw.ImageDraw, drawing: Drawing, points: Points, rows: int) -> None:
    ink, wide = (drawing.grey, 255), max(1, round(rows / _LINE_ROWS))
    if drawing.kind == "TEXT":
        font = ImageFont.load_default(max(_SMALLEST_LETTER, rows // _LETTER_ROWS))
        pen.text((points[:, 0].min(), points[:, 1].min()), drawing.text, fill=ink, font=font)
    elif drawing.kind == "POINT":
        arm = 2 * wide
        for x, y in points:
            pen.line([(x - arm, y), (x + arm, y)], fill=ink, width=wide)
            pen.line([(x, y - arm), (x, y + arm)], fill=ink, width=wide)
    else:
        if drawing.kind in ("CIRCLE", "ELLIPSE"):
            points = _outline(drawing.kind, points)
        corners = [(round(x), round(y)) for x, y in points]
        if drawing.filled:
            pen.polygon(corners, fill=ink, outline=ink)
        else:
            pen.line(corners, fill=ink, width=wide)


def _outline(kind: str, points: Points) -> Points:
    """Points along a circle (centre, point on it) or an ellipse (ends of both axes)."""
    if kind == "CIRCLE":
        centre, first = points[0], points[1] - points[0]
        second = np.array([-first[1], first[0]])
    else:
        centre = points[:4].mean(axis=0)
        first, second = (points[1] - points[0]) / 2, (points[3] - points[2]) / 2
    angle = np.linspace(0, 2 * np.pi, _ROUND + 1)[:, None]
    return np.asarray(centre + np.cos(angle) * first + np.sin(angle) * second)
