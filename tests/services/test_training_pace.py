"""How far a training is, by what lies in its folder."""

import os
import subprocess
import sys

import pytest

from medview.io.cards import WEIGHTS
from medview.services import training_pace
from medview.services.training_pace import Pace, memory_of, newest_preview


class Clock:
    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(training_pace, "time", made)
    return made


def curve(epoch):
    return {("train", "loss"): tuple((n, 1.0) for n in range(1, epoch + 1))}


def test_time_left_is_told_after_two_epochs_by_what_they_took(clock):
    pace = Pace()
    assert pace.told({}, 10, None) == {"seconds_left": None, "memory_mb": None}
    clock.now += 60  # what a start takes says nothing of an epoch
    assert pace.told(curve(1), 10, None)["seconds_left"] is None
    clock.now += 10
    assert pace.told(curve(3), 10, None)["seconds_left"] == pytest.approx(7 * 5.0)
    clock.now += 35
    assert pace.told(curve(10), 10, None)["seconds_left"] == 0
    assert pace.seconds == 105


def test_memory_is_that_of_the_process_and_none_where_it_is_gone():
    assert memory_of(os.getpid()) > 10
    assert memory_of(None) is None
    assert memory_of(2**22 + 1) is None


def test_memory_of_the_children_counts():
    before = memory_of(os.getpid())
    work = "held = bytearray(100_000_000); print(len(held), flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout.readline()
        assert memory_of(os.getpid()) > before + 90
    finally:
        child.communicate(b"\n")


def test_the_newest_weights_are_those_of_the_last_epoch(tmp_path):
    assert newest_preview(tmp_path) is None
    for name in ("0002", "0010", "draft"):
        (tmp_path / "preview" / name).mkdir(parents=True)
        (tmp_path / "preview" / name / WEIGHTS).touch()
    assert newest_preview(tmp_path) == tmp_path / "preview" / "0010" / WEIGHTS
