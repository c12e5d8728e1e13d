"""Means over pixels of the screen that are no whole number of pixels of a slice.

Every pixel of the screen has the mean of exactly the area that it covers. Values between two
pixels that are merely looked up would lay waves over fine structures, such as the lines of a
grid on a film, that are not in the patient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

# Pixels of the screen whose means are one product: few enough that little of it is zeros.
_AT_ONCE = 32
# Of a pixel that reaches so little into a block nothing is seen of it.
_TOUCH = 1e-6


class Span(NamedTuple):
    """Pixels of the screen along one side, in pixels of a plane: where the first begins, how
    wide each is (1 or more) and how many there are.
    """

    start: float
    wide: float
    number: int


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """Which pixels of a plane every pixel of the screen touches along one side, and how much.

    `first` (n,) and `shares` (n, m), which sum up to 1; `begin` and `end` of all that is touched.
    """

    first: NDArray[np.int64]
    shares: NDArray[np.float32]
    begin: int
    end: int


def averaged(plane: NDArray[np.generic], down: Span, right: Span) -> NDArray[np.generic]:
    """The mean of `plane`, (h, w) or (h, w, 3), over every pixel of the screen; of the same type.

    Whole numbers are rounded; NaN does not count unless all that a pixel covers is NaN. A pixel
    that reaches beyond the plane has the mean of what there is.
    """
    rows, columns = _side(down, plane.shape[0]), _side(right, plane.shape[1])
    values = plane[rows.begin : rows.end, columns.begin : columns.end]
    known = None if plane.dtype.kind != "f" else np.isfinite(values)
    if known is None or known.all():
        return _mean(values, rows, columns, plane.dtype)
    total = _mean(np.where(known, values, 0), rows, columns, plane.dtype)
    share = _mean(known, rows, columns, plane.dtype)
    made = np.full(total.shape, np.nan, plane.dtype)
    np.divide(total, share, out=made, where=share > _TOUCH)
    return made


def highest_in(plane: NDArray[np.generic], down: Span, right: Span) -> NDArray[np.generic]:
    """The highest value that every pixel of the screen touches: nothing of a mask is lost."""
    rows, columns = _side(down, plane.shape[0]), _side(right, plane.shape[1])
    values = plane[rows.begin : rows.end, columns.begin : columns.end]
    return _peak(_peak(values, rows, 0), columns, 1)


def _side(span: Span, size: int) -> _Side:
    edges = np.clip(span.start + span.wide * np.arange(span.number + 1.0), 0, size)
    low, high = edges[:-1], edges[1:]
    first = np.minimum(np.floor(low + _TOUCH).astype(np.int64), size - 1)
    reach = int(np.ceil(span.wide)) + 1
    ends = first[:, None] + np.arange(reach + 1)
    held = np.clip(ends.astype(np.float64), low[:, None], high[:, None])
    shares = held[:, 1:] - held[:, :-1]
    shares[shares < _TOUCH] = 0
    # Beside the plane there is nothing to share: its last pixel stands for it.
    shares[shares.sum(axis=1) == 0, 0] = 1
    shares /= shares.sum(axis=1, keepdims=True)
    begin, end = int(first.min()), int(min(first.max() + reach, size))
    return _Side(first - begin, shares.astype(np.float32), begin, end)


def _mean(
    values: NDArray[np.generic], rows: _Side, columns: _Side, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """(n, m, ...) of (h, w, ...): down and to the right, a few at a time by small matrices.

    A few rows go all the way, so that what lies between stays in the processor's cache. On one
    thread: products as small as these only wait for each other on several.
    """
    with _threads().limit(limits=1):
        return _mean_of_rows(values, rows, columns, dtype)


@cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()


def _mean_of_rows(
    values: NDArray[np.generic], rows: _Side, columns: _Side, dtype: np.dtype[Any]
) -> NDArray[Any]:
    across = tuple(_products(columns, values.shape[1]))
    made = np.empty((len(rows.first), len(columns.first), *values.shape[2:]), dtype)
    for some, touched, weights in _products(rows, len(values)):
        flat = np.asarray(values[touched], np.float32).reshape(weights.shape[1], -1)
        down = (weights @ flat).reshape(len(weights), values.shape[1], -1)
        # Colours one behind the other: products want what they add up to lie close together.
        lines = np.moveaxis(down, 2, 0).reshape(-1, values.shape[1])
        means = np.empty((len(lines), len(columns.first)), np.float32)
        for part, seen, shares in across:
            np.matmul(lines[:, seen], shares.T, out=means[:, part])
        if made.dtype.kind != "f":
            np.rint(means, out=means)
        each = np.moveaxis(means.reshape(-1, *made[some].shape[:2]), 0, 2)
        made[some] = each.reshape(made[some].shape)
    return made


def _products(side: _Side, size: int) -> Iterator[tuple[slice, slice, NDArray[np.float32]]]:
    """Some pixels of the screen, those of the plane that they touch, and how much of each."""
    reach = np.arange(side.shares.shape[1])
    for start in range(0, len(side.first), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        first, shares = side.first[some], side.shares[some]
        begin, end = int(first[0]), int(first[-1]) + len(reach)
        weights = np.zeros((len(first), end - begin), np.float32)
        weights[np.arange(len(first))[:, None], (first - begin)[:, None] + reach] = shares
        # Beyond the last pixel of the plane nothing is touched.
        end = min(end, size)
        yield some, slice(begin, end), weights[:, : end - begin]


def _peak(values: NDArray[np.generic], side: _Side, axis: int) -> NDArray[np.generic]:
    last = values.shape[axis] - 1
    made = np.take(values, side.first, axis=axis)
    higher: Callable[..., Any] = np.fmax
    for n in range(1, side.shares.shape[1]):
        # What is not touched gives way to the first, which counts already.
        places = np.where(side.shares[:, n] > 0, side.first + n, side.first)
        higher(made, np.take(values, np.minimum(places, last), axis=axis), out=made)
    return made
