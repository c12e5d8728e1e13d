"""Cases as the recipe changes them, one after another."""

from pathlib import Path

import pytest

from medview.domain.errors import DataError
from medview.domain.varied import Varied
from medview.services.session import Session
from medview.services.varying import Varying

DATA = Path("/cases/cases.csv")


@pytest.fixture
def varying(jobs):
    return Varying(jobs, Session())


def test_each_case_is_asked_for_by_its_number(varying, jobs):
    numbers = []
    for _ in range(3):
        varying.show_next("anomaly", DATA)
        numbers.append(jobs.last.args[3])
        jobs.last.finish(Varied(f"c{numbers[-1]}", "turned"))
    assert (numbers, varying.shown.case, varying.is_busy) == ([0, 1, 2], "c2", False)
    assert jobs.last.args[:2] == ("anomaly", (str(DATA),))


def test_what_cannot_be_drawn_is_said_and_a_stop_is_not(varying, jobs):
    varying.show_next("anomaly", DATA)
    assert varying.is_busy
    jobs.last.fail(DataError("no cases", do="Add some."))
    assert (varying.why_not, varying.is_busy) == ("no cases. Add some.", False)
    varying.show_next("anomaly", DATA)
    assert varying.why_not == ""
    jobs.last.cancel()
    assert varying.why_not == ""


def test_of_other_cases_it_begins_with_the_first_and_hears_nothing_of_the_former(varying, jobs):
    told = []
    varying.show_next("anomaly", DATA)
    former = jobs.last
    varying.changed.connect(lambda: told.append(varying.shown))
    varying.forget()
    former.finish(Varied("c0", "turned"))
    assert (varying.shown, told) == (None, [None])
    varying.show_next("cxr", DATA)
    assert jobs.last.args[3] == 0
