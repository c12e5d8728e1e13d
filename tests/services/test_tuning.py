"""Cases are read once before a training can start, and those that were read here are gathered."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from services.stubs import LaterWriter

from medview.domain.case_check import Fault, Tried
from medview.domain.errors import OUT_OF_MEMORY, DataError, InputRefused, WorkerDied
from medview.domain.local_case import LocalCase, LocalCases
from medview.domain.measurement import Measurement
from medview.services.session import Session
from medview.services.settings import Preferences
from medview.services.tuning import AT_ONCE, Tuning

FOUND = {"cases": 3, "patients": 3, "sites": 0, "parts": {"": 3}, "labels": {}, "skipped": []}
REGION = Measurement(1, "ellipse", ((0, 0, 0), (5, 5, 0)), (1, 0, 0), (0, 1, 0))


@pytest.fixture
def tuning(jobs, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path))
    preferences = Preferences(tmp_path / "settings.json")
    made = Tuning(jobs, Session(), preferences)
    made.wish(version=version_of(made, "anomaly"))
    return made


def version_of(tuning, model):
    return next(each.name for each in tuning.choices() if each.card.id == model)


def surveyed(tuning, jobs, found=FOUND):
    tuning.look(Path("/cases/cases.csv"))
    jobs.running("finetune:survey")[0].finish(found)
    return jobs.running("case_check:check")[0]


def test_start_waits_until_each_case_was_read_once(tuning, jobs):
    job = surveyed(tuning, jobs)
    assert (tuning.now.phase, job.lane) == ("checking", "train")
    assert tuning.start() is None
    job.finish({**FOUND, "cases": 2, "skipped": [("c1", "it is damaged.")]})
    assert (tuning.now.phase, tuning.now.is_checked, tuning.now.found["cases"]) == (
        "ready",
        True,
        2,
    )
    assert tuning.start() is not None


def test_who_does_not_wait_may_start_with_what_was_counted(tuning, jobs):
    surveyed(tuning, jobs).cancel()
    assert (tuning.now.phase, tuning.now.is_checked) == ("ready", False)
    assert tuning.now.found == FOUND


def test_a_file_that_ends_the_reader_is_one_case_and_the_check_goes_on(tuning, jobs):
    job = surveyed(tuning, jobs)
    fault = Fault("s/a", "a", "it is damaged")
    for part in (
        Tried("s/a", "a"),
        Tried("s/a", "a", is_over=True, fault=fault),
        Tried("s/b", "b"),
    ):
        job.send(part)
    job.fail(WorkerDied("the process ended"))
    (again,) = jobs.running("case_check:check")
    _, _, tried, faults, _ = again.args
    assert tried == ("s/a", "s/b")
    assert [one.case for one in faults] == ["a", "b"]
    assert "ended at this file" in faults[1].text
    again.finish(FOUND)
    assert tuning.now.phase == "ready"


def test_a_reader_that_ends_by_itself_is_told_and_not_started_again(tuning, jobs):
    surveyed(tuning, jobs).fail(WorkerDied("the process ended", do="Try again."))
    assert jobs.running("case_check:check") == []
    assert (tuning.now.phase, tuning.now.refused) == (
        "empty",
        "cases.csv: the process ended. Try again.",
    )


def test_other_cases_end_a_check_that_still_runs(tuning, jobs):
    first = surveyed(tuning, jobs)
    second = surveyed(tuning, jobs)
    assert first.is_over
    second.finish(FOUND)
    assert tuning.now.phase == "ready"


def test_nothing_usable_starts_nothing(tuning, jobs):
    surveyed(tuning, jobs).finish({**FOUND, "cases": 0, "skipped": [("a", "damaged.")]})
    assert (tuning.now.phase, tuning.start()) == ("empty", None)


# -- cases of studies read here ----------------------------------------------------------------


def case(number, *, labelled=True, wrong=""):
    cells = (("case", f"c{number}"), ("patient", f"p{number}"), ("label", "0"))
    return LocalCase(f"c{number}", f"p{number}", f"P{number}", cells, "normal", labelled, wrong)


def gathered(tuning, jobs, *cases, **fields):
    tuning.library.look(tuning.now.model, **fields)
    job = jobs.running("local_work:gather")[0]
    job.finish(LocalCases(cases))
    return job.args[0]


def test_what_is_open_and_what_was_opened_before_is_looked_through(tuning, jobs, tmp_path):
    tuning._preferences.remember(tmp_path / "studies")
    tuning._session.drawings = {"1.1#0": (REGION,)}
    wish = gathered(tuning, jobs, case(1), states=True)
    assert wish.paths == (tmp_path / "studies",)
    assert (wish.model, wish.states, wish.drawings) == ("anomaly", True, (("1.1#0", (REGION,)),))
    assert wish.open_now is tuning._session.catalogue
    assert wish.results == tmp_path / "results"


def test_cases_with_a_label_are_chosen_and_others_cannot_be(tuning, jobs):
    gathered(tuning, jobs, case(1), case(2, labelled=False), case(3))
    assert tuning.library.chosen == {"c1", "c3"}
    tuning.library.choose("c2", on=True)
    tuning.library.choose("c3", on=False)
    assert tuning.library.chosen == {"c1"}
    gathered(tuning, jobs, case(1), case(2), case(3), states=True)
    assert tuning.library.chosen == {"c1", "c2"}  # what was left out stays out


def test_the_chosen_cases_are_written_and_looked_at_like_any_case_list(tuning, jobs):
    gathered(tuning, jobs, case(1), case(2))
    tuning.library.choose("c2", on=False)
    tuning.library.use()
    job = jobs.running("local_work:write")[0]
    path, cases = job.args
    assert [one.case for one in cases] == ["c1"]
    job.finish(str(path))
    assert tuning.now.data == path
    assert jobs.running("finetune:survey")


def test_none_chosen_writes_nothing(tuning, jobs):
    gathered(tuning, jobs, case(1))
    tuning.library.choose("c1", on=False)
    assert tuning.library.use() is None


def test_another_model_has_other_cases(tuning, jobs):
    gathered(tuning, jobs, case(1))
    tuning.wish(version=version_of(tuning, "cxr"))
    assert tuning.library.found == ()


def test_a_refusal_is_kept_in_words(tuning, jobs):
    tuning.library.look("icu")
    assert tuning.library.is_looking
    jobs.running("local_work:gather")[0].fail(InputRefused("no cases", do="Choose a case list."))
    assert (tuning.library.refused, tuning.library.is_looking) == (
        "no cases. Choose a case list.",
        False,
    )


def test_who_stops_the_search_is_told_nothing(tuning, jobs):
    tuning.library.look("anomaly")
    jobs.running("local_work:gather")[0].cancel()
    assert (tuning.library.refused, tuning.library.is_looking) == ("", False)


@pytest.mark.parametrize("private", [False, True])
def test_what_goes_on_is_what_was_begun_whatever_was_chosen_since(tuning, jobs, private):
    surveyed(tuning, jobs).finish(FOUND)
    tuning._session.private = private
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
def under_way(tuning, jobs):
    """A training that runs, with a disk that takes its time."""
    surveyed(tuning, jobs).finish(FOUND)
    tuning.start()
    tuning.folder.mkdir(exist_ok=True)
    tuning._preferences.writer = LaterWriter()
    return SimpleNamespace(tuning=tuning, disk=tuning._preferences.writer)


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
    said = under_way.tuning._session.message.text
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
    return under_way.tuning._session.message.ways


def test_where_memory_ran_out_a_smaller_batch_is_offered_until_it_can_be_no_smaller(
    under_way, jobs
):
    def batch():
        recipe = jobs.running("finetune:finetune")[-1].args[0].train.recipe
        return recipe["batch"], recipe["attention_batch"]

    assert batch() == (32, 12)
    sizes = []
    while found := ways(jobs, under_way):
        (way,) = found
        assert way.text == "Smaller batch"
        way.take()
        answered(under_way.disk)
        sizes.append(batch())
    assert sizes == [(16, 6), (8, 3), (4, 2), (2, 2)]


def test_a_smaller_batch_is_not_for_other_cases(under_way, jobs, tmp_path):
    (way,) = ways(jobs, under_way)
    surveyed(under_way.tuning, jobs).finish(FOUND)
    under_way.tuning.state.set(data=tmp_path / "others.csv")
    way.take()
    assert jobs.running("finetune:finetune") == []
    assert "Other cases were chosen" in under_way.tuning._session.message.text


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


# -- what is kept of it ------------------------------------------------------------------------


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
    assert (trained.tuning.now.phase, trained.tuning.runs.exists()) == ("done", False)
    trained.disk.go_on()
    assert len(list(trained.tuning.runs.iterdir())) == 1
    assert [now.phase for now in told] == ["done"] * 2


# -- a rate, and a locked set ------------------------------------------------------------------


def test_a_rate_is_searched_for_what_was_chosen_and_forgotten_with_it(tuning, jobs):
    assert tuning.rates.find() is None
    surveyed(tuning, jobs).finish(FOUND)
    job = tuning.rates.find()
    assert job.args[0].train.data == ("/cases/cases.csv",)
    assert (tuning.now.is_finding, tuning.rates.can_find) == (True, False)
    job.finish({"suggested": 3e-4})
    assert (tuning.now.is_finding, tuning.now.rates["suggested"]) == (False, 3e-4)
    tuning.wish(method="head")
    assert tuning.now.rates == {}


def test_no_rate_is_searched_for_a_calibration(tuning, jobs):
    tuning.wish(version=version_of(tuning, "cxr"), method="calibrate")
    surveyed(tuning, jobs).finish(FOUND)
    assert tuning.now.may_start
    assert tuning.rates.find() is None


def test_a_method_that_the_model_chosen_next_does_not_have_is_not_kept(tuning):
    tuning.wish(version=version_of(tuning, "brain-age-armed"), method="site-effects")
    assert tuning.now.wish.method == "site-effects"
    tuning.wish(version=version_of(tuning, "cxr"))
    assert tuning.now.wish.method == "full"
    tuning.wish(method="calibrate")
    assert tuning.now.wish.method == "calibrate"


@pytest.mark.parametrize(
    "choose_others",
    [lambda tuning: tuning.wish(method="head"), lambda tuning: tuning.look(Path("/other.csv"))],
    ids=["method", "cases"],
)
def test_a_rate_of_a_training_that_is_not_chosen_any_more_is_not_told(tuning, jobs, choose_others):
    surveyed(tuning, jobs).finish(FOUND)
    job = tuning.rates.find()
    choose_others(tuning)
    job.finish({"suggested": 3e-4})
    assert (tuning.now.is_finding, tuning.now.rates) == (False, {})


def test_other_cases_forget_the_rate_that_was_found(tuning, jobs):
    surveyed(tuning, jobs).finish(FOUND)
    tuning.rates.find().finish({"suggested": 3e-4})
    tuning.look(Path("/other.csv"))
    assert tuning.now.rates == {}


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda job, rates: rates.stop(), {}),
        (
            lambda job, rates: job.fail(WorkerDied("it ended", do="Again.")),
            {"why": "it ended. Again."},
        ),
    ],
)
def test_a_search_that_does_not_end_well_leaves_words_or_nothing(tuning, jobs, end, said):
    surveyed(tuning, jobs).finish(FOUND)
    end(tuning.rates.find(), tuning.rates)
    assert (tuning.now.is_finding, tuning.now.rates) == (False, said)


def test_a_locked_set_with_patients_of_the_cases_stops_the_start(tuning, jobs):
    surveyed(tuning, jobs).finish(FOUND)
    tuning.locked.choose(Path("/cases/locked.csv"))
    job = jobs.running("look_at_locked")[-1]
    assert job.args == ("anomaly", ("/cases/cases.csv",), ("/cases/locked.csv",))
    job.finish({"what": "2 patients are in both", "cases": 4})
    assert (tuning.now.not_locked, tuning.start()) == ("2 patients are in both.", None)
    tuning.locked.choose(None)
    assert tuning.now.not_locked == ""
    assert tuning.start() is not None


def test_a_locked_set_that_cannot_be_read_is_told_and_counted_again_with_other_cases(tuning, jobs):
    tuning.locked.choose(Path("/cases/locked.csv"))
    assert jobs.running("look_at_locked") == []
    surveyed(tuning, jobs)
    jobs.running("look_at_locked")[-1].fail(InputRefused("no cases", do="Choose a case list."))
    assert tuning.now.not_locked == "no cases. Choose a case list."


def test_nobody_waits_for_the_disk_to_delete_a_training_and_the_next_finds_nothing(trained, jobs):
    tuning = trained.tuning
    trained.finish()
    (tuning.folder / "checkpoint").mkdir(parents=True)
    tuning.reject()
    assert (tuning.now.phase, tuning.folder.exists()) == ("ready", True)
    begun = len(jobs.running("finetune:finetune"))
    assert tuning.start() is None
    assert (tuning.now.phase, len(jobs.running("finetune:finetune"))) == ("running", begun)
    (tuning.folder / "left over").touch()
    trained.finish()
    assert len(jobs.running("finetune:finetune")) == begun + 1
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
