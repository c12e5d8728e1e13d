"""What trainings took and left is kept, and told of once another is found on the disk."""

import pytest
from services.stubs import FOUND, LaterWriter

from medview.services.earlier_trainings import EarlierTrainings
from medview.services.runs import RUNS
from medview.services.tasks import Tasks
from medview.services.tuned import TuningState, Wish


@pytest.fixture
def state():
    made = TuningState()
    made.set(wish=Wish("anomaly@1.0", "head", epochs=10), found=FOUND, memory_mb=700.0)
    return made


@pytest.fixture
def earlier(jobs, session, state, preferences):
    return EarlierTrainings(Tasks(jobs, session), state, preferences)


def test_the_time_of_a_training_is_expected_of_the_next_of_its_kind(earlier, state, tmp_path):
    assert earlier.expected() is None
    earlier.keep(tmp_path / "training", None, {"epochs": 5}, 60.0)
    found = earlier.expected()
    assert (found.seconds, found.memory_mb) == (120.0, 700.0)
    state.set(wish=Wish("anomaly@1.0", "full", epochs=10))
    assert earlier.expected() is None
    state.set(wish=Wish("anomaly@1.0", "head", epochs=10), found={})
    assert earlier.expected() is None


def test_a_cross_validation_is_expected_by_its_networks(earlier, state, tmp_path, monkeypatch):
    earlier.keep(tmp_path / "training", None, {"epochs": 5}, 60.0)
    state.set(wish=Wish("anomaly@1.0", "head", epochs=5, folds=5))
    at_once = "medview.services.training_notes.networks_at_once"
    monkeypatch.setattr(at_once, lambda mb, threads, device: 1)
    assert earlier.expected().seconds == 360.0
    monkeypatch.setattr(at_once, lambda mb, threads, device: 4)
    assert earlier.expected() is None  # networks side by side were never trained here
    earlier.keep(tmp_path / "training", None, {"epochs": 5}, 100.0)
    assert earlier.expected().seconds == 100.0


def test_who_shows_how_many_there_are_is_told_of_another(jobs, session, state, preferences):
    preferences.writer = LaterWriter()
    earlier, told = EarlierTrainings(Tasks(jobs, session), state, preferences), []
    assert earlier.folder == preferences.folder / RUNS
    state.changed.connect(told.append)
    (earlier.folder / "one").mkdir(parents=True)
    assert earlier.count == 0
    while preferences.writer.waiting:
        preferences.writer.go_on()
    assert (earlier.count, len(told)) == (1, 1)


def test_folders_are_read_in_the_child_for_files(earlier, jobs, tmp_path):
    told = []
    earlier.read([tmp_path], told.append, told.append)
    (job,) = jobs.running("runs:read_all")
    assert (job.lane, job.args) == ("files", ((tmp_path,),))
    job.finish(("run",))
    assert told == [("run",)]
