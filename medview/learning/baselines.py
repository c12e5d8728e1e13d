"""Classical scores fitted on the same normal slices as the model: PCA and z-score by height."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.decomposition import PCA

from medview.learning.anomaly_scores import rimless
from medview.learning.brain import BRIGHTEST
from medview.learning.cases import PreparedCase
from medview.learning.scoring import STEPS, Scored, Scorer, Slices, protocol_rows, slices_of

COMPONENTS = 20
SMOOTH_PX = 4.0
QUANTILE = 0.99
# Values found by a 3-fold split inside the training volumes, with other lesions.
SD_FLOOR = 0.08
FEWEST_VOLUMES = 3
Picture = NDArray[np.float32]


def training_slices(cases: Sequence[PreparedCase]) -> list[Slices]:
    """The slices of the comparison's heights of each training volume."""
    found = (slices_of(case.prepared) for case in cases)
    return [slices.take(protocol_rows(slices)) for slices in found if len(slices) > 1]


def fit_pca(training: Sequence[Slices], seed: int = 0) -> Scorer:
    """Distance to the first 20 principal components of normal slices and their mirror images."""
    pictures = np.concatenate([slices.pictures for slices in training])
    both = np.concatenate([pictures, pictures[:, :, ::-1]]).reshape(2 * len(pictures), -1)
    components = min(COMPONENTS, len(both) - 1)
    # Centred here: scikit-learn would keep a second copy.
    basis = PCA(components, svd_solver="randomized", random_state=seed).fit(both)

    def score(slices: Slices) -> Mapping[str, Scored]:
        flat = slices.pictures.reshape(len(slices), -1)
        rebuilt = basis.inverse_transform(basis.transform(flat))
        apart = np.abs(flat - rebuilt).reshape(slices.pictures.shape)
        return {"pca": _scored(apart, slices.brain)}

    return score


def fit_zscore(training: Sequence[Slices]) -> Scorer:
    """Distance from the mean of normal slices of the same height, in their standard deviations.

    A slice of unknown height is compared with the mean slice that it resembles most.
    """
    mean, sd = _atlas(training)

    def score(slices: Slices) -> Mapping[str, Scored]:
        steps = np.array([_step(slices, k, mean) for k in range(len(slices))])
        apart = np.abs(slices.pictures * BRIGHTEST - mean[steps]) / (sd[steps] + SD_FLOOR)
        return {"zscore": _scored(apart.astype(np.float32), slices.brain)}

    return score


def _atlas(training: Sequence[Slices]) -> tuple[Picture, Picture]:
    """Mean and standard deviation at each of the 64 heights, neighbours and mirrors included."""
    pictures = np.concatenate([slices.pictures for slices in training]) * np.float32(BRIGHTEST)
    step = np.concatenate([steps_of(slices.height) for slices in training])
    smooth = ndimage.gaussian_filter(pictures, (0, 1, 1))
    mean = np.zeros((STEPS, *pictures.shape[1:]), np.float32)
    sd = np.zeros_like(mean)
    known = np.unique(step)
    for height in range(STEPS):
        nearest = known[np.abs(known - height).argmin()]
        here = smooth[np.abs(step - nearest) <= 1]
        both = np.concatenate([here, here[:, :, ::-1]])
        mean[height], sd[height] = both.mean(0), both.std(0)
    return mean, sd


def steps_of(height: NDArray[np.float64]) -> NDArray[np.intp]:
    """The nearest of the 64 steps for heights from 0 to 1."""
    return np.clip(np.round(height * STEPS), 0, STEPS - 1).astype(np.intp)


def _step(slices: Slices, row: int, mean: Picture) -> int:
    if np.isfinite(slices.height[row]):
        return int(steps_of(slices.height[row : row + 1])[0])
    picture = slices.pictures[row] * BRIGHTEST
    return int(((mean - picture) ** 2).sum(axis=(1, 2)).argmin())


def _scored(apart: Picture, brain: NDArray[np.bool_]) -> Scored:
    smooth = ndimage.gaussian_filter(apart * brain, (0, SMOOTH_PX, SMOOTH_PX))
    inner = rimless(brain)
    per_slice = np.full(len(apart), np.nan)
    for k in np.flatnonzero(inner.any(axis=(1, 2))):
        per_slice[k] = np.quantile(smooth[k][inner[k]], QUANTILE)
    return Scored(per_slice, smooth)


def fit_baselines(cases: Sequence[PreparedCase], seed: int = 0) -> tuple[Scorer, ...]:
    """Both baselines fitted on training volumes; none where there are fewer than three."""
    training = training_slices(cases)
    if len(training) < FEWEST_VOLUMES:
        return ()
    return fit_pca(training, seed), fit_zscore(training)
