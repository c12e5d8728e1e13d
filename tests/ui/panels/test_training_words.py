"""What the training panel says of pace, health and differences."""

from dataclasses import replace

import pytest

from medview.domain.training import Place
from medview.services.tuned import Tuned, Wish
from medview.ui.panels.training_words import (
    counted_words,
    difference_lines,
    duration,
    group_words,
    health_words,
    pace_words,
    score_words,
    worse_sentences,
    worse_words,
)

CPU = Place("CPU", 2)
CURVES = {("train", "loss"): ((1, 0.5), (2, 0.25)), ("val", "loss"): ((1, 0.6), (2, 0.4))}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2.0 h")],
)
def test_time_is_said_in_one_unit(seconds, said):
    assert duration(seconds) == said


def test_pace_is_told_as_far_as_it_is_known():
    assert pace_words(Tuned("running")) == ""
    now = Tuned(
        "running", found={"cases": 30}, epochs=12, curves=CURVES, seconds_left=100.0,
        memory_mb=512.4, is_paused=True, place=CPU,
    )  # fmt: skip
    assert pace_words(now) == (
        "paused · 100\u00a0s\u00a0left · 3.0\u00a0cases/s · CPU, 2 threads · 512\u00a0MB"
    )


def test_at_the_last_epoch_no_pace_is_made_up():
    now = Tuned("running", found={"cases": 30}, epochs=2, curves=CURVES, seconds_left=0.0,
                place=CPU)  # fmt: skip
    done = "all epochs are done, old and new are measured"
    assert pace_words(now) == f"{done} · CPU, 2 threads"
    several = replace(now, wish=Wish(folds=5))
    assert pace_words(several) == "all epochs of this part are done · CPU, 2 threads"


@pytest.mark.parametrize(
    ("place", "said"),
    [(None, ""), (Place("CPU", 1), "CPU"), (Place("NVIDIA A4000", 8), "NVIDIA A4000")],
)
def test_the_device_is_named_as_soon_as_the_training_tells_it(place, said):
    assert pace_words(Tuned("running", place=place)) == said


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ({}, "training 0.250 · validation 0.400"),
        (
            {"health": [{"name": "active_units", "value": 61, "ok": True}]},
            "healthy · active units 61",
        ),
        (
            {"health": [{"name": "mean_loss", "value": 0.5, "ok": True},
                        {"name": "spread", "value": 9.0, "ok": False, "text": "too wide"},
                        {"name": "drift", "value": 1.0, "ok": False}]},
            "spread 9 (too wide) · drift 1 (not healthy) · mean loss 0.5",
        ),
        (
            {"calibrated": [{"what": "probability", "score": "severe", "value": 1.5, "n": 40}]},
            "probability of severe × 1.50, 40 local cases",
        ),
    ],
)  # fmt: skip
def test_health_is_what_the_training_says_else_the_last_figures(outcome, said):
    assert health_words(Tuned("done", curves=CURVES, outcome=outcome)) == said


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ("validation", "Held out"),
        ("reference", "Locked set"),
        ("site:north", "Site north, left out"),
        ("reference, site:north", "Locked set: site north"),
    ],
)
def test_a_group_is_named_for_people(group, said):
    assert group_words(group) == said


def difference(group="validation", value=-1.25, low=-2.0, high=-0.5, name="mae"):
    one = {"task": "age", "level": "case", "name": name, "subset": "", "group": group}
    return one | {"new_minus_old": value, "low": low, "high": high}


def lines(*differences, worse=()):
    metrics = [
        {**{key: one[key] for key in ("task", "level", "name", "subset", "group")},
         "predictor": who, "value": value}
        for one in differences
        for who, value in (("old", 5.25), ("new", 4.0))
    ]  # fmt: skip
    return difference_lines({"differences": differences, "metrics": metrics, "worse": worse})


def test_a_line_has_old_new_and_the_difference_with_its_interval():
    head, line = lines(difference())
    assert head.cells == ("", "before", "after", "difference", "")
    told = ("Mean absolute error", "5.25", "4.00", "−1.25", "−2.00 to −0.50")
    assert line.cells == told
    assert line.look == "good"


