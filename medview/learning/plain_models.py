"""Classical models that a network has to beat, kept as plain arrays beside weights.

Linear models and boosted trees are stored as numbers, never as pickled objects, so that an
evaluation can ask them of new cases without fitting anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from medview.domain.errors import WeightsError
from medview.io.atomic import whole_file
from medview.io.cards import BASELINES

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A linear model of standardised columns; gaps stand at `fill` and may have a flag.

    `flagged` numbers the columns with a flag; `mean`, `sd` and `weight` are of the columns and
    then the flags. `binary` models answer probabilities.
    """

    fill: Vector
    flagged: NDArray[np.int64]
    mean: Vector
    sd: Vector
    weight: Vector
    intercept: float
    binary: bool

    def __call__(self, x: Matrix) -> Vector:
        """Answers for rows (n, columns) with NaN in gaps."""
        gaps = np.isnan(x)
        whole = np.concatenate([np.where(gaps, self.fill, x), gaps[:, self.flagged]], axis=1)
        found = (whole - self.mean) / self.sd @ self.weight + self.intercept
        return np.asarray(1 / (1 + np.exp(-found)) if self.binary else found, dtype=np.float64)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As plain arrays."""
        scalars = np.array([self.intercept, float(self.binary)])
        named = ("fill", "flagged", "mean", "sd", "weight")
        return {**{name: getattr(self, name) for name in named}, "scalars": scalars}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Linear:
        """From plain arrays."""
        named = {name: arrays[name] for name in ("fill", "flagged", "mean", "sd", "weight")}
        intercept, binary = arrays["scalars"].tolist()
        return cls(**named, intercept=intercept, binary=bool(binary))


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Boosted trees of one probability: all arrays (trees, nodes), padded.

    A row goes left where its `column` is at most `threshold`, or is a gap and `gap_left`.
    """

    column: NDArray[np.int64]
    threshold: Matrix
    gap_left: NDArray[np.bool_]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    leaf: NDArray[np.bool_]
    value: Matrix
    start: float

    def __call__(self, x: Matrix) -> Vector:
        """Probabilities of rows (n, columns) with NaN in gaps."""
        trees = np.arange(len(self.column))[None]
        at = np.zeros((len(x), len(self.column)), np.int64)
        rows = np.arange(len(x))[:, None]
        while not self.leaf[trees, at].all():
            cell = x[rows, self.column[trees, at]]
            goes = np.where(
                np.isnan(cell), self.gap_left[trees, at], cell <= self.threshold[trees, at]
            )
            step = np.where(goes, self.left[trees, at], self.right[trees, at])
            at = np.where(self.leaf[trees, at], at, step)
        return np.asarray(1 / (1 + np.exp(-(self.start + self.value[trees, at].sum(1)))))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As plain arrays."""
        named = ("column", "threshold", "gap_left", "left", "right", "leaf", "value")
        found: dict[str, NDArray[Any]] = {name: getattr(self, name) for name in named}
        return {**found, "scalars": np.array([self.start])}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Trees:
        """From plain arrays."""
        named = ("column", "threshold", "gap_left", "left", "right", "leaf", "value")
        start = float(arrays["scalars"][0])
        return cls(**{name: arrays[name] for name in named}, start=start)


Model = Linear | Trees


def save_models(models: Mapping[str, Model], folder: Path) -> dict[str, object]:
    """Write models by name into `folder`; what a card keeps of them."""
    arrays = {
        f"{name}/{type(model).__name__.lower()}/{part}": np.ascontiguousarray(values)
        for name, model in models.items()
        for part, values in model.arrays().items()
    }
    with whole_file(folder / BASELINES) as draft:
        save_file(arrays, draft)
    digest = hashlib.sha256((folder / BASELINES).read_bytes()).hexdigest()
    return {"file": BASELINES, "sha256": digest, "names": sorted(models)}


def load_models(weights: Path, settings: Mapping[str, object]) -> dict[str, Model]:
    """The models that lie beside weights, as their card says; none where there are none.

    Raises
    ------
    WeightsError
        The file is damaged or another one.
    """
    kept, path = settings.get("baselines"), weights.with_name(BASELINES)
    if not isinstance(kept, Mapping) or not path.is_file():
        return {}
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() != kept["sha256"]:
            raise ValueError("another file")
        parts: dict[tuple[str, str], dict[str, NDArray[Any]]] = {}
        for key, values in load_file(path).items():
            *name, kind, part = key.split("/")
            parts.setdefault(("/".join(name), kind), {})[part] = values
    except (OSError, ValueError, SafetensorError) as error:
        raise WeightsError(
            "the classical models beside the weights are damaged or others",
            file=BASELINES,
            do="Copy the whole folder of the weights again.",
            code="MV-WGT-010",
        ) from error
    kinds: dict[str, type[Linear] | type[Trees]] = {"linear": Linear, "trees": Trees}
    return {name: kinds[kind].of(arrays) for (name, kind), arrays in parts.items()}
