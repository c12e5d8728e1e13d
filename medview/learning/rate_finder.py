"""A learning rate for a fine-tuning: steps at a rising rate, until the loss rises as well.

The range test of Smith (WACV 2017): from the weights to start from, each step has a higher rate
than the one before; nothing is kept of it. The suggestion is a tenth of the rate with the lowest
smoothed loss, which is far from where the training breaks.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, cast

from medview.domain.errors import MedviewError, UsageError
from medview.domain.progress import Progress
from medview.domain.training import FINDERS, FinetuneRequest, TrainRequest
from medview.learning.finetune import held_out

LOWEST, HIGHEST = 1e-6, 1.0
STEPS = 60
_SMOOTH = 0.85
_BROKEN = 4.0
"""So many times the fall so far above the lowest loss: the rest of the sweep says nothing."""
_LEAST_FALL = 0.02
"""A share of the first loss; where it falls by less, no rate is better than another."""
_FIRST = 5
_BACK = 10.0
Step = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class RatePoint:
    """A step of the sweep: its rate, the loss of its batch, and the loss smoothed."""

    rate: float
    loss: float
    smoothed: float


def find_rate(job: Progress, request: FinetuneRequest, steps: int = STEPS) -> dict[str, Any]:
    """Sweep the rate from the version to start from; patients held out are not looked at.

    Returns
    -------
    dict
        ``points`` (rate, loss, smoothed), ``suggested`` (None where no rate stands out), ``why``
        in words and ``seconds``.

    Raises
    ------
    UsageError
        A model or method without such a test.
    DataError
        Unusable data.
    """
    began = time.perf_counter()
    if request.model not in FINDERS or request.train.is_fit:
        raise UsageError(
            f"a rate for {request.model} by {request.train.method} cannot be searched",
            do=f"Choose one of {', '.join(FINDERS)}, and a method that trains.",
        )
    module, _, function = FINDERS[request.model].partition(":")
    make = cast(Callable[[Progress, TrainRequest], Step], getattr(import_module(module), function))
    own = replace(request.train, held_out=held_out(request), resume=False, preview=False)
    points = sweep(job, make(job, own), steps)
    suggested, why = suggestion(points)
    return {
        "points": [[one.rate, one.loss, one.smoothed] for one in points],
        "suggested": suggested,
        "why": why,
        "seconds": round(time.perf_counter() - began, 1),
    }


def sweep(job: Progress, step: Step, steps: int = STEPS) -> list[RatePoint]:
    """One step at each of `steps` rates, evenly in the logarithm; shorter where it breaks."""
    points: list[RatePoint] = []
    mean, lowest = 0.0, math.inf
    for n in range(steps):
        job.check()
        job.report(n, steps, f"rate {n + 1} / {steps}")
        rate = LOWEST * (HIGHEST / LOWEST) ** (n / (steps - 1))
        try:
            loss = step(rate)
        except MedviewError as error:
            if error.code == "MV-TRN-001":  # the loss is no number any more
                break
            raise
        if not math.isfinite(loss):
            break
        mean = _SMOOTH * mean + (1 - _SMOOTH) * loss
        smoothed = mean / (1 - _SMOOTH ** (n + 1))
        points.append(RatePoint(rate, loss, smoothed))
        lowest = min(lowest, smoothed)
        start = _start_of(points)
        room = max(start - lowest, _LEAST_FALL * abs(start))
        if len(points) > _FIRST and smoothed > start + _BROKEN * room:
            break
    return points


def _start_of(points: Sequence[RatePoint]) -> float:
    """The loss before anything is learnt: the mean of the first batches."""
    first = [point.loss for point in points[:_FIRST]]
    return sum(first) / len(first)


def suggestion(points: Sequence[RatePoint]) -> tuple[float | None, str]:
    """A tenth of the rate with the lowest smoothed loss, or None, and why."""
    if len(points) <= _FIRST:
        return None, "the loss broke off at once: the data or the weights are at fault"
    start = _start_of(points)
    best = min(points[_FIRST:], key=lambda point: point.smoothed)
    fall = (start - best.smoothed) / max(abs(start), 1e-9)
    if fall < _LEAST_FALL:
        return None, "at no rate does the loss fall clearly: keep the rate of the recipe"
    rate = best.rate / _BACK
    return rate, f"the loss is {fall:.0%} lower at {best.rate:.2g}; a tenth of that is safe"