@pytest.mark.parametrize(
    ("one", "worse", "look"),
    [
        (difference(low=-2.0, high=0.5), (), ""),
        (difference(value=1.0, low=0.5, high=2.0), ("validation mae",), "worse"),
        (difference(name="coverage", low=-0.2, high=-0.1), (), ""),
        (difference(low=None, high=None), (), ""),
        # An error that rises at one site is worse there, also where nothing is listed.
        (difference("site:a", value=1.0, low=0.5, high=2.0), (), "worse"),
        (difference(name="pearson_r", value=-0.1, low=-0.2, high=-0.05), (), "worse"),
        (difference(name="pearson_r", value=0.1, low=0.05, high=0.2), (), "good"),
    ],
)
def test_only_what_is_sure_is_good_and_some_figures_are_neither(one, worse, look):
    assert lines(one, worse=worse)[-1].look == look


def test_sites_come_after_all_of_them_under_a_name_of_their_own():
    made = lines(difference("reference, site:a"), difference(), difference("reference"))
    assert [line.cells[0] for line in made if len(line.cells) == 1] == [
        "Locked set",
        "Locked set: site a",
    ]


def test_of_several_tasks_each_line_says_which_in_words():
    made = lines(difference() | {"task": "brixia_total"}, difference() | {"task": "severe"})
    assert [line.cells[0] for line in made[1:]] == [
        "Brixia total mean absolute error",
        "Severe mean absolute error",
    ]


def test_without_a_difference_there_is_no_table():
    assert difference_lines({}) == []
    assert lines(difference(value=None))[1].cells[3] == "–"


def test_a_difference_is_told_with_the_decimals_of_what_it_is_between():
    one = difference(value=-0.0289, low=-0.0741, high=0.0002)
    assert lines(one)[1].cells[3:] == ("\u22120.03", "\u22120.07 to 0.00")


def test_of_several_tasks_each_figure_says_what_it_is_of():
    made = lines(difference(), difference() | {"task": "sex", "level": "slice"})
    assert [line.cells[0] for line in made[1:]] == [
        "Age mean absolute error", "Sex slice mean absolute error",
    ]  # fmt: skip


def test_a_difference_that_looks_like_nothing_has_no_colour():
    assert lines(difference(value=-0.0001, low=-0.0003, high=-0.0001))[1].look == ""


def test_of_two_figures_of_one_name_only_the_worse_one_is_marked():
    same = {"low": None, "high": None}
    one = difference(name="roc_auc", value=0.5, **same) | {"level": "case"}
    other = difference(name="roc_auc", value=-0.5, **same) | {"level": "slice"}
    made = lines(one, other, worse=("validation roc_auc",))
    assert [line.look for line in made[1:]] == ["", "worse"]


def test_worse_on_few_cases_is_not_called_clear():
    few = difference(value=1.0, low=None, high=None) | {"level": "slice"}
    found = {"differences": [difference(value=1.0, low=0.5, high=2.0), few]}
    assert worse_sentences(found) == ""
    assert worse_sentences({**found, "worse": ["validation mae"]}) == (
        "Clearly worse: Mean absolute error, held out.\n"
        "Worse, on too few cases to be sure: Slice mean absolute error, held out."
    )


@pytest.mark.parametrize(
    ("cases", "said"), [(0, ""), (1, "1 case held out"), (12, "12 cases held out")]
)
def test_how_many_cases_were_held_out_is_said(cases, said):
    assert counted_words(cases) == said


@pytest.mark.parametrize(
    ("score", "said"),
    [
        ("severe", "Probability of a severe course, each case"),
        ("brixia_total", "Brixia total, each case"),
    ],
)
def test_the_table_of_cases_says_what_it_tells_of_each(score, said):
    assert score_words(score) == said


def test_what_became_worse_is_said_in_words():
    assert worse_words(("validation mae", "reference roc_auc")) == (
        "mean absolute error, held out; ROC AUC, locked set"
    )
    assert worse_words(()) == ""
