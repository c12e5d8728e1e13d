"""Which rule fits which study, and which series goes where."""

from dataclasses import replace

import pytest
from phantoms import geometry_of
from services.stubs import series_of

from medview.domain.resources import resource
from medview.domain.study import Study
from medview.services.hanging_file import rules_in
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


@pytest.mark.parametrize("word", ["голова", "頭部"])
def test_words_of_any_language_are_words(word):
    skull, other = (subject(one("1.1", text)) for text in (f"{word.upper()}_T1 x", "T1 x"))
    for rule in (Rule("a", "1x1", (PaneRule(words=(asked,)),)) for asked in (word, f"{word} t1")):
        assert placed(rule, skull) is not None
        assert placed(rule, other) is None
