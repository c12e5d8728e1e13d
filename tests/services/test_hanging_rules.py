"""Which rule fits which study; rules as they are read and written."""

from dataclasses import replace

import pytest
from phantoms import geometry_of
from services.stubs import series_of

from medview.domain.errors import UsageError
from medview.domain.geometry import Plane
from medview.domain.resources import resource
from medview.domain.study import Study
from medview.services.hanging_file import rule_text, rules_in, with_rule
from medview.services.hanging_rules import PaneRule, Rule, Subject, placed


def one(uid, description="", modality="MR", slices=20, **fields):
    known = {"modality": modality, "description": description, "geometry": geometry_of()}
    return replace(series_of(uid, **(known | fields)), size=(24, 20, slices))


def subject(*series, opened=0, prior=None, words=""):
    study = Study("1", "2026-01-02", words, series=series)
    return Subject(study, series[opened], lambda each: prior)


def names(found):
    return None if found is None else [each.uid for each in found]


SHIPPED = rules_in(resource("hanging.toml").read_text("utf-8"))


def first(about):
    return next((r.name for r in SHIPPED[0] if r.auto and placed(r, about) is not None), "")


def test_every_shipped_rule_can_be_read():
    assert SHIPPED[1] == ()
    assert len({rule.name for rule in SHIPPED[0]}) == len(SHIPPED[0]) >= 10


BRAIN = tuple(
    one(f"1.{n}", text, body_part="HEAD")
    for n, text in enumerate(("t1_mprage sag", "T1 ax GD", "T2 TSE ax", "T2_FLAIR ax", "DWI b1000"))
)
OLD = one("9.1", "T1 old")


@pytest.mark.parametrize(
    ("about", "wanted"),
    [
        (subject(*BRAIN), "MR of the brain: T1, T2, FLAIR, diffusion"),
        (subject(*BRAIN, prior=OLD), "MR of the brain beside the earlier one"),
        (subject(BRAIN[0]), ""),
        (subject(one("2", modality="DX", slices=1)), ""),
        (subject(one("2", modality="DX", slices=1), prior=OLD), "Film beside the earlier one"),
        (subject(*(one(f"3.{n}", modality="CR", slices=1) for n in (1, 2))), "Film in two views"),
        (
            subject(one("4", "Thorax 1.0", "CT", body_part="CHEST")),
            "CT of the chest: soft tissue and lung",
        ),
        (subject(one("4", "cCT nativ", "CT"), words="CT Head"), "CT of the head: brain and bone"),
        (subject(one("4", "Abdomen", "CT")), ""),
        (subject(one("5", "anything", "")), ""),
    ],
)
def test_a_study_is_hung_by_the_first_rule_that_fits(about, wanted):
    assert first(about) == wanted


def test_words_say_which_series_goes_into_which_pane():
    rule = next(r for r in SHIPPED[0] if r.name.startswith("MR of the brain: T1"))
    assert names(placed(rule, subject(*BRAIN))) == ["1.0", "1.2", "1.3", "1.4"]
    assert placed(rule, subject(*BRAIN[:4])) is None


def test_mammograms_lie_back_to_back():
    views = [("R CC", "R"), ("L CC", "L"), ("R MLO", "R"), ("L MLO", "L")]
    films = [one(f"5.{n}", text, "MG", 1, laterality=side) for n, (text, side) in enumerate(views)]
    rule = next(r for r in SHIPPED[0] if r.modality == ("MG",))
    assert names(placed(rule, subject(*reversed(films)))) == ["5.0", "5.1", "5.2", "5.3"]


def test_a_scout_is_not_hung_in_place_of_the_volume():
    scout, volume = one("6.1", "Topogram", "CT", 1), one("6.2", "Thorax", "CT")
    rule = next(r for r in SHIPPED[0] if r.name.startswith("CT of the chest"))
    about = subject(scout, volume, words="CT chest")
    assert names(placed(rule, about)) == ["6.2", "6.2"]


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"modality": ("CT",)}, False),
        ({"body": ("knee",)}, False),
        ({"series": (6, 9)}, False),
        ({"series": (1, 5)}, True),
        ({"prior": True}, False),
        ({"prior": False}, True),
        ({"panes": (PaneRule(number=5),)}, True),
        ({"panes": (PaneRule(number=6),)}, False),
        ({"panes": (PaneRule(again=True),)}, False),
        ({"panes": (PaneRule(words=("dwi",)), PaneRule(words=("dwi",)))}, False),
    ],
)
def test_all_that_a_rule_asks_for_must_hold(changes, fits):
    rule = replace(Rule("r", "1x2"), **changes)
    assert (placed(rule, subject(*BRAIN)) is not None) is fits


EVERYTHING = Rule(
    "Knee “left”",
    "2x2",
    (
        PaneRule(words=("pd fs", "stir"), without=("scout",), side="L", plane=Plane.SAGITTAL),
        PaneRule(number=3, window="5", slices=8),
        PaneRule(source="prior", like=2, window=(350.0, -40.5)),
        PaneRule(again=True),
    ),
    ("MR", "CT"),
    ("knee",),
    (2, 6),
    prior=True,
    auto=False,
)


@pytest.mark.parametrize("rule", [EVERYTHING, Rule("a", "mpr"), *SHIPPED[0]], ids=lambda r: r.name)
def test_a_rule_comes_back_as_it_was_written(rule):
    assert rules_in(with_rule("", rule)) == ((rule,), ())


def test_a_new_rule_stands_before_the_others_and_all_else_stays():
    text = f"# mine\n\n[[rule]]\n{rule_text(EVERYTHING)}# the end\n"
    made = with_rule(text, Rule("a", "1x1"))
    assert [rule.name for rule in rules_in(made)[0]] == ["a", EVERYTHING.name]
    assert made.startswith("# mine\n")
    assert made.endswith("# the end\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('layout = "4x9"', "can only be one of mpr, 1x1"),
        ("", "layout is None"),
        ('layout = "1x1"\ncolour = 3', "“colour” is not known here"),
        ('layout = "1x1"\nprior = "yes"', "prior can only be true or false"),
        ('layout = "1x1"\nseries = 0', "no number from 1 on"),
        ('layout = "1x1"\npanes = [{}, {}]', "more entries than 1x1 has panes"),
        ('layout = "mpr"\npanes = [{}, {}]', "one entry at most"),
        ('layout = "1x1"\npanes = [{ window = "x" }]', "key of a preset"),
        ('layout = "1x1"\npanes = [{ window = [0, 40] }]', "key of a preset"),
        ('layout = "1x1"\npanes = [{ plane = "up" }]', "axial, coronal, sagittal"),
        ('layout = "1x1"\npanes = [{ from = "prior" }]', "does not stand before it"),
        ('layout = "1x1"\nmodality = 3', "no list of words"),
    ],
)
def test_a_rule_with_a_fault_is_left_out_by_name_and_the_others_stay(line, said):
    text = f'[[rule]]\nname = "odd"\n{line}\n\n[[rule]]\nname = "good"\nlayout = "1x1"\n'
    rules, wrong = rules_in(text)
    assert [rule.name for rule in rules] == ["good"]
    assert wrong[0].startswith("rule 1 “odd”: ")
    assert said in wrong[0]


@pytest.mark.parametrize("text", ["[[rule]\n", "x = 1\n", "rule = 3\n"])
def test_what_is_no_file_of_rules_is_refused(text):
    with pytest.raises(UsageError):
        rules_in(text)
