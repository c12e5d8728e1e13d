"""A prediction that says where it comes from: model, weights, program, device and time."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from medview import __version__
from medview.domain.card import ModelCard
from medview.domain.prediction import Prediction, RunRequest, Score
from medview.learning.devices import peak_memory_mb


def stamped(
    card: ModelCard,
    request: RunRequest,
    began: float,
    scores: tuple[Score, ...],
    parameters: Mapping[str, object],
    roles: Collection[str],
    *,
    device: str = "cpu",
    dtype: str = "float32",
    mode: str = "batched",
) -> Prediction:
    """The scores of a run that began at `began` (of ``time.perf_counter``), made just now.

    `parameters` are what may change the answer beside seed and device, `roles` those of the
    inputs that were used.
    """
    return Prediction(
        model=card.id,
        version=card.version,
        weights_sha256=card.weights_sha256,
        code=__version__,
        device=device,
        dtype=dtype,
        mode=mode,
        seed=request.seed,
        parameters=dict(parameters),
        seconds=round(time.perf_counter() - began, 2),
        peak_memory_mb=peak_memory_mb(),
        inputs=tuple(one for one in request.inputs if one.role in roles),
        scores=scores,
        parent=card.parent,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
