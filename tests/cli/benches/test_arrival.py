"""The waits of the event loop while a large map arrives."""

import numpy as np
import pytest
from phantoms import phantom

from medview.cli.benches import arrival, arrival_work
from medview.cli.benches.arrival import arrival_rows, gap_rows
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine
from medview.domain.errors import WorkerDied
from medview.domain.prediction import RunRequest
from medview.domain.progress import Silent


class Listener(Silent):
    def __init__(self):
        self.parts = []

    def partial(self, payload):
        self.parts.append(payload)


def context():
    return Context(Options(), ProgressLine(None, on_terminal=False))


def test_both_bounds_are_aims():
    most, longest = gap_rows([5.0] * 99 + [300.0], "it rains")
    assert (most.aim, longest.aim) == (50.0, 250.0)
    assert most.met
    assert not longest.met
    assert longest.what == "turn of the event loop while it rains, 100 turns: longest"
    assert gap_rows([], "it rains") == []


def test_the_map_comes_slice_by_slice_and_then_whole(monkeypatch):
    monkeypatch.setattr(arrival_work, "_PAUSE_S", 0.0)
    job, volume = Listener(), phantom()
    made = arrival_work.predict(job, RunRequest("anomaly", {"t1": volume}, ()))
    assert [part.first for part in job.parts] == list(range(16))
    whole = np.concatenate([part.array for part in job.parts])
    assert np.array_equal(whole, made.map("score").array)
    assert made.map("total").kind == "uncertainty"


def test_a_window_that_fails_is_an_error(monkeypatch):
    monkeypatch.setattr(arrival, "QUICK_SHAPE", ("no", "such", "size"))
    with pytest.raises(WorkerDied):
        arrival_rows(context(), True)


@pytest.mark.slow
def test_a_real_window_is_measured():
    rows = arrival_rows(context(), True)
    assert rows[0].what.startswith("turn of the event loop while a map of 128 x 128 x 24 arrives")
