"""Overlays as tints: colour from the range, transparency from threshold, opacity and fading."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from medview.domain.overlay import LayerStyle, ScalarMap
from medview.domain.report import ColourBar
from medview.imaging.colour import colour_table
from medview.imaging.tint import Tint

# Pixels that are coloured in one go: what lies between stays in the processor's cache.
_AT_ONCE = 1 << 16


def tint(
    values: NDArray[np.generic], style: LayerStyle, fade: NDArray[np.float32] | None = None
) -> Tint:
    """Colour a plane of map values, (h, w).

    Colours span ``style.range``; values below ``style.threshold`` and NaN are fully
    transparent; the rest has ``style.opacity`` times `fade`, (h, w) in 0..1, if given. With
    ``style.outline`` only pixels beside a transparent one are drawn.
    """
    rows, columns = values.shape
    alpha = _byte(style.opacity)
    places = np.zeros((rows, columns), np.uint8)
    left = None if fade is None else np.zeros((rows, columns), np.uint8)
    # A clear pixel has the first colour's place, where no value that is drawn has that itself.
    is_first_clear = fade is None and place_of(style.threshold, style) > 0
    drawn = None if is_first_clear or fade is not None else np.zeros((rows, columns), np.bool_)
    inside = np.asarray(values, np.float32) >= style.threshold if style.outline else None
    edge = None if inside is None else _edge(inside)
    step = max(1, _AT_ONCE // max(columns, 1))
    room = np.empty((min(step, rows), columns), np.float32)
    for row in range(0, rows, step):
        part = slice(row, row + step)
        numbers = np.ascontiguousarray(values[part], dtype=np.float32)
        shown = numbers >= np.float32(style.threshold) if edge is None else edge[part]
        if not shown.any():
            continue
        _place_all(numbers, style, room[: len(numbers)], places[part])
        if fade is not None and left is not None:
            _fade(fade[part], alpha, shown, left[part])
        elif drawn is not None:
            drawn[part] = shown
        else:
            places[part] *= shown
    return Tint(places, _colours(style.colour_map, alpha, is_first_clear), drawn, left)


def _fade(
    fade: NDArray[np.float32], alpha: int, shown: NDArray[np.bool_], out: NDArray[np.uint8]
) -> None:
    """What a share of 0 to 1 leaves of `alpha` where it is shown."""
    left = fade * np.float32(alpha)
    left += np.float32(0.5)
    np.multiply(left.astype(np.uint8), shown, out=out)


def _place_all(
    numbers: NDArray[np.float32],
    style: LayerStyle,
    room: NDArray[np.float32],
    out: NDArray[np.uint8],
) -> None:
    """Place of each value in the table of colours; any for NaN. `room` is written over."""
    low, high = style.range
    scale = np.float32(255 / max(high - low, 1e-12))
    if low:
        np.subtract(numbers, np.float32(low), out=room)
        room *= scale
    else:
        np.multiply(numbers, scale, out=room)
    # Seldom is anything above the range; what is below it is below the threshold, too.
    if low > style.threshold or not room.max() <= 255:
        np.clip(room, np.float32(0), np.float32(255), out=room)
    room += np.float32(0.5)
    with np.errstate(invalid="ignore"):  # what NaN becomes is not shown
        np.copyto(out, room, casting="unsafe")


def place_of(value: float, style: LayerStyle) -> int:
    """The place of one value in the table of colours; no larger value has a lower one."""
    number, out = np.full((1, 1), value, np.float32), np.zeros((1, 1), np.uint8)
    _place_all(number, style, np.empty_like(number), out)
    return int(out[0, 0])


def _edge(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of a region that have a neighbour (up, down, left, right) outside of it."""
    round_ = np.pad(inside, 1)
    within = round_[:-2, 1:-1] & round_[2:, 1:-1] & round_[1:-1, :-2] & round_[1:-1, 2:]
    return inside & ~within


def certainty(values: NDArray[np.generic], span: tuple[float, float]) -> NDArray[np.float32]:
    """How much an uncertainty leaves of the opacity: 1 at the low end of `span`, 0 at the high.

    Where the uncertainty is not known (NaN) nothing is left: unknown is not certain.
    """
    low, high = span
    scale = -1 / max(high - low, 1e-12)
    share = np.ascontiguousarray(values, dtype=np.float32) * np.float32(scale)
    share += np.float32(1 - low * scale)
    np.fmin(np.fmax(share, 0, out=share), 1, out=share)
    return share


def colour_bar(shown: ScalarMap, style: LayerStyle) -> ColourBar:
    """The legend of a map as `tint` colours it."""
    low, high = style.range
    colours = colour_table(style.colour_map)[:, :3]
    if shown.kind == "mask":
        # All of a mask is 1: a bar with numbers would tell nothing, its name and colour do.
        place = np.clip(255 * (1 - low) / max(high - low, 1e-12), 0, 255).round().astype(int)
        colours = colours[place : place + 1]
    return ColourBar(
        colours=colours,
        low=low,
        high=high,
        threshold=style.threshold,
        unit=shown.unit,
        title=shown.title or shown.name,
    )


def legend(shown: ScalarMap, style: LayerStyle, drawn: Tint) -> tuple[ColourBar, ...]:
    """The legend of a map as it is `drawn`: of named labels, colour and name of those seen there.

    They come in the order of the labels. A map of labels without names has its numbers.
    """
    if shown.kind != "labels" or not shown.labels:
        return (colour_bar(shown, style),)
    table, there = colour_table(style.colour_map)[:, :3], set(np.unique(drawn.places).tolist())
    places = {place_of(value, style): value for value in range(len(shown.labels), 0, -1)}
    values = sorted(value for place, value in places.items() if place in there)
    return tuple(
        ColourBar(
            colours=table[[place_of(value, style)]],
            low=value,
            high=value,
            threshold=None,
            unit="",
            title=shown.labels[value - 1][:1].upper() + shown.labels[value - 1][1:],
            is_label=True,
        )
        for value in values
        if value >= style.threshold
    )


def _byte(share: float) -> int:
    return int(min(max(share, 0.0), 1.0) * 255 + 0.5)


@lru_cache(maxsize=64)
def _colours(name: str, alpha: int, is_first_clear: bool) -> NDArray[np.uint8]:
    """Colours of a map with an alpha, (256, 4), read-only."""
    table = colour_table(name).copy()
    table[:, 3] = alpha
    if is_first_clear:
        table[0] = 0
    table.setflags(write=False)
    return table
