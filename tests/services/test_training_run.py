"""A training is begun, followed, stopped and gone on with, however slow the disk is."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from services.stubs import FOUND, LaterWriter, surveyed

from medview.domain.errors import OUT_OF_MEMORY, DataError, WorkerDied
from medview.domain.training import Place, Rounds
from medview.services.training_run import AT_ONCE


@pytest.mark.parametrize("private", [False, True])
def test_what_goes_on_is_what_was_begun_whatever_was_chosen_since(
    tuning, jobs, empty_session, private
):
    surveyed(tuning, jobs).finish(FOUND)
    empty_session.private = private
    tuning.wish(method="head", epochs=7)
    tuning.start()
    (tuning.folder / "checkpoint").mkdir(parents=True)
    tuning.stop()
    assert tuning.now.phase == "stopped"
    tuning.wish(method="full", epochs=9)
    tuning.look(Path("/cases/others.csv"))
    jobs.running("finetune:survey")[-1].finish({**FOUND, "cases": 99})
    jobs.running("case_check:check")[-1].finish({**FOUND, "cases": 99})
    assert tuning.now.phase == "stopped"
    tuning.start(resume=True)
    train = jobs.running("finetune:finetune")[-1].args[0].train
    assert (train.method, train.recipe["epochs"], train.data) == ("head", 7, ("/cases/cases.csv",))
    assert (tuning.now.wish.method, tuning.now.found["cases"]) == ("head", 3)


def test_where_a_training_runs_is_what_it_says_itself(tuning, jobs):
    surveyed(tuning, jobs).finish(FOUND)
    tuning.start()
    assert tuning.now.place is None
    jobs.running("finetune:finetune")[-1].send(Place("CPU", 2))
    assert tuning.now.place == Place("CPU", 2)
    jobs.running("finetune:finetune")[-1].send(Rounds(20))
    assert tuning.now.epochs == 20
    tuning.stop()
    tuning.start()
    assert tuning.now.place is None


@pytest.fixture
def stopped(tuning, jobs):
    """A training that was stopped and has a checkpoint; from now on the disk takes its time."""
    surveyed(tuning, jobs).finish(FOUND)
    tuning.start()
    (tuning.folder / "checkpoint").mkdir(parents=True)
    tuning.stop()
    assert tuning.now.phase == "stopped"
    tuning._preferences.writer = LaterWriter()
    return tuning


def disk_answers(tuning):
    while tuning._preferences.writer.waiting:
        tuning._preferences.writer.go_on()


def test_finish_twice_before_the_disk_has_answered_finishes_once(stopped, jobs):
    stopped.start(resume=True)
    for _ in range(3):
        stopped.finish_now()
    assert stopped.now.is_finishing
    disk_answers(stopped)
    (job,) = jobs.running("finetune:finetune")
    assert job.args[0].train.max_minutes == AT_ONCE
    assert (stopped.now.phase, stopped.now.is_finishing) == ("running", True)


def test_finish_again_leaves_what_finishes_and_later_still_ends_it(stopped, jobs):
    stopped.start(resume=True)
    disk_answers(stopped)
    stopped.finish_now()
    stopped.finish_now()
    disk_answers(stopped)
    (job,) = jobs.running("finetune:finetune")
    stopped.finish_now()
    assert not job.is_over
    stopped.stop()
    disk_answers(stopped)
    assert (job.is_over, stopped.now.phase, stopped.now.is_finishing) == (True, "stopped", False)


def test_later_after_finish_counts_and_ends_it_once(stopped, jobs):
    stopped.start(resume=True)
    disk_answers(stopped)
    stopped.finish_now()
    stopped.stop()
    disk_answers(stopped)
    assert (stopped.now.phase, jobs.running("finetune:finetune")) == ("stopped", [])


# -- how far it is -----------------------------------------------------------------------------


@pytest.fixture
def under_way(tuning, jobs, empty_session):
    """A training that runs, with a disk that takes its time."""
    surveyed(tuning, jobs).finish(FOUND)
    tuning.start()
    tuning.folder.mkdir(exist_ok=True)
    tuning._preferences.writer = LaterWriter()
    disk = tuning._preferences.writer
    return SimpleNamespace(tuning=tuning, disk=disk, session=empty_session)


def epochs_done(tuning, count):
    rows = "".join(f"{n},train,loss,{1 / n}\n" for n in range(1, count + 1))
    (tuning.folder / "history.csv").write_text(f"epoch,part,name,value\n{rows}")


def test_the_curve_is_read_beside_the_window_once_at_a_time(under_way):
    epochs_done(under_way.tuning, 2)
    for _ in range(3):
        under_way.tuning.refresh()
    assert (len(under_way.disk.waiting), under_way.tuning.now.epoch) == (1, 0)
    under_way.disk.go_on()
    assert under_way.tuning.now.epoch == 2
    under_way.tuning.refresh()
    assert len(under_way.disk.waiting) == 1


def test_a_curve_that_comes_after_the_end_is_left(under_way, jobs):
    epochs_done(under_way.tuning, 2)
    under_way.tuning.refresh()
    under_way.tuning.stop()
    assert len(under_way.disk.waiting) == 2
    under_way.disk.waiting.reverse()  # as if the first answer had lain about
    under_way.disk.go_on()
    before = under_way.tuning.now
    assert (before.phase, before.epoch) == ("ready", 2)
    under_way.disk.go_on()
    assert under_way.tuning.now is before


def test_cases_that_a_training_refuses_are_told_until_it_starts_again(under_way, jobs):
    tuning = under_way.tuning
    jobs.running("finetune:finetune")[-1].fail(DataError("too few patients", file="cases.csv"))
    under_way.disk.go_on()
    assert (tuning.now.phase, tuning.now.refused) == ("ready", "cases.csv: too few patients.")
    tuning.start()
    assert tuning.now.refused == ""


def test_where_memory_ran_out_it_is_said_what_takes_less(under_way, jobs):
    died = WorkerDied("the process that trains ran out of memory", code=OUT_OF_MEMORY, do="Wait.")
    jobs.running("finetune:finetune")[-1].fail(died)
    said = under_way.session.message.text
    assert "Close other programs, then start it again" in said
    assert "Wait." not in said


def answered(disk):
    while disk.waiting:
        disk.go_on()


def ways(jobs, under_way):
    """The ways on after memory ran out once more."""
    died = WorkerDied("the process that trains ran out of memory", code=OUT_OF_MEMORY)
    jobs.running("finetune:finetune")[-1].fail(died)
    answered(under_way.disk)
    return under_way.session.message.ways


def test_where_memory_ran_out_a_smaller_batch_is_offered_until_it_can_be_no_smaller(
    under_way, jobs
):
    def batch():
        recipe = jobs.running("finetune:finetune")[-1].args[0].train.recipe
        return recipe["batch"], recipe["attention_batch"]

    assert batch() == (12, 12)
    sizes = []
    while found := ways(jobs, under_way):
        (way,) = found
        assert way.text == "Smaller batch"
        way.take()
        answered(under_way.disk)
        sizes.append(batch())
    assert sizes == [(6, 6), (3, 3), (2, 2)]


def test_a_smaller_batch_is_not_for_other_cases(under_way, jobs, tmp_path):
    (way,) = ways(jobs, under_way)
    surveyed(under_way.tuning, jobs).finish(FOUND)
    under_way.tuning.state.set(data=tmp_path / "others.csv")
    way.take()
    assert jobs.running("finetune:finetune") == []
    assert "Other cases were chosen" in under_way.session.message.text


def test_a_disk_that_cannot_be_read_is_tried_again(under_way, monkeypatch):
    def gone(folder):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("medview.services.training_folder.curves_in", gone)
        under_way.tuning.refresh()
        under_way.disk.go_on()
    epochs_done(under_way.tuning, 1)
    under_way.tuning.refresh()
    under_way.disk.go_on()
    assert under_way.tuning.now.epoch == 1


@pytest.fixture
def trained(tuning, jobs, monkeypatch):
    """A training that is done, with a disk that takes its time."""
    surveyed(tuning, jobs).finish(FOUND)
    tuning.start()
    tuning._preferences.writer = LaterWriter()
    jobs.running("finetune:finetune")[-1].finish({"epochs": 2})
    made = []
    monkeypatch.setattr(
        "medview.services.tuning_outcome.register",
        lambda weights, name: made.append(name) or SimpleNamespace(name=f"anomaly@{name}"),
    )
    disk = tuning._preferences.writer

    def finish():
        while disk.waiting:
            disk.go_on()

    return SimpleNamespace(tuning=tuning, made=made, disk=disk, finish=finish)


def test_the_run_is_kept_beside_the_window_and_the_panel_told_of_it(trained):
    told = []
    trained.tuning.changed.connect(told.append)
    trained.disk.go_on()
    assert (trained.tuning.now.phase, trained.tuning.earlier.folder.exists()) == ("done", False)
    trained.disk.go_on()
    assert len(list(trained.tuning.earlier.folder.iterdir())) == 1
    assert [now.phase for now in told] == ["done"] * 2


def test_nobody_waits_for_the_disk_to_delete_a_training_and_the_next_finds_nothing(trained, jobs):
    tuning = trained.tuning
    trained.finish()
    (tuning.folder / "checkpoint").mkdir(parents=True)
    tuning.reject()
    assert (tuning.now.phase, tuning.folder.exists()) == ("ready", True)
    begun = len(jobs.running("finetune:finetune"))
    assert tuning.start()
    assert tuning.job is None
    assert (tuning.now.phase, len(jobs.running("finetune:finetune"))) == ("running", begun)
    (tuning.folder / "left over").touch()
    trained.finish()
    assert len(jobs.running("finetune:finetune")) == begun + 1
    assert tuning.job is jobs.running("finetune:finetune")[-1]
    assert [path.name for path in tuning.folder.iterdir()] == ["wish.json"]


def test_a_training_that_the_disk_has_not_let_begin_can_be_stopped(trained, jobs):
    tuning = trained.tuning
    trained.finish()
    tuning.reject()
    begun = len(jobs.running("finetune:finetune"))
    tuning.start()
    tuning.stop()
    trained.finish()
    assert (tuning.now.phase, len(jobs.running("finetune:finetune"))) == ("ready", begun)
