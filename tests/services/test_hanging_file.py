"""Rules of hanging as text: read, refused line by line, written."""

import pytest

from medview.domain.errors import UsageError
from medview.domain.geometry import Plane
from medview.domain.resources import resource
from medview.services.hanging_file import rule_text, rules_in, with_rule, without_rule
from medview.services.hanging_rules import PaneRule, Rule

SHIPPED = rules_in(resource("hanging.toml").read_text("utf-8"))

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
        ('layout = ["1x1"]', "can only be one of mpr, 1x1"),
        ('layout = "1x1"\npanes = [{ side = ["L"] }]', "can only be one of L, R"),
        ('layout = "1x1"\npanes = [{ window = [inf, 40] }]', "key of a preset"),
        ('layout = "1x1"\npanes = [{ window = [80, nan] }]', "key of a preset"),
        (f'layout = "1x1"\npanes = [{{ window = [1{"0" * 400}, 5] }}]', "key of a preset"),
    ],
)
def test_a_rule_with_a_fault_is_left_out_by_name_and_the_others_stay(line, said):
    text = f'[[rule]]\nname = "odd"\n{line}\n\n[[rule]]\nname = "good"\nlayout = "1x1"\n'
    rules, wrong = rules_in(text)
    assert [rule.name for rule in rules] == ["good"]
    assert wrong[0].startswith("rule 1 “odd”: ")
    assert said in wrong[0]


@pytest.mark.parametrize(
    "text", ["[[rule]\n", "x = 1\n", "rule = 3\n", "x = 1" + "0" * 5000, "x = " + "[" * 9000]
)
def test_what_is_no_file_of_rules_is_refused(text):
    with pytest.raises(UsageError):
        rules_in(text)


def test_a_rule_is_taken_away_by_name_and_the_others_stay_as_they_were_written():
    others = f"# mine\n\n[[rule]]\n{rule_text(EVERYTHING)}# the end\n"
    both = with_rule(others, Rule("a", "1x1"))
    assert rules_in(without_rule(both, "a")) == ((EVERYTHING,), ())
    assert without_rule(both, "a") == others
    assert without_rule(others, "nobody") == others


def test_words_about_rules_in_a_comment_begin_none_and_a_rule_may_be_written_with_blanks():
    notes = "# a [[rule]] a line\n"
    odd = f'{notes}[[ rule ]]\nname = " a "\nlayout = "1x1"\n'
    made = with_rule(odd, Rule("b", "1x1"))
    assert made.startswith(notes)
    assert [rule.name for rule in rules_in(made)[0]] == ["b", "a"]
    assert rules_in(without_rule(made, "a")) == ((Rule("b", "1x1"),), ())
    assert without_rule(notes, "a") == notes
