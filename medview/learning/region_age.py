"""Age from the volumes of grouped brain regions: a ridge regression that knows its volumes' error.

The regression is fitted on the volumes of a table (DLMUSE, 2 mm). A volume that the region
network measures is less exact; the penalty of a feature therefore grows with the variance of
that error (regression with errors in variables, Fuller 1987), and the interval holds both
parts: what the regression misses on people it was not fitted on (conformal, Lei and others
2018) and what the error of the volumes does to the age.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medview.learning.conformal import half_width
from medview.learning.region_groups import REGIONS

Array = NDArray[np.float64]
FEATURES: dict[str, tuple[str, ...]] = {
    "ventricles": ("lateral ventricle", "third and fourth ventricle"),
    "fluid round the brain": ("fluid round the brain",),
    "cortical grey": (
        *("frontal grey", "parietal grey", "temporal grey"),
        *("occipital grey", "limbic grey"),
    ),
    "white matter": ("white matter", "corpus callosum"),
    "thalamus": ("thalamus",),
    "basal ganglia": ("basal ganglia",),
    "hippocampus and amygdala": ("hippocampus and amygdala",),
    "cerebellum": ("cerebellum", "vermis"),
    "brain stem": ("brain stem",),
}
"""Features of the age model: regions of both sides together, as a share of all regions."""
NAMES = (*FEATURES, "intracranial volume")
PENALTIES = np.logspace(-1, 5, 25)
FOLDS = 5


def features(ml: Array) -> Array:
    """Log of each group's share of the intracranial volume, and of that volume in ml.

    Parameters
    ----------
    ml : Array
        Volumes of all regions, (n, regions).

    Returns
    -------
    Array
        (n, features). A group of no volume counts as a tenth of a millilitre.
    """
    parts, whole = _parts(ml), np.maximum(ml.sum(axis=1), 1.0)
    shares = np.log(np.maximum(parts, 0.1) / whole[:, None])
    return np.column_stack([shares, np.log(whole)])


def grouped_ml(ml: Array) -> dict[str, float]:
    """Volume of each group, and of all together, of one head (regions,), in ml."""
    return dict(zip(NAMES, [*_parts(ml[None])[0].tolist(), float(ml.sum())], strict=True))


def _parts(ml: Array) -> Array:
    """Volumes of the groups, (n, groups)."""
    names = np.array([region.name for region in REGIONS])
    return np.stack([ml[:, np.isin(names, group)].sum(axis=1) for group in FEATURES.values()], 1)


@dataclass(frozen=True, slots=True)
class AgeModel:
    """A fitted regression as plain numbers.

    `middle`, `spread` and `slope` are of the features; `offset` in years is the age at the
    middle. `error_middle` and `error_spread` are mean and standard deviation of the error of
    measured features (network less table) on people that the network had not seen; the mean is
    taken off. `residual` is the conformal half-width in years for exact features, `drift` and
    `drift_at` the line by which the gap depends on age (slope per year, age where it is zero).
    `low`, `high` are the ages fitted on. `precision` is the inverse of the features' covariance
    (with the error of measured ones), `usual` the distance from the middle by it that 99 of 100
    people keep within.
    """

    middle: tuple[float, ...]
    spread: tuple[float, ...]
    slope: tuple[float, ...]
    offset: float
    error_middle: tuple[float, ...]
    error_spread: tuple[float, ...]
    residual: float
    drift: float
    drift_at: float
    low: float
    high: float
    n: int
    penalty: float
    precision: tuple[tuple[float, ...], ...] = ()
    usual: float = math.inf

    @classmethod
    def from_card(cls, given: object) -> AgeModel | None:
        """The model as a card keeps it; None where there is none.

        Raises
        ------
        TypeError
            If it is of another form.
        """
        if not isinstance(given, Mapping):
            return None
        values: dict[str, Any] = {name: _frozen(value) for name, value in given.items()}
        return cls(**values)

    def to_card(self) -> dict[str, object]:
        """Plain values for a card."""
        return asdict(self)

    def from_table(self, ml: Array) -> Array:
        """Ages (n,) from exact volumes (n, regions) in ml."""
        return self._age(features(ml))

    def from_network(self, ml: Array) -> Array:
        """Ages (n,) from volumes that the network measured, their mean error taken off."""
        return self._age(features(ml) - np.array(self.error_middle))

    @property
    def error(self) -> VolumeError:
        """The error of measured features."""
        return VolumeError(np.array(self.error_middle), np.array(self.error_spread))

    @property
    def volume_sd(self) -> float:
        """Standard deviation of the age in years that the error of the volumes makes."""
        reach = np.array(self.slope) / np.array(self.spread) * np.array(self.error_spread)
        return float(math.sqrt((reach**2).sum()))

    @property
    def half_width(self) -> float:
        """Half of the 95 % interval for measured volumes, years."""
        return float(math.hypot(self.residual, 1.96 * self.volume_sd))

    def strangeness(self, ml: Array) -> float:
        """How far measured volumes (regions,) are from the people fitted on, 1 being unusual.

        Mahalanobis distance over `usual`: above 1 the volumes are unlike theirs, and age and
        interval mean little.
        """
        away = features(ml[None])[0] - np.array(self.error_middle) - np.array(self.middle)
        if not self.precision:
            return 0.0
        return float(math.sqrt(away @ np.array(self.precision) @ away) / self.usual)

    def corrected_gap(self, age: float, found: float) -> float:
        """Found less true age without what is expected at that age (regression to the mean)."""
        return found - age - self.drift * (age - self.drift_at)

    def _age(self, x: Array) -> Array:
        scaled = (x - np.array(self.middle)) / np.array(self.spread)
        return np.asarray(scaled @ np.array(self.slope) + self.offset, dtype=np.float64)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True, eq=False)
class VolumeError:
    """Error of measured features, (features,) each: mean and standard deviation."""

    middle: Array
    spread: Array

    @classmethod
    def of(cls, measured: Array, true: Array) -> VolumeError:
        """From volumes (n, regions) in ml of the same people; n - 1 in the spread."""
        apart = features(measured) - features(true)
        spread = apart.std(axis=0, ddof=1) if len(apart) > 1 else np.zeros(apart.shape[1])
        return cls(apart.mean(axis=0), spread)

    def of_volumes(self) -> VolumeError:
        """Error of the logarithm of the groups' volumes: of their shares and of the whole head.

        Both are taken as independent.
        """
        middle, spread = self.middle + self.middle[-1], np.hypot(self.spread, self.spread[-1])
        middle[-1], spread[-1] = self.middle[-1], self.spread[-1]
        return VolumeError(middle, spread)

    @classmethod
    def none(cls) -> VolumeError:
        """No error: volumes from a table."""
        return cls(np.zeros(len(NAMES)), np.zeros(len(NAMES)))


def fit_age(ml: Array, age: Array, error: VolumeError) -> AgeModel:
    """Fit the regression; penalty and conformal width by inner cross-validation.

    Parameters
    ----------
    ml : Array
        Volumes (n, regions) in ml from a table.
    age : Array
        Years, (n,).
    error : VolumeError
        What is known of the error of volumes that will be given later.
    """
    x = features(ml)
    folds = balanced_folds(age)
    left_out = np.stack([_left_out(x, age, error, folds, p) for p in PENALTIES])
    best = int(np.abs(left_out - age).mean(axis=1).argmin())
    gap = left_out[best] - age
    drift, at_zero = np.polyfit(age, gap, 1)
    plain = _fitted(x, age, error, float(PENALTIES[best]))
    precision = np.linalg.inv(np.cov(x.T) + np.diag(error.spread**2))
    away = x - x.mean(axis=0)
    distance = np.sqrt(np.einsum("ni,ij,nj->n", away, precision, away))
    return replace(
        plain,
        residual=half_width(gap),
        precision=tuple(tuple(map(float, row)) for row in precision),
        usual=half_width(distance, 0.99),
        drift=float(drift),
        drift_at=float(-at_zero / drift) if abs(drift) > 1e-9 else float(age.mean()),
    )


def balanced_folds(age: Array) -> list[NDArray[np.intp]]:
    """Test rows of each fold; ages are spread alike over the folds."""
    rng = np.random.default_rng(0)
    order = np.argsort(age + rng.normal(0, 1e-9, len(age)))
    fold = np.empty(len(age), dtype=np.intp)
    for start in range(0, len(age), FOLDS):
        here = order[start : start + FOLDS]
        fold[here] = rng.permutation(FOLDS)[: len(here)]
    return [np.flatnonzero(fold == n) for n in range(FOLDS)]


def _left_out(
    x: Array, age: Array, error: VolumeError, folds: Sequence[NDArray[np.intp]], penalty: float
) -> Array:
    """Ages of all from exact features, each by a regression without its fold."""
    found = np.empty(len(age))
    for test in folds:
        rest = np.setdiff1d(np.arange(len(age)), test)
        found[test] = _fitted(x[rest], age[rest], error, penalty)._age(x[test])
    return found


def _fitted(x: Array, age: Array, error: VolumeError, penalty: float) -> AgeModel:
    middle, spread = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
    z = (x - middle) / spread
    noise = (error.spread / spread) ** 2
    gram = z.T @ z + np.diag(penalty + len(z) * noise)
    slope = np.linalg.solve(gram, z.T @ (age - age.mean()))
    return AgeModel(
        middle=tuple(map(float, middle)),
        spread=tuple(map(float, spread)),
        slope=tuple(map(float, slope)),
        offset=float(age.mean()),
        error_middle=tuple(map(float, error.middle)),
        error_spread=tuple(map(float, error.spread)),
        residual=0.0,
        drift=0.0,
        drift_at=0.0,
        low=float(age.min()),
        high=float(age.max()),
        n=len(age),
        penalty=penalty,
    )
