"""Reliability diagrams of an evaluation: points in metrics.json, drawings beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from medview.domain.reliability_plot import points_of, reliability_plot
from medview.io.plot_file import write_plot


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of one probability on one set, as ``temperature.reliability`` gives them."""

    subset: str
    score: str
    points: Sequence[dict[str, float]]


def told(curves: Sequence[Curve]) -> list[dict[str, object]]:
    """The part of metrics.json about them."""
    return [asdict(curve) for curve in curves if curve.points]


def draw(curves: Sequence[Curve], out: Path, *, seen: bool = False) -> None:
    """Write reliability-SET-SCORE.svg of each curve that has enough cases for it.

    `seen`: cases that the weights have learnt from may be among them.
    """
    for curve in curves:
        plot = reliability_plot(points_of(curve.points), curve.score, seen=seen)
        if plot is not None:
            write_plot(plot, out / f"reliability-{curve.subset}-{curve.score}.svg")
