"""The window while its child trains: its waits, and what a training leaves behind."""

import csv

import numpy as np
import pytest

from medview.cli.benches import train_window
from medview.cli.benches.studies import heads
from medview.cli.benches.train_run import Seen
from medview.cli.benches.train_window import window_rows
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine
from medview.domain.progress import Silent
from medview.learning.finetune import survey

SEEN = {
    "gaps_ms": [5.0] * 100, "epochs": 2, "before_mb": 200.0, "during_mb": 900.0,
    "after_mb": 210.0, "left": 0,
}  # fmt: skip


def context():
    return Context(Options(device="cpu", threads=1), ProgressLine(None, on_terminal=False))


def rows(monkeypatch, **seen):
    asked = []
    monkeypatch.setattr(train_window, "HEADS", 1)
    monkeypatch.setattr(train_window, "told_by", lambda *a: asked.append(a) or SEEN | seen)
    made = window_rows(context(), True)
    assert asked[0][3:] == (train_window.QUICK_RUN_S, 0, 1, "cpu")
    return made


def test_waits_and_memory_are_held_to_their_aims(monkeypatch):
    most, longest, during, grown, left = rows(monkeypatch)
    assert most.what.startswith("turn of the event loop while its child trains 2 epochs")
    assert (most.aim, longest.aim) == (50.0, 250.0)
    assert (during.value, during.met) == (900.0, None)
    assert (grown.value, grown.met) == (10.0, True)
    assert (left.value, left.met) == (0, True)


def test_what_a_training_leaves_behind_is_a_miss(monkeypatch):
    *_, grown, left = rows(monkeypatch, after_mb=270.0, left=1)
    assert (grown.met, left.met) == (False, False)


def test_the_highest_memory_is_kept_and_a_child_that_is_gone_has_none():
    seen = Seen()
    for memory in (300.0, None, 200.0):
        seen.meet(memory)
    assert seen.during_mb == 300.0


def test_made_up_heads_are_normal_cases_of_patients_of_their_own(tmp_path):
    found = survey(Silent(), "anomaly", (str(heads(tmp_path, 2)),))
    assert (found["cases"], found["patients"], found["labels"]) == (2, 2, {"label 0": 2})
    with (tmp_path / "cases.csv").open(newline="") as file:
        assert {row["brain"] for row in csv.DictReader(file)} == {"mask0.nii", "mask1.nii"}


@pytest.mark.slow
def test_a_real_window_trains_and_gives_its_memory_back(monkeypatch):
    monkeypatch.setattr(train_window, "GROWTH_MB", 200.0)
    made = window_rows(context(), True)
    assert np.isfinite([row.value for row in made]).all()
    assert made[-1].met
    assert made[-2].met
