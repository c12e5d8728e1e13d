"""Cases are read once before a training can start, and those that were read here are gathered."""

from pathlib import Path

import pytest
from services.stubs import FOUND, surveyed, version_of

from medview.domain.case_check import Fault, Tried
from medview.domain.errors import InputRefused, WorkerDied
from medview.domain.local_case import LocalCase, LocalCases
from medview.domain.measurement import Measurement

REGION = Measurement(1, "ellipse", ((0, 0, 0), (5, 5, 0)), (1, 0, 0), (0, 1, 0))


def test_start_waits_until_each_case_was_read_once(tuning, jobs):
    job = surveyed(tuning, jobs)
    assert (tuning.now.phase, job.lane) == ("checking", "train")
    assert not tuning.start()
    job.finish({**FOUND, "cases": 2, "skipped": [("c1", "it is damaged.")]})
    assert (tuning.now.phase, tuning.now.is_checked, tuning.now.found["cases"]) == (
        "ready",
        True,
        2,
    )
    assert tuning.start()


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
    assert (tuning.now.phase, tuning.start()) == ("empty", False)


# -- cases of studies read here ----------------------------------------------------------------


def case(number, *, labelled=True, wrong=""):
    cells = (("case", f"c{number}"), ("patient", f"p{number}"), ("label", "0"))
    return LocalCase(f"c{number}", f"p{number}", f"P{number}", cells, "normal", labelled, wrong)


def gathered(tuning, jobs, *cases, **fields):
    tuning.library.look(tuning.now.model, **fields)
    job = jobs.running("local_work:gather")[0]
    job.finish(LocalCases(cases))
    return job.args[0]


def test_what_is_open_and_what_was_opened_before_is_looked_through(
    tuning, jobs, empty_session, tmp_path
):
    tuning._preferences.remember(tmp_path / "studies")
    empty_session.drawings = {"1.1#0": (REGION,)}
    wish = gathered(tuning, jobs, case(1), states=True)
    assert wish.paths == (tmp_path / "studies",)
    assert (wish.model, wish.states, wish.drawings) == ("anomaly", True, (("1.1#0", (REGION,)),))
    assert wish.open_now is empty_session.catalogue
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
    assert (tuning.now.not_locked, tuning.start()) == ("2 patients are in both.", False)
    tuning.locked.choose(None)
    assert tuning.now.not_locked == ""
    assert tuning.start()


def test_a_locked_set_that_cannot_be_read_is_told_and_counted_again_with_other_cases(tuning, jobs):
    tuning.locked.choose(Path("/cases/locked.csv"))
    assert jobs.running("look_at_locked") == []
    surveyed(tuning, jobs)
    jobs.running("look_at_locked")[-1].fail(InputRefused("no cases", do="Choose a case list."))
    assert tuning.now.not_locked == "no cases. Choose a case list."
