"""Is K large enough? The score after each number of passes, from the draws that are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medview.domain.prediction import PassScore, SlicePass
from medview.learning.anomaly_maps import SliceMaps
from medview.learning.anomaly_scores import Drawn, slice_scores, sum_up, volume_score
from medview.learning.anomaly_settings import AnomalySettings

FEWEST = 2
"""One pass has no spread, so its score is another one."""
Told = Callable[[SliceMaps, NDArray[np.bool_]], tuple[SliceMaps, NDArray[np.bool_]]]
MOST_POINTS = 12
"""Each point smooths the whole brain once more."""


def numbers_of_passes(samples: int) -> tuple[int, ...]:
    """From two passes to all of them: every number, or a dozen that lie evenly."""
    if samples < FEWEST:
        return ()
    points = min(MOST_POINTS, samples - FEWEST + 1)
    return tuple(int(n) for n in np.unique(np.linspace(FEWEST, samples, points).round()))


def converge(
    drawn: Drawn,
    settings: AnomalySettings,
    indices: Sequence[int],
    told: Told = lambda maps, brain: (maps, brain),
) -> tuple[tuple[PassScore, ...], tuple[SlicePass, ...]]:
    """Score and epistemic variance after each number of passes, of the brain and its slices.

    `told` takes maps and brain of `drawn` to slices of the volume, whose numbers are `indices`.
    The last point is the very score of the result. The aleatoric part is that of all passes
    throughout. Nothing where no brain was judged.
    """
    if not drawn.brain.any():
        return (), ()
    area = drawn.brain.sum(axis=(1, 2))
    whole: list[PassScore] = []
    single: list[SlicePass] = []
    for n in numbers_of_passes(len(drawn.pictures)):
        maps = replace(drawn, pictures=drawn.pictures[:n]).slice_maps(settings)
        scores = slice_scores(maps, drawn.brain, settings)
        spread = volume_score(sum_up(maps.epistemic, drawn.brain, 0), area)
        whole.append(PassScore(n, volume_score(scores, area), spread))
        own = told(maps, drawn.brain)
        each = scores if own[0] is maps else slice_scores(*own, settings)
        single += _slices(n, each, indices)
    return tuple(whole), tuple(single)


def _slices(samples: int, scores: NDArray[np.float64], indices: Sequence[int]) -> list[SlicePass]:
    pairs = sorted(zip(indices, scores, strict=True))
    return [SlicePass(samples, int(k), float(s)) for k, s in pairs if np.isfinite(s)]
