"""The rows of ``medview bench scroll`` about the window itself, up to the painted pixels."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from medview.cli.benches.offscreen import told_by
from medview.cli.benches.rows import Row
from medview.cli.contract import Context

STEPS, QUICK_STEPS = 100, 5
# How much smaller every side of the volumes is for a quick look.
_QUICK_SMALLER = 16
_ONE_MS, _ONE_MOST_MS, _THREE_MOST_MS, _FILM_MOST_MS = 12.0, 16.0, 33.0, 33.0
_FRAMES = 30.0
_RUN = "medview.cli.benches.scroll_window_run"


def window_rows(context: Context, quick: bool) -> list[Row]:
    """Turn the wheel and drag the crosshair in a window of its own, offscreen."""
    context.report(0, 1, "wheel and crosshair in the window")
    steps, smaller = (QUICK_STEPS, _QUICK_SMALLER) if quick else (STEPS, 1)
    with tempfile.TemporaryDirectory(prefix="medview-bench-") as name:
        return rows(told_by(_RUN, Path(name), steps, smaller))


def rows(seen: dict[str, Any]) -> list[Row]:
    """The rows of what a window saw; processor time is what others on the machine change least."""
    stack = "1024 x 1024 int16, two overlays, in the window"
    found = []
    for key, words, aims in (
        ("one pane", f"{stack}, one pane", (_ONE_MS, _ONE_MOST_MS)),
        ("three planes", f"{stack}, three linked planes", (None, _THREE_MOST_MS)),
    ):
        wall, own = np.array(seen[key]["wall_ms"]), np.array(seen[key]["cpu_ms"])
        median, most = (float(np.percentile(wall, share)) for share in (50, 95))
        found += [
            Row(f"{words}: a step, median", median, "ms", aim=aims[0]),
            Row(f"{words}: a step, 95 %", most, "ms", aim=aims[1]),
            Row(f"{words}: processor time of a step, median", float(np.median(own)), "ms"),
        ]
    for key, words in (("crosshair, bare", "no overlay"), ("crosshair", "two overlays")):
        frames = 1000 / float(np.mean(seen[key]["wall_ms"]))
        what = f"crosshair dragged through 512 x 512 x 400 in three planes, {words}"
        found.append(Row(what, frames, "frames/s", aim=_FRAMES, at_least=True))
    return found + _film_rows(seen)


def _film_rows(seen: dict[str, Any]) -> list[Row]:
    film = "film of 8192 x 8192"
    first = seen["film, first"]
    found = [
        Row(f"{film}: first picture of what is in memory", first["wall_ms"][0], "ms"),
        Row(f"{film}: processor time of that", first["cpu_ms"][0], "ms"),
    ]
    for key, words in (("film, window", "window turned"), ("film, zoom", "zoomed and moved")):
        wall, own = np.array(seen[key]["wall_ms"]), np.array(seen[key]["cpu_ms"])
        what = f"{film}, {words}"
        found += [
            Row(f"{what}: a step, median", float(np.median(wall)), "ms", aim=_ONE_MOST_MS),
            Row(f"{what}: a step, 95 %", float(np.percentile(wall, 95)), "ms", aim=_FILM_MOST_MS),
            Row(f"{what}: processor time of a step, median", float(np.median(own)), "ms"),
        ]
    return found
