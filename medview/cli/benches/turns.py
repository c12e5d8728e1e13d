"""Times of steps in milliseconds, alone or in turns with those of something else."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_WARM = 3


def in_turns(
    step: Callable[[int], object], peer_step: Callable[[int], object], steps: int, around: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds of either, (steps,): in turns, so that whatever else the machine does meets both.

    Steps are given a number that goes round after so many.
    """
    for warm in range(_WARM):
        step(warm)
        peer_step(warm)
    numbers = [n % around for n in range(_WARM, steps + _WARM)]
    both = [(_time(step, n), _time(peer_step, n)) for n in numbers]
    ours, theirs = zip(*both, strict=True)
    return np.array(ours), np.array(theirs)


def times(step: Callable[[int], object], steps: int, around: int) -> NDArray[np.float64]:
    """Seconds of each, (steps,)."""
    return np.array([_time(step, n % around) for n in range(steps)])


def _time(step: Callable[[int], object], k: int) -> float:
    began = time.perf_counter()
    step(k)
    return time.perf_counter() - began


def ms(seconds: NDArray[np.float64], percent: float) -> tuple[float, str]:
    """So many percent of the steps took this or less, with the unit."""
    return float(np.percentile(seconds, percent)) * 1000, "ms"
