"""What the children of ``medview bench schedules`` run: a model whose maps can be told apart."""

from __future__ import annotations

import time

import numpy as np

from medview.cli.benches.made_up import made_up
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
    return made_up(
        (ScalarMap("score", array, volume.geometry),),
        threshold=0.5,
        model=request.model,
        seed=request.seed,
        inputs=request.inputs,
    )
