"""What a snapshot of a fine-tuning says of itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from medview.services.tuned import Tuned, TuningState, Wish

LIST, FOLDER = Path("/data/cases.csv"), Path("/data/cases")


def now(data=LIST, sites=3, **wish):
    return Tuned("ready", data, {"cases": 9, "sites": sites}, wish=Wish("anomaly@1.0", **wish))


@pytest.mark.parametrize(
    ("snapshot", "can", "trainings"),
    [
        (now(), True, 1),
        (now(sites=1, folds=5), False, 6),
        (now(folds=5, sites=3), True, 6),
        (replace(now(), wish=Wish("anomaly@1.0", folds=5, sites=True)), True, 9),
        (replace(now(FOLDER), wish=Wish("anomaly@1.0", sites=True)), False, 1),
        (replace(now(FOLDER), wish=Wish("anomaly@1.0", "calibrate", sites=True)), True, 1),
    ],
)
def test_trainings_are_counted_with_parts_and_sites(snapshot, can, trainings):
    assert (snapshot.can_leave_sites, snapshot.trainings) == (can, trainings)


def test_the_model_is_that_of_the_version():
    assert (now().model, Tuned().model) == ("anomaly", "")


@pytest.mark.parametrize("phase", ["empty", "looking", "checking", "running"])
def test_without_cases_that_were_read_nothing_may_start(phase):
    assert not replace(now(), phase=phase).may_start


@pytest.mark.parametrize("phase", ["ready", "stopped", "done", "kept"])
def test_the_same_cases_may_be_trained_on_again(phase):
    assert replace(now(), phase=phase).may_start


def test_a_locked_set_that_is_none_stops_the_start():
    assert now().may_start
    assert not replace(now(), not_locked="2 patients are in both.").may_start


def test_worse_on_the_locked_set_is_told_from_worse_elsewhere():
    worse = ["reference age mae", "validation age mae"]
    snapshot = replace(now(), outcome={"before_after": {"worse": worse}})
    assert snapshot.worse == tuple(worse)
    assert snapshot.worse_on_locked == ("reference age mae",)


def test_every_change_is_told_with_the_whole():
    state, told = TuningState(), []
    state.changed.connect(told.append)
    state.set(phase="looking")
    state.set(data=LIST)
    assert [(each.phase, each.data) for each in told] == [("looking", None), ("looking", LIST)]
    assert state.now is told[-1]
