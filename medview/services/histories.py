"""history.csv as curves: what a training wrote of each epoch, and the line that stands for it."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path

Points = tuple[tuple[int, float], ...]
Curves = Mapping[tuple[str, str], Points]
"""Points (epoch, value) by (part, name)."""

# The curve that is drawn of each part: the first of these that the history has.
_LOSSES = ("loss", "val_loss", "mae", "nll", "prognosis", "severity", "zones")
_PARTS = ("train", "val")


def read_curves(path: Path) -> dict[tuple[str, str], Points]:
    """history.csv as curves; empty where it is not there yet."""
    curves: dict[tuple[str, str], list[tuple[int, float]]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                points = curves.setdefault((row["part"], row["name"]), [])
                points.append((int(row["epoch"]), float(row["value"])))
    except (OSError, KeyError, TypeError, ValueError):
        return {}
    return {key: tuple(points) for key, points in curves.items()}


def main_names(curves: Curves) -> dict[str, str]:
    """The name of the curve of each part that stands for how well it goes.

    One that both parts have is taken first, so that the two lines are of one quantity.
    """
    both = next((loss for loss in _LOSSES if all(curves.get((p, loss)) for p in _PARTS)), "")
    if both:
        return dict.fromkeys(_PARTS, both)
    found = {
        part: next((loss for loss in _LOSSES if curves.get((part, loss))), "") for part in _PARTS
    }
    return {part: name for part, name in found.items() if name}


def main_curves(curves: Curves) -> dict[str, Points]:
    """The curve of each part that stands for how well it goes, without what is no number."""
    found = {
        part: tuple(point for point in curves[part, name] if math.isfinite(point[1]))
        for part, name in main_names(curves).items()
    }
    return {part: points for part, points in found.items() if points}
