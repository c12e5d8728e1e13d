"""A model that computes nothing: its map arrives slice by slice, then whole, as large as wished."""

from __future__ import annotations

import time

import numpy as np

from medview.cli.benches.made_up import made_up
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import MapSlices, Prediction, RunRequest, SliceScore
from medview.domain.progress import Progress, zeros

# Slices of a fast GPU come at about this rate.
_PAUSE_S = 0.01


def predict(job: Progress, request: RunRequest) -> Prediction:
    """Send every slice of a score map, then the map itself and the uncertainty."""
    (volume,) = request.volumes.values()
    shape = volume.geometry.shape
    score = np.asarray(zeros(job, shape, np.float32), dtype=np.float32)
    total = np.asarray(zeros(job, shape, np.float32), dtype=np.float32)
    for k in range(shape[0]):
        score[k], total[k] = volume.array[k] / np.float32(100), np.float32(0.01)
        job.report(k + 1, shape[0], f"slice {k + 1} / {shape[0]}")
        job.partial(MapSlices("score", k, score[k : k + 1]))
        time.sleep(_PAUSE_S)
    maps = (
        ScalarMap("score", score, volume.geometry, range=(0.0, 18.0)),
        ScalarMap("total", total, volume.geometry, "uncertainty"),
    )
    slices = tuple(SliceScore(k, float(k), 1.0, 0.0, 0.0, 0.0) for k in range(shape[0]))
    return made_up(
        maps, model=request.model, seed=request.seed, inputs=request.inputs, slices=slices
    )
