"""The anomaly model itself, untrained: it takes as long and as much memory as a trained one."""

import threading
import time
from dataclasses import replace

import numpy as np
import psutil
import pytest
from phantoms import geometry_of, phantom_on
from running import soon
from services.stubs import CARD, seconds

from medview.domain.errors import Cancelled
from medview.domain.prediction import InputRef, MapSlices, RunRequest
from medview.io.hashing import volume_sha256
from medview.services.jobs import Jobs

PREDICT = "medview.learning.predict:run"


@pytest.fixture
def jobs():
    with Jobs(lambda call: call()) as jobs:
        yield jobs


@pytest.fixture
def request_for_head(jobs, tmp_path):
    jobs.call("compute", "services.works:make_weights", tmp_path, CARD)
    head = phantom_on(geometry_of(shape=(100, 128, 128), spacing_mm=(1, 1, 1)), modality="MR")
    given = InputRef("t1", "1.2", "1.2.3", 0, volume_sha256(head), (128, 128, 100))
    weights = str(tmp_path / "weights.safetensors")
    return RunRequest("anomaly", {"t1": head}, (given,), threads=1, weights=weights)


def memory_mb(process):
    """What a process takes now; nothing when it is gone."""
    try:
        return process.memory_info().rss / 1e6
    except psutil.NoSuchProcess:
        return 0.0


def test_a_real_run_stops_within_a_second_and_gives_its_memory_back(jobs, request_for_head):
    jobs.warm("compute", PREDICT.partition(":")[0])
    before = memory_mb(psutil.Process(jobs.call("compute", "services.works:who")))
    part, end, said = threading.Event(), threading.Event(), []
    job = jobs.run(
        "compute",
        PREDICT,
        request_for_head,
        partial=lambda block: part.set() if isinstance(block, MapSlices) else None,
        failed=lambda error: (said.append(error), end.set()),
    )
    assert part.wait(300)
    child = psutil.Process(job.pid)
    assert memory_mb(child) > before
    asked = time.monotonic()
    job.cancel()
    assert end.wait(60)
    assert time.monotonic() - asked < seconds(1)
    assert isinstance(said[0], Cancelled)
    assert soon(lambda: memory_mb(child) <= 1.05 * before)


def test_maps_of_a_real_run_arrive_as_views_on_the_grid_of_the_volume(jobs, request_for_head):
    head = request_for_head.volumes["t1"]
    prediction = jobs.call("compute", PREDICT, replace(request_for_head, samples=1))
    assert prediction.inputs == request_for_head.inputs
    for found in prediction.maps:
        assert found.geometry.same_grid(head.geometry)
        assert not found.array.flags.writeable
        assert not found.array.flags.owndata
        assert np.isfinite(found.array).any()
