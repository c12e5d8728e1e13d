"""A plot of a report as vector drawing, with its numbers as text of the page."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from html import escape

from medview.domain.report import Plot
from medview.domain.wording import number

WIDTH, HEIGHT = 720.0, 160.0
# In half of a line the drawing is smaller, not its dots and lines.
HALF_WIDTH, HALF_HEIGHT = 340.0, 210.0
_ACCENT, _BAND, _DOT, _GRID, _GUIDE = "#2f6ea5", "#d6e2ee", "#a9b6c4", "#e4e8ec", "#5d6673"
ORANGE = "#c26a12"
_DOT_RADIUS = 2.2


def plot_html(plot: Plot, *, half: bool = False) -> str:
    """Lay a plot out: the drawing as SVG, ticks and labels as text beside it.

    One that has half of a line is as high as one that has all of it, and more.
    """
    size = (HALF_WIDTH, HALF_HEIGHT) if half else (WIDTH, HEIGHT)
    wide, high = size
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" '
        f'width="{wide:g}" height="{high:g}">{shapes(plot, wide, high)}</svg>'
    )
    source = f"data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}"
    across = "".join(
        f'<i class="x" style="left: {100 * part(value, plot.x):.2f}%">{tick(value)}</i>'
        for value in ticks(plot.x)
    )
    up = "".join(
        f'<i class="y" style="top: {100 * (1 - part(value, plot.y)):.2f}%">{tick(value)}</i>'
        for value in ticks(plot.y)
    )
    return (
        f'<figure class="plot"><div class="label">{escape(plot.labels[1])}</div>'
        f'<div class="field"><img alt="{escape(plot.alt)}" src="{source}">{up}{across}</div>'
        f'<div class="label below">{escape(plot.labels[0])}</div>'
        f"<figcaption>{escape(plot.caption)}</figcaption></figure>"
    )


def ticks(bounds: tuple[float, float]) -> tuple[float, ...]:
    """Round numbers within the bounds, three to seven of them."""
    low, high = bounds
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return ()
    power = 10.0 ** math.floor(math.log10(span))
    steps = (power * part for part in (0.2, 0.5, 1.0, 2.0, 5.0))
    step = next(each for each in steps if span / each <= 6)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(n * step for n in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class _Canvas:
    """Where a plot is drawn, so wide and so high in units of the drawing."""

    plot: Plot
    wide: float
    high: float

    def place(self, point: tuple[float, float]) -> tuple[float, float]:
        """Where a point of the axes lies."""
        plot = self.plot
        return self.wide * part(point[0], plot.x), self.high * (1 - part(point[1], plot.y))

    def points(self, points: list[tuple[float, float]]) -> str:
        """Points for SVG."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self.place, points))


def shapes(plot: Plot, wide: float, high: float) -> str:
    """The lines and dots of a plot as elements of an SVG, so wide and so high, without text."""
    on = _Canvas(plot, wide, high)
    parts = [
        *(_line([(x, plot.y[0]), (x, plot.y[1])], on, _GRID, 0.8) for x in ticks(plot.x)),
        *(_line([(plot.x[0], y), (plot.x[1], y)], on, _GRID, 0.8) for y in ticks(plot.y)),
    ]
    if plot.band:
        outline = [(x, high) for x, _, high in plot.band]
        outline += [(x, low) for x, low, _ in reversed(plot.band)]
        parts.append(f'<polygon points="{on.points(outline)}" fill="{_BAND}"/>')
    for point in plot.dots:
        x, y = on.place(point)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_DOT_RADIUS}" fill="{_DOT}"/>')
    if plot.guide:
        parts.append(_line(list(plot.guide), on, _GUIDE, 1.0, 'stroke-dasharray="5 4"'))
    if plot.mark is not None:
        ends = [(plot.mark, plot.y[0]), (plot.mark, plot.y[1])]
        parts.append(_line(ends, on, ORANGE, 1.4, 'stroke-dasharray="5 4"'))
    if plot.line:
        parts.append(_line(list(plot.line), on, _ACCENT, 1.8))
    if plot.patient is not None:
        parts += _patient(plot.patient, on)
    return "".join(parts)


def _patient(patient: tuple[float, float, float | None, float | None], on: _Canvas) -> list[str]:
    at, value, low, high = patient
    x, y = on.place((at, value))
    parts = []
    if low is not None and high is not None:
        parts.append(_line([(at, low), (at, high)], on, _ACCENT, 2.2))
    return [*parts, f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{_ACCENT}"/>']


def _line(
    points: list[tuple[float, float]], on: _Canvas, colour: str, width: float, more: str = ""
) -> str:
    return (
        f'<polyline points="{on.points(points)}" fill="none" stroke="{colour}" '
        f'stroke-width="{width:g}" {more}/>'
    )


def part(value: float, bounds: tuple[float, float]) -> float:
    """Where a value lies between the bounds, 0 to 1; values outside lie on the edge."""
    return min(1.0, max(0.0, (value - bounds[0]) / ((bounds[1] - bounds[0]) or 1.0)))


def tick(value: float) -> str:
    """A number at an axis, without zeros behind it."""
    text = number(value, 2)
    return text.rstrip("0").rstrip(".") if "." in text else text
