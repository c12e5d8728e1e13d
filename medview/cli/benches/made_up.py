"""A result that no model has computed, for benchmarks of what comes after a model."""

from __future__ import annotations

from typing import Any

from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Prediction


def made_up(maps: tuple[ScalarMap, ...], *, threshold: float = 6.0, **more: Any) -> Prediction:
    """A result with these maps; `more` are other fields of it (model "anomaly" without them)."""
    fields: dict[str, Any] = {
        **{"model": "anomaly", "version": "1.0", "weights_sha256": "", "code": ""},
        **{"device": "cpu", "dtype": "float32", "mode": "batched", "seed": 0},
        **{"seconds": 0.0, "peak_memory_mb": 0.0, "inputs": (), "scores": ()},
    }
    return Prediction(maps=maps, parameters={"threshold": threshold}, **{**fields, **more})
