"""Both uncertainties from one pass: the epistemic part guessed from the aleatoric one.

The code's mean is decoded once. Where the network predicts a large variance its draws differ
more, too; a straight line through the logarithms of both, fitted on normal slices that were
drawn several times, takes the place of the draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medview.learning.anomaly_scores import Drawn, rimless

SMALLEST = 1e-12
EVEN = 1e-6
"""Logarithms that differ by less are one variance for all pixels."""


@dataclass(frozen=True, slots=True)
class SinglePass:
    """log(epistemic) = offset + slope * log(aleatoric), per pixel."""

    offset: float
    slope: float

    def epistemic(self, aleatoric: NDArray[np.float32]) -> NDArray[np.float32]:
        """The guess, in the shape of `aleatoric`."""
        guess = np.exp(self.offset + self.slope * np.log(np.maximum(aleatoric, SMALLEST)))
        return np.asarray(guess, dtype=np.float32)

    def estimate(self, mean: Drawn) -> Drawn:
        """One pass with the guess: two pictures that lie as far apart as the draws would."""
        sd = np.sqrt(self.epistemic(mean.aleatoric))
        picture = mean.pictures[0]
        return replace(mean, pictures=np.stack([picture - sd, picture + sd]))


def fit_single_pass(mean: Drawn, several: Drawn) -> SinglePass:
    """Fit on the same slices, passed once by the mean of the code and drawn several times."""
    inner = rimless(mean.brain)
    x = np.log(np.maximum(mean.aleatoric[inner], SMALLEST).astype(np.float64))
    y = np.log(np.maximum(several.pictures.var(0)[inner], SMALLEST).astype(np.float64))
    if x.std() < EVEN:
        return SinglePass(float(y.mean()), 0.0)
    slope = float(((x - x.mean()) * (y - y.mean())).mean() / x.var())
    return SinglePass(float(y.mean() - slope * x.mean()), slope)
