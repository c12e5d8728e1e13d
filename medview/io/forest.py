"""Differences of variants below each other, each with its interval, as an SVG file of its own."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from medview import RESEARCH_USE
from medview.io.atomic import whole_file
from medview.io.plots import part, tick, ticks

_NAME, _TRACK, _FIGURE = 190.0, 320.0, 190.0
_WIDE = _NAME + _TRACK + _FIGURE
_ROW, _HEAD, _AXIS, _EDGE = 20.0, 26.0, 26.0, 14.0
_SIGNS = 104
_INK, _QUIET, _GRID, _ACCENT = "#22303c", "#5d6673", "#e4e8ec", "#2f6ea5"


def forest_svg(rows: Sequence[Mapping[str, Any]], against: str, note: str) -> str:
    """A panel for each figure, with a line for each variant that has a difference.

    `rows` are those of ``medview.ablation/1``; panels are made of the first subset alone. The
    empty text where there is nothing to draw.
    """
    found = [row for row in rows if row["difference"] is not None]
    if not found:
        return ""
    first = found[0]["subset"]
    panels: dict[str, list[Mapping[str, Any]]] = {}
    for row in found:
        if row["subset"] == first:
            panels.setdefault(f"{row['task']}, {row['name']}", []).append(row)
    parts, y = [], _EDGE
    for name, lines in panels.items():
        parts.append(_panel(f"{first}: {name}, less {against}", lines, y))
        y += _HEAD + _ROW * len(lines) + _AXIS
    words = textwrap.wrap(f"{note} {RESEARCH_USE}", _SIGNS)
    parts += [_text(8, y + 15 * (n + 1), line) for n, line in enumerate(words)]
    high = y + 15 * len(words) + _EDGE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE:g} {high:g}" '
        f'width="{_WIDE:g}" height="{high:g}" font-family="Inter, sans-serif" font-size="12" '
        f'fill="{_INK}"><rect width="100%" height="100%" fill="#ffffff"/>{"".join(parts)}</svg>'
    )


def write_forest(rows: Sequence[Mapping[str, Any]], against: str, note: str, path: Path) -> None:
    """Write the drawing where there is something to draw; a half-written file is never seen."""
    drawing = forest_svg(rows, against, note)
    if drawing:
        with whole_file(path) as draft:
            draft.write_text(drawing, encoding="utf-8")


def _panel(title: str, rows: Sequence[Mapping[str, Any]], top: float) -> str:
    ends = [row[key] for row in rows for key in ("difference", "low", "high")]
    known = [0.0, *(value for value in ends if value is not None)]
    room = 0.06 * ((max(known) - min(known)) or 1.0)
    bounds = (min(known) - room, max(known) + room)
    begin, end = top + _HEAD, top + _HEAD + _ROW * len(rows)

    def place(value: float) -> float:
        return _NAME + _TRACK * part(value, bounds)

    parts = [_text(8, top + 15, title, weight="600")]
    for value in ticks(bounds):
        parts.append(_path(f"M{place(value):.1f} {begin:.1f}V{end:.1f}", _GRID, 1.0))
        parts.append(_text(place(value), end + 14, tick(value), "middle", colour=_QUIET))
    parts.append(_path(f"M{place(0.0):.1f} {begin:.1f}V{end:.1f}", _QUIET, 1.4))
    for number, row in enumerate(rows):
        parts.append(_row(row, place, begin + _ROW * (number + 0.5)))
    return "".join(parts)


def _row(row: Mapping[str, Any], place: Callable[[float], float], y: float) -> str:
    value, low, high = (row[key] for key in ("difference", "low", "high"))
    parts = [_text(_NAME - 10, y + 4, str(row["variant"]), "end")]
    words = f"{value:+.3f}"
    if low is not None and high is not None:
        parts.append(_path(f"M{place(low):.1f} {y:.1f}H{place(high):.1f}", _ACCENT, 2.2))
        words += f" [{low:.3f}, {high:.3f}]"
    parts.append(f'<circle cx="{place(value):.1f}" cy="{y:.1f}" r="4" fill="{_ACCENT}"/>')
    return "".join([*parts, _text(_NAME + _TRACK + 10, y + 4, words.replace("-", "\u2212"))])


def _path(course: str, colour: str, width: float) -> str:
    return f'<path d="{course}" stroke="{colour}" stroke-width="{width:g}" fill="none"/>'


def _text(
    x: float,
    y: float,
    words: str,
    anchor: str = "start",
    *,
    colour: str = _INK,
    weight: str = "400",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
        f'font-weight="{weight}">{escape(words)}</text>'
    )
