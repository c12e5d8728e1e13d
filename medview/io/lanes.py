"""Bars, and variables of a stay below each other, as vector drawings with text of the page."""

from __future__ import annotations

import base64
from html import escape

from medview.domain.report import Bar, Bars, Lane, Lanes
from medview.io.plots import ORANGE, ticks

_WIDTH, _HIGH = 600.0, 26.0
# Drawings in half of a line are stretched less than those that have all of it.
_HALF_WIDTH = 300.0
# Points that lie closer are drawn as a line only.
_LEAST_APART = 8.0
_ACCENT, _QUIET, _GRID, _TRACK = "#2f6ea5", "#8f99a5", "#e4e8ec", "#eef1f4"


def bars_html(bars: Bars, *, half: bool = False) -> str:
    """Lay bars out: a name, the bar with its interval, the figure."""
    wide = _HALF_WIDTH if half else _WIDTH
    rows = [_row(each.label, _bar(each, bars.x, wide), each.words) for each in bars.rows]
    return _whole("barred", "".join(rows), bars.alt, bars.caption)


def lanes_html(lanes: Lanes, *, half: bool = False) -> str:
    """Lay variables out: a name, its course, the range of its values; below the hours."""
    wide = _HALF_WIDTH if half else _WIDTH
    rows = [_row(each.name, _lane(each, lanes, wide), each.words) for each in lanes.rows]
    hours = "".join(
        f'<i style="left: {100 * hour / lanes.hours:.2f}%">{hour:g}</i>'
        for hour in ticks((0.0, lanes.hours))
    )
    axis = f'<tr class="hours"><td></td><td><div>{hours}</div></td><td>{lanes.unit}</td></tr>'
    return _whole("laned", "".join(rows) + axis, lanes.alt, lanes.caption)


def _row(name: str, drawing: str, words: str) -> str:
    source = f"data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}"
    image = f'<img alt="{escape(f"{name}: {words}")}" src="{source}">'
    return (
        f'<tr><td class="name">{escape(name)}</td><td class="track">{image}</td>'
        f'<td class="figure">{escape(words)}</td></tr>'
    )


def _whole(kind: str, rows: str, alt: str, caption: str) -> str:
    """The table with its caption; what it shows in words is said once for all rows."""
    return (
        f'<figure class="{kind}" aria-label="{escape(alt)}"><table>{rows}</table>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _bar(row: Bar, x: tuple[float, float], wide: float) -> str:
    def place(value: float) -> float:
        return wide * min(1.0, max(0.0, (value - x[0]) / (x[1] - x[0])))

    zero, end = place(0.0), place(row.value)
    left, right = min(zero, end), max(zero, end)
    parts = [
        f'<rect x="0" y="7" width="{wide:g}" height="12" fill="{_TRACK}"/>',
        f'<rect x="{left:.1f}" y="7" width="{right - left:.1f}" height="12" fill="{_ACCENT}"/>',
    ]
    if x[0] < 0:
        parts.append(f'<path d="M{zero:.1f} 0V{_HIGH:g}" stroke="{_QUIET}" stroke-width="1.4"/>')
    if row.low is not None and row.high is not None:
        low, high = place(row.low), place(row.high)
        parts.append(
            f'<path d="M{low:.1f} 13H{high:.1f}M{low:.1f} 4V22M{high:.1f} 4V22" '
            'stroke="#1b1f24" stroke-width="2" fill="none"/>'
        )
    return _svg("".join(parts), wide)


def _lane(row: Lane, lanes: Lanes, wide: float) -> str:
    """Filled points measured, hollow ones carried on, the film's hour dashed."""
    values = [value for _, value in (*row.measured, *row.carried)] or [0.0]
    low, high = min(values), max(values)
    span = (high - low) or 1.0

    def place(hour: float, value: float) -> tuple[float, float]:
        y = _HIGH - 4 - (_HIGH - 8) * ((value - low) / span if high > low else 0.5)
        return 4 + (wide - 8) * min(1.0, max(0.0, hour / lanes.hours)), y

    parts = [f'<path d="M0 {_HIGH - 0.5}H{wide:g}" stroke="{_GRID}"/>']
    if lanes.mark is not None:
        x, _ = place(lanes.mark, low)
        parts.append(
            f'<path d="M{x:.1f} 0V{_HIGH:g}" stroke="{ORANGE}" stroke-width="1.6" '
            'stroke-dasharray="4 3"/>'
        )
    radius = 2.2 if wide == _WIDTH else 1.6
    every = sorted((*row.measured, *row.carried))
    course = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in every)
    parts.append(f'<polyline points="{course}" fill="none" stroke="{_QUIET}" stroke-width="1"/>')
    for points, look in (
        # Many values that were carried on are a line, not a chain.
        (
            row.carried if len(row.carried) * _LEAST_APART <= wide else (),
            f'fill="#ffffff" stroke="{_QUIET}"',
        ),
        (row.measured, f'fill="{_ACCENT}"'),
    ):
        for point in points:
            x, y = place(*point)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" {look}/>')
    return _svg("".join(parts), wide)


def _svg(drawing: str, wide: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {_HIGH:g}" '
        f'width="{wide:g}" height="{_HIGH:g}" preserveAspectRatio="none">{drawing}</svg>'
    )
