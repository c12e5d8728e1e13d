"""From the maps of slices to one number of a slice and of a volume, with its interval.

Source: arXiv 2504.15562, equation 14: A = alpha z(mean residual) + (1 - alpha) z(mean score). The
paper adds the raw means and does not print alpha; we bring both terms to the mean and spread of
training normals first, and may take a wide average off the difference, so that a slice is not
judged by its shading.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

from medview.learning.anomaly_maps import SliceMaps, Smoothing, combine, maps_from_draws
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.grid import PIXEL_MM
from medview.learning.recognised import explained, recognised

RIM_PX = 2
"""The outermost pixels are left out of means: there the mask decides, not the brain."""


def rimless(brain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The brain of each slice (n, 128, 128) without its outermost pixels."""
    cross = ndimage.generate_binary_structure(2, 1)[None]
    return np.asarray(ndimage.binary_erosion(brain, cross, iterations=RIM_PX), dtype=np.bool_)


def sum_up(
    values: NDArray[np.float32], brain: NDArray[np.bool_], quantile: float
) -> NDArray[np.float64]:
    """One figure a slice: mean or quantile over its rimless brain; NaN where there is none."""
    inner = rimless(brain)
    out = np.full(len(values), np.nan)
    for k in np.flatnonzero(inner.any(axis=(1, 2))):
        here = values[k][inner[k]]
        out[k] = np.quantile(here, quantile) if quantile else here.mean()
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What the network said of n slices.

    `slices`, `brain` and the mean predicted variance `aleatoric` are (n, 128, 128), `pictures`
    (K, n, 128, 128).
    """

    slices: NDArray[np.float32]
    brain: NDArray[np.bool_]
    pictures: NDArray[np.float32]
    aleatoric: NDArray[np.float32]

    def explained(self) -> NDArray[np.float64]:
        """Share of the structure of each slice that the mean of its draws explains, (n,)."""
        return explained(self.slices, self.pictures.mean(0), self.brain)

    def judged(self, floor: float | None) -> Drawn:
        """The same with no brain in slices of which less is explained: they are not judged."""
        if floor is None:
            return self
        return replace(self, brain=self.brain & recognised(self.explained(), floor)[:, None, None])

    def maps(self, how: Smoothing) -> SliceMaps:
        """The maps of these slices, whether or not they are recognised."""
        return maps_from_draws(self.slices, self.brain, self.pictures, self.aleatoric, how)

    def slice_maps(self, settings: AnomalySettings) -> SliceMaps:
        """The maps of slices on their own, whether or not they are recognised."""
        opposite = settings.opposite
        return self.maps(Smoothing(settings.smooth_px, settings.wide_px, opposite=opposite))

    def volume_maps(self, settings: AnomalySettings, step_mm: float) -> SliceMaps:
        """The maps of neighbouring slices `step_mm` apart; empty where they are not judged."""
        known = self.judged(settings.floor)
        if settings.volume_mm <= 0 or len(self.slices) < 2:
            return known.slice_maps(settings)
        px, between = settings.volume_mm / PIXEL_MM, settings.volume_mm / step_mm
        return known.maps(Smoothing(px, between=between, opposite=settings.opposite))

    def slice_scores(self, settings: AnomalySettings) -> NDArray[np.float64]:
        """A(x) of each slice, (n,); NaN where there is no brain or it is not judged."""
        known = self.judged(settings.floor)
        return slice_scores(known.slice_maps(settings), known.brain, settings)

    def volume_score(self, settings: AnomalySettings) -> float:
        """A(x) of all slices together."""
        return volume_score(self.slice_scores(settings), self.brain.sum(axis=(1, 2)))

    def without(self, draw: int) -> Drawn:
        """The same with one draw less."""
        return replace(self, pictures=np.delete(self.pictures, draw, 0))


def slice_scores(
    maps: SliceMaps, brain: NDArray[np.bool_], settings: AnomalySettings
) -> NDArray[np.float64]:
    """A(x) of each slice, standardised on training normals; NaN for slices without brain."""
    return weigh(*sums(maps, brain, settings), settings)


def sums(
    maps: SliceMaps, brain: NDArray[np.bool_], settings: AnomalySettings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both terms of each slice before they are standardised."""
    residual = maps.residual if maps.contrast is None else maps.contrast
    score = combine(residual, maps.epistemic, maps.total, settings.rule)
    quantile = settings.quantile
    return sum_up(residual, brain, quantile), sum_up(score, brain, quantile)


def weigh(
    residual: NDArray[np.float64], score: NDArray[np.float64], settings: AnomalySettings
) -> NDArray[np.float64]:
    """Alpha times the standardised residual plus (1 - alpha) times the standardised score."""
    a, b = settings.residual_norm, settings.score_norm
    first = (residual - a.mean) / a.sd
    second = (score - b.mean) / b.sd
    return np.asarray(settings.alpha * first + (1 - settings.alpha) * second)


def volume_score(per_slice: NDArray[np.float64], area: NDArray[Any]) -> float:
    """One figure of a volume: the mean over its slices, weighted by their brain area."""
    known = np.isfinite(per_slice)
    if not known.any():
        return float("nan")
    return float(np.average(per_slice[known], weights=area[known]))


def score_with_interval(
    drawn: Drawn, settings: AnomalySettings
) -> tuple[float, float | None, float | None]:
    """The volume's score and its 95 % jackknife interval over draws; None for less than three.

    The score is NaN where no slice can be judged.
    """
    drawn, settings = drawn.judged(settings.floor), replace(settings, floor=None)
    value, samples = drawn.volume_score(settings), len(drawn.pictures)
    if samples < 3 or not np.isfinite(value):
        return value, None, None
    without = np.array([drawn.without(k).volume_score(settings) for k in range(samples)])
    error = np.sqrt((samples - 1) / samples * ((without - without.mean()) ** 2).sum())
    reach = float(stats.t.ppf(0.975, samples - 1) * error)
    return value, value - reach, value + reach
