"""Finding a series in what was opened, and the reader's choices about it."""

from dataclasses import replace

import pytest

from medview.domain.study import (
    Catalogue,
    Choice,
    Patient,
    Series,
    Study,
    choice_for,
    first_few,
    follow_in_time,
)


def catalogue():
    """Two patients; the second has two studies, and one of its series split into two stacks."""
    first = Study("1.1", series=(Series("1.1.1"), Series("1.1.2")))
    second = Study("2.1", series=(Series("2.1.1"), Series("2.1.1", stack=1)))
    third = Study("2.2", series=(Series("2.2.1"),))
    return Catalogue((Patient("aaaa", studies=(first,)), Patient("bbbb", studies=(second, third))))


def test_all_series_come_in_the_order_of_the_list():
    keys = [series.key for series in catalogue().all_series()]
    assert keys == ["1.1.1#0", "1.1.2#0", "2.1.1#0", "2.1.1#1", "2.2.1#0"]
    assert Catalogue().all_series() == ()


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("1.1.2", "1.1.2#0"),
        ("2.1.1#1", "2.1.1#1"),
        ("2.1.1", "2.1.1#0"),  # of several stacks the first
        ("2.1.1#2", None),
        ("2.1", None),  # a study is no series
        ("", None),
    ],
)
def test_a_series_is_found_by_its_uid_or_by_uid_and_stack(key, found):
    series = catalogue().find(key)
    assert (series.key if series is not None else None) == found


def test_every_series_has_one_owner_and_a_stranger_none():
    whole = catalogue()
    for patient in whole.patients:
        for study in patient.studies:
            for series in study.series:
                # Also when it was read again, as another object.
                assert whole.owner(replace(series, description="read again")) == (patient, study)
    assert whole.owner(Series("9.9.9")) is None
    assert whole.owner(Series("1.1.1", stack=1)) is None


def test_echoes_and_components_do_not_follow_each_other_in_time():
    assert all(map(follow_in_time, (None, "time", "TriggerTime")))
    assert not any(map(follow_in_time, ("EchoTime", "component", "page")))


def test_what_was_chosen_for_one_series_goes_before_what_was_chosen_for_all():
    for_all, for_one = Choice(form="qform"), Choice("1.1.1", split_by="EchoTime")
    given = (for_one, for_all)
    assert choice_for(given, "1.1.1") == for_one
    assert choice_for(given, "1.1.2") == for_all
    assert choice_for(given[:1], "1.1.2") == choice_for((), "1.1.1") == Choice()
    # Of two for the same series the later one is what the reader wanted last.
    assert choice_for((for_one, replace(for_one, split_by="")), "1.1.1").split_by == ""


def test_of_series_to_choose_from_the_first_few_are_named():
    series = [Series("1", description="T1"), *(Series(f"{n}", modality="MR") for n in range(2, 7))]
    assert first_few(series[:2]) == '1#0 ("T1"), 2#0 ("MR")'
    assert first_few(series).endswith('4#0 ("MR") and 2 more')


@pytest.mark.parametrize(
    ("born", "seen", "years"),
    [
        ("1950-11-21", "2026-11-21", 76.0),
        ("1950-01-01", "1950-07-02", 0.5),
        (None, "2026-11-21", None),
        ("1950-11-21", "", None),
        ("yesterday", "2026-11-21", None),
        ("2027-01-01", "2026-11-21", None),
    ],
)
def test_age_is_that_on_the_day_of_the_study(born, seen, years):
    age = Patient("", birth_date=born).age_at(Study("", seen))
    assert age == (None if years is None else pytest.approx(years, abs=0.01))
