"""Drawings over a picture of a report: vector lines, and their words as text of the page."""

from __future__ import annotations

import base64
from html import escape

from medview.domain.report import Picture, Stroke

_LINE, _RIM = "#ffd75e", "#000000"
# Drawings that end further right have their words on the left of that end.
_RIGHT = 0.62


def strokes_html(picture: Picture) -> str:
    """Lay the drawings of a picture out over it; empty where there are none."""
    if not picture.strokes:
        return ""
    height, width = picture.rgb.shape[:2]
    lines = "".join(_lines(each, width, height) for each in picture.strokes)
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">{lines}</svg>'
    )
    source = f"data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}"
    words = "".join(_words(each) for each in picture.strokes if each.words)
    said = "; ".join(", ".join(each.words) for each in picture.strokes if each.words)
    alt = escape(f"Drawn on the image: {said or 'lines without words'}.")
    return f'<img class="strokes" alt="{alt}" src="{source}">{words}'


def _lines(stroke: Stroke, width: int, height: int) -> str:
    """Each path twice: a dark rim, and the line on it."""
    parts = []
    for colour, thick, clear in ((_RIM, 6.0, 0.55), (_LINE, 2.6, 1.0)):
        for path in stroke.paths:
            points = " ".join(f"{x * width:.1f},{y * height:.1f}" for x, y in path)
            parts.append(
                f'<polyline points="{points}" fill="none" stroke="{colour}" '
                f'stroke-width="{thick}" stroke-opacity="{clear}" stroke-linejoin="round"/>'
            )
    return "".join(parts)


def _words(stroke: Stroke) -> str:
    x, y = (min(1.0, max(0.0, part)) for part in stroke.at)
    side = f"left: {100 * x:.2f}%" if x <= _RIGHT else f"right: {100 * (1 - x):.2f}%"
    text = "<br>".join(escape(each) for each in stroke.words)
    # Near the lower edge the words stand above their place.
    up = (
        f"bottom: {100 * (1 - y):.2f}%"
        if y > 1 - 0.06 * len(stroke.words)
        else f"top: {100 * y:.2f}%"
    )
    return f'<span class="said" style="{side}; {up}">{text}</span>'
