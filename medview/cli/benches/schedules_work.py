"""What the children of ``medview bench schedules`` run: a model whose maps can be told apart."""

from __future__ import annotations

import time

import numpy as np

from medview.domain.overlay import ScalarMap
from medview.domain.prediction import MapSlices, Prediction, RunRequest
from medview.domain.progress import Progress

SHAPE = (8, 12, 10)


def predict(job: Progress, request: RunRequest) -> Prediction:
    """Mark a map with the first value of the very volume that was given; the seed is the pace."""
    (volume,) = request.volumes.values()
    array = np.full(volume.geometry.shape, float(volume.array.flat[0]), dtype=np.float32)
    for k in range(len(array)):
        job.report(k, len(array), f"slice {k + 1} / {len(array)}")
        job.partial(MapSlices("score", k, array[k : k + 1]))
        time.sleep(request.seed / 1000)
    return Prediction(
        model=request.model,
        version="1.0",
        weights_sha256="",
        code="",
        device="cpu",
        dtype="float32",
        mode="batched",
        seed=request.seed,
        parameters={"threshold": 0.5},
        seconds=0.0,
        peak_memory_mb=0.0,
        inputs=request.inputs,
        scores=(),
        maps=(ScalarMap("score", array, volume.geometry),),
    )
