"""Trainings beside each other: the same as alone, told together, ended together, gone on with."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch
from walks import walks

from medview.domain.errors import Cancelled, DataError, MedviewError
from medview.domain.progress import Silent
from medview.learning import side_by_side
from medview.learning.checkpoint import CHECKPOINT, EpochReport, read_checkpoint
from medview.learning.side_by_side import Terms, TimeLeft, train_each, weights


class Heard(Silent):
    """Progress that remembers what it was told; cancelled after so many epochs."""

    def __init__(self, most=99):
        self.most, self.texts, self.shares, self.epochs = most, [], [], []

    def report(self, done, total, text=""):
        self.texts.append(text)
        self.shares.append((done, total))

    def check(self):
        if len(self.epochs) >= self.most:
            raise Cancelled("stopped by the user")

    def partial(self, payload):
        self.epochs.append(payload)


def train(job, trainings, **terms):
    return list(train_each(job, trainings, Terms(**terms)))


def places(made):
    return torch.stack([each.place for each in made])


slow = pytest.mark.slow
"""Each process of a training takes seconds to begin."""


def test_beside_each_other_they_become_the_very_same_and_are_told_as_one(tmp_path):
    names = ("one", "two", "three")
    alone, told = Heard(), Heard()
    wanted = train(alone, walks(tmp_path / "a", *names))
    given = walks(tmp_path / "b", *names)
    made = train(told, given, at_once=2)
    assert torch.equal(places(made), places(wanted))
    assert [(each.epoch, each.stopped) for each in made] == [(3, "epochs")] * 3
    # Where one is trained after the other it is known in which order they speak.
    assert alone.texts[:2] == ["one: learning", "one: epoch 1 / 3"]
    assert alone.shares[-1] == (9, 9)
    assert alone.shares[5] == (4, 9)
    assert set(told.texts) == set(alone.texts)
    # Epochs of the third, which has nobody beside it, take as long as two of the others.
    assert told.shares[-1] == (12, 12)
    assert len(told.epochs) == 9
    assert all(isinstance(each, EpochReport) for each in told.epochs)


@slow
def test_each_has_a_process_of_its_own_on_one_thread(tmp_path, seeded):
    torch.set_num_threads(3)
    given = walks(tmp_path, "one", "two")
    networks = train_each(Silent(), given, Terms(at_once=4))
    first, told = next(networks), (given[1].folder / "pid").read_text().split()
    assert first.place.any()
    assert (int(told[0]) != os.getpid(), told[1]) == (True, "1")
    assert not side_by_side.multiprocessing.active_children()
    assert torch.get_num_threads() == 3
    train(Silent(), given)
    assert (given[1].folder / "pid").read_text().split() == [str(os.getpid()), "3"]


@slow
def test_one_that_ends_early_says_why_and_the_whole_is_done(tmp_path):
    told = Heard()
    given = walks(tmp_path, "one", "two", epochs=9, tired_after=2)
    assert [each.stopped for each in train(told, given, at_once=2)] == ["patience"] * 2
    told = Heard()
    given = walks(tmp_path / "b", "one", "two", epochs=9, tired_after=2)
    assert [each.stopped for each in train(told, given)] == ["patience"] * 2
    assert told.shares[-1] == (11, 18)  # nine are done with the first, two of the second


def test_one_that_is_killed_is_told_and_gone_on_with_to_the_same_end(tmp_path):
    wanted = train(Silent(), walks(tmp_path / "whole", "one", "two"))
    first, second = walks(tmp_path / "out", "one", "two")
    with pytest.raises(MedviewError, match="ended without a word") as caught:
        train(Silent(), [replace(first, accident="killed"), second], at_once=2)
    assert "on one processor thread" in caught.value.do
    assert read_checkpoint(first.folder, names=("epoch",), run=None)["epoch"] == 2
    assert not side_by_side.multiprocessing.active_children()
    told = Heard()
    again = train(told, [first, second], at_once=2, resume=True)
    assert torch.equal(places(again), places(wanted))
    assert told.shares[0][0] >= 2  # what was done before counts from the start


@slow
def test_what_one_refuses_is_raised_in_its_own_words_and_ends_the_others(tmp_path):
    first, second = walks(tmp_path, "one", "two", pace_s=0.1, epochs=1000)
    with pytest.raises(DataError, match="the brain is upside down") as caught:
        train(Silent(), [replace(first, accident="refused"), second], at_once=2)
    assert (caught.value.file, caught.value.do) == ("a.nii", "Turn it.")
    assert not side_by_side.multiprocessing.active_children()


@slow
def test_a_mistake_in_one_stays_what_it_is(tmp_path, capfd):
    first, second = walks(tmp_path, "one", "two")
    with pytest.raises(ZeroDivisionError, match="of a network"):
        train(Silent(), [replace(first, accident="mistake"), second], at_once=2)


@slow
def test_who_stops_them_stops_all_and_their_checkpoints_stay(tmp_path):
    given = walks(tmp_path, "one", "two", "three", pace_s=0.1, epochs=1000)
    with pytest.raises(Cancelled):
        train(Heard(most=6), given, at_once=3)
    assert not side_by_side.multiprocessing.active_children()
    assert any((each.folder / CHECKPOINT).is_file() for each in given)


@slow
def test_while_the_reader_pauses_none_goes_on(tmp_path):
    class Pausing(Heard):
        """Waits in one check for as long as many epochs take."""

        paused, heard = (), 0

        def check(self):
            if len(self.epochs) >= 4 and not self.paused:
                self.heard = len(self.epochs)
                time.sleep(1.0)
                self.paused = tuple(self.done())

        def done(self):
            for each in given:
                if (each.folder / CHECKPOINT).is_file():
                    yield read_checkpoint(each.folder, names=("epoch",), run=None)["epoch"]

    given = walks(tmp_path, "one", "two", epochs=100)
    told = Pausing()
    train(told, given, at_once=2)
    most = told.heard + 2  # each may have ended the epoch that it was in
    assert told.heard <= sum(told.paused) <= most


@slow
def test_the_time_is_shared_and_said_to_be_up(tmp_path):
    given = walks(tmp_path, "one", "two", "three", epochs=1000)
    made = train(Silent(), given, at_once=2, minutes=0.0)
    assert [(each.epoch, each.stopped) for each in made] == [(1, "time")] * 3
    again = train(Silent(), given, minutes=0.0, resume=True)
    assert [(each.epoch, each.stopped) for each in again] == [(2, "time")] * 3


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(side_by_side.time, "monotonic", lambda: now[0])
    return now


def test_each_training_gets_an_equal_part_of_the_time_that_is_left(clock):
    left = TimeLeft.of(10, 3)
    assert left.next_end() == pytest.approx(1000 + 200)
    clock[0] += 320  # it was late: the others share what is left
    assert left.next_end() == pytest.approx(1320 + 140)
    clock[0] += 10  # it was early
    assert left.next_end() == pytest.approx(1330 + 270)
    assert TimeLeft.of(None, 3).next_end() == float("inf")


def test_those_beside_each_other_have_the_same_time(clock):
    left = TimeLeft.of(10, 5, at_once=2)
    assert [left.next_end(), left.next_end()] == pytest.approx([1200, 1200])
    clock[0] += 100  # both were early
    assert [left.next_end(), left.next_end()] == pytest.approx([1350, 1350])
    clock[0] += 300
    assert left.next_end() == pytest.approx(1600)


def test_epochs_weigh_by_how_many_are_trained_beside_them():
    assert weights("abcdef", 4) == {**dict.fromkeys("abcd", 1.0), "e": 2.0, "f": 2.0}
    assert weights("abc", 1) == dict.fromkeys("abc", 1.0)
    assert weights("", 4) == {}


def test_where_no_process_can_be_started_it_is_said_what_to_do(tmp_path, monkeypatch):
    def none(self):
        raise OSError("Too many open files")

    monkeypatch.setattr("multiprocessing.context.SpawnProcess.start", none)
    with pytest.raises(MedviewError, match="no process can be started for one") as caught:
        train(Silent(), walks(tmp_path, "one", "two"), at_once=2)
    assert "on one processor thread" in caught.value.do


class OtherPipe:
    """An end of a pipe that is of no class of this system, as those of Windows are."""

    def __init__(self, end):
        self.end = end

    def __getattr__(self, name):
        return getattr(self.end, name)


def test_ends_of_pipes_of_any_class_are_listened_to(tmp_path, monkeypatch):
    class Impatient(Heard):
        checks = 0

        def check(self):
            self.checks += 1
            assert self.checks < 9, "nobody listened"

    def start(crew, training):
        ours, theirs = side_by_side.multiprocessing.Pipe()
        theirs.send(("ended", "epochs"))
        gone = side_by_side.multiprocessing.Process()
        crew.running[OtherPipe(ours)] = training.name, gone
        held.append(theirs)

    held = []
    monkeypatch.setattr(side_by_side._Crew, "_start", start)
    given = walks(tmp_path, "one", "two")
    told = side_by_side.Told.of(Impatient(), given, {"one": 0, "two": 0}, {})
    crew = side_by_side._Crew(told, False, lambda name: 0.0)
    assert crew.train(given, 2) == {"one": "epochs", "two": "epochs"}


_TRAIN = """
import sys
from pathlib import Path
from walks import walks
from medview.domain.progress import Silent
from medview.learning.side_by_side import Terms, train_each
given = walks(Path(sys.argv[1]), "one", "two", pace_s=60.0)
list(train_each(Silent(), given, Terms(at_once=2)))
"""


@slow
def test_when_the_parent_is_killed_they_leave_in_the_middle_of_an_epoch(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", _TRAIN, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    pids = [tmp_path / name / "pid" for name in ("one", "two")]
    until = time.monotonic() + 120
    while not all(each.is_file() and each.read_text() for each in pids):
        assert time.monotonic() < until
        time.sleep(0.05)
    children = [psutil.Process(int(each.read_text().split()[0])) for each in pids]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
