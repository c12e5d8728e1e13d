"""Trainings that share their time: each gets an equal part of what is left."""

from dataclasses import replace

import pytest

from medview.domain.progress import Silent
from medview.domain.training import TrainRequest
from medview.learning import anomaly_folds
from medview.learning.anomaly_folds import TimeLeft, train_to_end
from medview.learning.checkpoint import EpochReport


class Clock:
    """Time that passes as it is told."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(anomaly_folds.time, "perf_counter", found)
    return found


def test_the_minutes_count_for_all_trainings_together(clock):
    request = TrainRequest((), "", {}, max_minutes=10)
    left = TimeLeft.of(request, 3)
    assert left.next_deadline() == pytest.approx(1000 + 200)
    clock.now += 320  # it was late: the others share what is left
    assert left.next_deadline() == pytest.approx(1320 + 140)
    clock.now += 10  # it was early
    assert left.next_deadline() == pytest.approx(1330 + 270)
    assert TimeLeft.of(replace(request, max_minutes=None), 3).next_deadline() == float("inf")


def test_a_training_that_is_late_stops_after_its_epoch_and_says_so(clock):
    class Slow:
        """Takes a minute an epoch."""

        epoch, stopped = 0, "epochs"

        def fit(self):
            while self.epoch < 9:
                self.epoch += 1
                clock.now += 60
                yield EpochReport(self.epoch, 9, {("val", "loss"): 1.0}, 60.0, True)

    slow = Slow()
    left = TimeLeft.of(TrainRequest((), "", {}, max_minutes=2.5), 1)
    assert len(train_to_end(Silent(), slow, left, "")) == 3
    assert slow.stopped == "time"
