"""A plot as an SVG file of its own: drawing, numbers at the axes, names and caption."""

from __future__ import annotations

import textwrap
from html import escape
from pathlib import Path

from medview import RESEARCH_USE
from medview.domain.report import Plot
from medview.io.atomic import whole_file
from medview.io.plots import part, shapes, tick, ticks

_SIDE = 360.0
_LEFT, _TOP, _BELOW = 70.0, 16.0, 48.0
_WIDE = _LEFT + _SIDE + 20.0
_LINE, _SIGNS = 15.0, 68
_INK = "#22303c"


def plot_svg(plot: Plot) -> str:
    """The plot on a white square field, complete in itself."""
    base = _TOP + _SIDE
    lines = textwrap.wrap(f"{plot.caption} {RESEARCH_USE}", _SIGNS)
    high = base + _BELOW + _LINE * len(lines) + 8
    across = [
        _text(_LEFT + _SIDE * part(value, plot.x), base + 16, tick(value), "middle")
        for value in ticks(plot.x)
    ]
    up = [
        _text(_LEFT - 6, base - _SIDE * part(value, plot.y) + 4, tick(value), "end")
        for value in ticks(plot.y)
    ]
    middle = _TOP + _SIDE / 2
    turned = f'<g transform="rotate(-90 18 {middle:g})">'
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE:g} {high:g}" '
            f'width="{_WIDE:g}" height="{high:g}" font-family="Inter, sans-serif" font-size="12" '
            f'fill="{_INK}"><title>{escape(plot.alt)}</title>',
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            f'<g transform="translate({_LEFT:g} {_TOP:g})">{shapes(plot, _SIDE, _SIDE)}</g>',
            *across,
            *up,
            _text(_LEFT + _SIDE / 2, base + 36, plot.labels[0], "middle"),
            f"{turned}{_text(18, middle, plot.labels[1], 'middle')}</g>",
            *(
                _text(16, base + _BELOW + _LINE * (n + 1), line, "start")
                for n, line in enumerate(lines)
            ),
            "</svg>",
        )
    )


def write_plot(plot: Plot, path: Path) -> None:
    """Write the plot as SVG; a half-written file is never seen."""
    with whole_file(path) as draft:
        draft.write_text(plot_svg(plot), encoding="utf-8")


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
