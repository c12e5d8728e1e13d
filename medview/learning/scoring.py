"""One way of asking for scores, for the model and for everything it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medview.domain.progress import Progress, Silent
from medview.learning.anomaly_engine import Engine, noise_for, run_slices
from medview.learning.anomaly_scores import Drawn
from medview.learning.anomaly_settings import AnomalySettings, Rule
from medview.learning.brain import SMALLEST_SLICE_PX, Prepared

STEPS = 64
"""The height of the brain is cut into so many equal steps."""
LOWEST, HIGHEST = 0.15, 0.92
MODEL = "model"
"""The predictor that may leave a slice unjudged."""


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Model slices with what a score may want to know of them.

    `pictures` and `brain` are (n, 128, 128); `index` (n,) is the canonical slice in a volume of
    `total` slices; `height` (n,) is 0 at the foot and 1 at the top of the brain, NaN for a
    single slice, whose height nobody knows.
    """

    pictures: NDArray[np.float32]
    brain: NDArray[np.bool_]
    index: NDArray[np.intp]
    height: NDArray[np.float64]
    total: int

    def __len__(self) -> int:
        return len(self.index)

    @property
    def area(self) -> NDArray[np.float64]:
        """Brain pixels of each slice, (n,)."""
        return np.asarray(self.brain.sum(axis=(1, 2)), dtype=np.float64)

    def take(self, rows: NDArray[np.intp]) -> Slices:
        """The slices of some rows."""
        return Slices(
            self.pictures[rows], self.brain[rows], self.index[rows], self.height[rows], self.total
        )

    def showing(self, pictures: NDArray[np.float32]) -> Slices:
        """The same slices with other pictures."""
        return replace(self, pictures=pictures)


def slices_of(prepared: Prepared) -> Slices:
    """All slices of a prepared case that are scored, with their height in the whole brain."""
    kept = prepared.scored
    brain = np.flatnonzero(prepared.brain.any(axis=(1, 2)))
    height = np.full(len(kept), np.nan)
    if len(brain) > 1:
        height = (kept - brain[0]) / (brain[-1] - brain[0])
    return Slices(prepared.slices[kept], prepared.brain[kept], kept, height, len(prepared.slices))


def stacked(parts: Sequence[Slices]) -> Slices:
    """Slices of several cases as one; they must come from volumes with equally many slices."""
    if len({part.total for part in parts}) != 1:
        raise ValueError("only cases with equally many slices can be stacked")
    return Slices(
        np.concatenate([part.pictures for part in parts]),
        np.concatenate([part.brain for part in parts]),
        np.concatenate([part.index for part in parts]),
        np.concatenate([part.height for part in parts]),
        parts[0].total,
    )


def protocol_rows(slices: Slices) -> NDArray[np.intp]:
    """The slices that are compared: those nearest to the steps from 0.15 to 0.92 of the height.

    Slices with no more than 800 brain pixels are left out; a volume with thick slices gives each
    of them once.
    """
    large = slices.area > SMALLEST_SLICE_PX
    if not np.isfinite(slices.height).all():
        return np.flatnonzero(large)
    steps = np.arange(STEPS) / STEPS
    steps = steps[(steps >= LOWEST) & (steps <= HIGHEST)]
    nearest = np.abs(slices.height[:, None] - steps).argmin(axis=0)
    rows = np.unique(nearest)
    return np.asarray(rows[large[rows]], dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Scores of n slices: one each (n,), and a map (n, 128, 128); None where there is none."""

    per_slice: NDArray[np.float64] | None
    pixels: NDArray[np.float32] | None


JUDGED = "judged_rate"
"""Name of the figure: the share of slices that the model recognises and so judges."""
NOT_JUDGED = 0.0
"""As what a slice or volume without a score is counted among others: an average normal one."""


def counted(name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores as they are compared: what the model does not judge counts as an average normal."""
    return np.where(np.isnan(values), NOT_JUDGED, values) if name == MODEL else values


Scorer = Callable[[Slices], Mapping[str, Scored]]
"""Gives scores by the name of their predictor."""


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What the network said of n slices: K pictures (K, n, 128, 128) and variance (n, 128, 128)."""

    pictures: NDArray[np.float32]
    aleatoric: NDArray[np.float32]


def ask_model(
    engine: Engine, slices: Slices, samples: int, seed: int = 0, job: Progress | None = None
) -> Said:
    """Run the network on slices.

    The noise of a slice depends on its index only, so that a slice with and without a lesion
    differs in nothing else.
    """
    noise = noise_for(slices.total, samples, seed)[:, slices.index]
    return Said(*run_slices(engine, slices.pictures, noise, job or Silent()))


def model_scores(
    slices: Slices,
    said: Said,
    settings: AnomalySettings,
    other_rules: tuple[Rule, ...] = ("residual",),
    step_mm: float | None = None,
) -> Mapping[str, Scored]:
    """Scores "model", and "model:<rule>" for the pixels by other rules.

    With `step_mm` the slices are those of a volume, so far apart, and so are their maps. Slices
    that the model does not recognise have no score (NaN) and an empty map.
    """
    drawn = Drawn(slices.pictures, slices.brain, said.pictures, said.aleatoric)
    drawn, settings = drawn.judged(settings.floor), replace(settings, floor=None)
    whole = drawn.slice_scores(settings)
    maps = drawn.slice_maps(settings) if step_mm is None else drawn.volume_maps(settings, step_mm)
    others = {f"model:{rule}": Scored(None, maps.score(rule)) for rule in other_rules}
    return {MODEL: Scored(whole, maps.score(settings.rule)), **others}


def model_scorer(engine: Engine, settings: AnomalySettings, seed: int = 0) -> Scorer:
    """The network as a scorer."""

    def score(slices: Slices) -> Mapping[str, Scored]:
        return model_scores(slices, ask_model(engine, slices, settings.samples, seed), settings)

    return score


def trivial_scorer(slices: Slices) -> Mapping[str, Scored]:
    """Scores that know nothing of anatomy; a model that does not beat them has learnt nothing.

    Slices by brain area, by nearness to the middle height, by mean intensity; pixels by
    brightness, by darkness and by nearness to the middle of the brain.
    """
    inside = slices.brain
    brain_mean = (slices.pictures * inside).sum(axis=(1, 2)) / np.maximum(slices.area, 1)
    smooth = ndimage.gaussian_filter(slices.pictures, (0, 2, 2))
    return {
        "brain_area": Scored(slices.area, None),
        "slice_height": Scored(-np.abs(slices.height - 0.5), None),
        "intensity": Scored(brain_mean.astype(np.float64), smooth),
        "darkness": Scored(None, 1 - smooth),
        "middle": Scored(None, _nearness_to_middle(inside)),
    }


def _nearness_to_middle(brain: NDArray[np.bool_]) -> NDArray[np.float32]:
    rows, columns = np.indices(brain.shape[1:])
    out = np.zeros(brain.shape, np.float32)
    for k in np.flatnonzero(brain.any(axis=(1, 2))):
        row, column = ndimage.center_of_mass(brain[k])
        out[k] = -np.hypot(rows - row, columns - column)
    return out


def together(*scorers: Scorer) -> Scorer:
    """Several scorers as one."""

    def score(slices: Slices) -> Mapping[str, Scored]:
        return {name: found for one in scorers for name, found in one(slices).items()}

    return score
