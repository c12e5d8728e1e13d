"""Which map of a result says what, and where in it the brain lies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Prediction
from medview.domain.volume import Volume


def main_map(prediction: Prediction) -> ScalarMap | None:
    """The score, else the first map that says where something is unusual."""
    kinds = [item for item in prediction.maps if item.kind in ("anomaly", "evidence")]
    return prediction.map("score") or (kinds[0] if kinds else None)


def regions_map(prediction: Prediction) -> ScalarMap | None:
    """The regions of the brain that were measured."""
    return prediction.map("regions")


def uncertainty_map(prediction: Prediction) -> ScalarMap | None:
    """The total uncertainty, else the first map of an uncertainty."""
    kinds = [item for item in prediction.maps if item.kind == "uncertainty"]
    return prediction.map("total") or (kinds[0] if kinds else None)


def threshold_of(prediction: Prediction, name: str) -> float | None:
    """The value from which a map counts as unusual, as the run was told; None if it was not."""
    given = prediction.parameters.get("threshold" if name == "score" else f"{name}_threshold")
    return float(given) if isinstance(given, int | float) else None


def box_of(prediction: Prediction | None, volume: Volume) -> tuple[int, ...]:
    """First and last index along k, j and i of the brain, or else of what is not background."""
    box = brain_box(prediction) if prediction else ()
    return box or _box(_foreground(volume))


def brain_box(prediction: Prediction) -> tuple[int, ...]:
    """First and last index along k, j and i of the model's brain mask or regions, if any."""
    brain = prediction.map("brain") or regions_map(prediction)
    return () if brain is None else _box(np.asarray(brain.array, dtype=np.float32) > 0)


def _box(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    box: list[int] = []
    for axis in range(3):
        filled = np.flatnonzero(mask.any(axis=tuple(n for n in range(3) if n != axis)))
        box += [int(filled[0]), int(filled[-1])] if filled.size else []
    return tuple(box)


def _foreground(volume: Volume) -> NDArray[np.bool_]:
    """Voxels that stand out from the darkest; none where no value is known."""
    values = np.asarray(volume.array if volume.array.ndim == 3 else volume.array.max(axis=-1))
    some = values[:: max(1, len(values) // 32)]
    known = some[np.isfinite(some)]
    if not known.size:
        return np.zeros(values.shape, dtype=np.bool_)
    low, high = np.percentile(known, (1, 99))
    return np.asarray(values > low + 0.1 * (high - low))
