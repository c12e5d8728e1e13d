"""Does what was told happen as often as told: the reliability diagram of a probability."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medview.domain.card import Figure, ModelCard
from medview.domain.report import Plot

FEWEST = 30
"""Cases; a drawing of fewer would say more of chance than of the model."""
_DEVIATIONS = 1.959964
_WORDS = {
    "severe": "a severe course",
    "mortality": "death in hospital",
    "icu_admission": "intensive care",
}
_TASKS = {"severe": "prognosis"}
"""Scores whose figures have another task."""


@dataclass(frozen=True, slots=True)
class Point:
    """Cases that were told about the same: mean probability, share that it happened to, number."""

    said: float
    happened: float
    n: int

    @property
    def bounds(self) -> tuple[float, float]:
        """95 % interval of the share (Wilson 1927), cases taken as independent."""
        square, n, p = _DEVIATIONS**2, self.n, self.happened
        middle = (p + square / (2 * n)) / (1 + square / n)
        half = _DEVIATIONS * math.sqrt(p * (1 - p) / n + square / (4 * n * n)) / (1 + square / n)
        return max(0.0, min(p, middle - half)), min(1.0, max(p, middle + half))


def reliability_plots(card: ModelCard) -> tuple[Plot, ...]:
    """A drawing for each probability of a card whose calibration was measured on left-out cases."""
    kept = card.settings.get("reliability")
    found = []
    for score, curves in kept.items() if isinstance(kept, Mapping) else ():
        points = points_of(curves.get("after") if isinstance(curves, Mapping) else None)
        plot = reliability_plot(points, score, _error_of(card.measured, score))
        found += [plot] if plot is not None else []
    return tuple(found)


def points_of(told: object) -> tuple[Point, ...]:
    """Points as ``settings["reliability"]`` and metrics.json hold them; none of anything else."""
    try:
        return tuple(
            Point(float(one["said"]), float(one["happened"]), int(one["n"]))
            for one in (told if isinstance(told, Sequence) else ())
        )
    except (KeyError, TypeError, ValueError):
        return ()


def reliability_plot(
    points: Sequence[Point], score: str, error: Figure | None = None, *, seen: bool = False
) -> Plot | None:
    """What was told against what happened; None where there is too little to draw.

    `error` is the expected calibration error of the same cases, for the caption; `seen` says that
    the weights may have learnt from some of them.
    """
    count = sum(point.n for point in points)
    if len(points) < 2 or count < FEWEST:
        return None
    line = tuple((point.said, point.happened) for point in points)
    whose = (
        "cases, some of which the networks may have learnt from,"
        if seen
        else "cases that the networks had not learnt from,"
    )
    about = _WORDS.get(score, score.replace("_", " "))
    return Plot(
        x=(0.0, 1.0),
        y=(0.0, 1.0),
        labels=(f"probability told of {about}", "share that it happened to"),
        dots=line,
        line=line,
        band=tuple((point.said, *point.bounds) for point in points),
        guide=((0.0, 0.0), (1.0, 1.0)),
        caption=(
            f"{count} {whose} in {len(points)} parts by the probability told, with the 95 % "
            "interval of the share. Dashed: it happens as often as told."
            f"{_error_words(error)}{_small_words(points)}"
        ),
        alt=f"What happened by the probability of {about}: "
        + ", ".join(f"{p.happened:.2f} at {p.said:.2f} (n {p.n})" for p in points)
        + ".",
    )


def _error_of(figures: Sequence[Figure], score: str) -> Figure | None:
    task = _TASKS.get(score, score)
    for each in figures:
        is_whole = (each.name, each.predictor, each.group) == ("ece", "model", "all")
        if is_whole and each.extra.get("task", task) == task:
            return each
    return None


def _error_words(error: Figure | None) -> str:
    if error is None or error.value is None:
        return ""
    known = error.low is not None and error.high is not None
    spread = f" [{error.low:.3f}, {error.high:.3f}]" if known else ""
    return f" Mean distance (ECE) {error.value:.3f}{spread}."


def _small_words(points: Sequence[Point]) -> str:
    small = sum(point.n < 10 for point in points)
    if not small:
        return ""
    return f" {small} of the parts {'has' if small == 1 else 'have'} fewer than 10 cases."
