"""Figures of variants, by hand."""

import numpy as np
import pytest

from medview.domain.ablation import Scored
from medview.learning import ablation_figures
from medview.learning.ablation_figures import compared


def test_few_patients_have_a_difference_but_no_interval():
    one = Scored("age", ("mae",), ("a", "b"), ("p", "p"), (1.0, 2.0), (1.5, 2.5))
    other = Scored("age", ("mae",), ("a", "b"), ("p", "p"), (1.0, 2.0), (1.0, 3.0))
    default, bad = compared({("default", 0, "1"): (one,), ("bad", 0, "1"): (other,)})
    assert (default["mean"], default["value_low"]) == (0.5, None)
    assert (bad["difference"], bad["low"], bad["p"]) == (0.0, None, None)


def test_a_patient_with_two_cases_is_drawn_with_both():
    rng = np.random.default_rng(0)
    truth = rng.normal(50, 10, 60)
    score = truth + np.repeat(rng.normal(0, 5, 30), 2)
    cases, patients = [str(n) for n in range(60)], [str(n // 2) for n in range(60)]

    def width(who):
        row = compared(
            {
                ("default", 0, "1"): (
                    Scored("age", ("mae",), tuple(cases), tuple(who), tuple(truth), tuple(score)),
                )
            }
        )[0]
        return row["value_high"] - row["value_low"]

    assert width(patients) > 1.2 * width(cases)


def test_only_folds_that_both_have_are_compared():
    def run(shift, base):
        cases = tuple(f"{base}{n}" for n in range(6))
        return (Scored("age", ("mae",), cases, cases, (0.0,) * 6, (float(shift),) * 6),)

    runs = {
        ("default", 0, "1"): run(1, "a"),
        ("default", 0, "2"): run(9, "b"),
        ("x", 0, "1"): run(2, "a"),
    }
    row = next(row for row in compared(runs) if row["variant"] == "x")
    assert (row["difference"], row["runs"]) == (1.0, 1)


def test_a_seed_that_was_stopped_half_way_does_not_weigh_like_a_whole_one():
    def run(error, base):
        cases = tuple(f"{base}{n}" for n in range(6))
        return (Scored("age", ("mae",), cases, cases, (0.0,) * 6, (float(error),) * 6),)

    runs = {
        ("default", 0, "1"): run(1, "a"),
        ("default", 0, "2"): run(3, "b"),
        ("default", 1, "1"): run(9, "a"),
        ("x", 0, "1"): run(2, "a"),
        ("x", 0, "2"): run(4, "b"),
    }
    default, other = compared(runs)
    assert (default["mean"], default["runs"], default["n"]) == (2.0, 3, 12)
    assert (other["mean"], other["difference"]) == (3.0, 1.0)


def test_all_draws_of_a_curve_at_once_are_those_one_by_one(monkeypatch):
    rng = np.random.default_rng(0)
    truth = tuple((rng.random(40) < 0.4).astype(float))
    people = tuple(f"p{n // 2}" for n in range(40))
    cases = tuple(map(str, range(40)))
    names = ("roc_auc", "pr_auc")
    runs = {
        (variant, seed, "1"): (
            Scored("death", names, cases, people, truth, tuple(rng.random(40).round(1))),
        )
        for variant in ("default", "other")
        for seed in (0, 1)
    }
    monkeypatch.setattr(ablation_figures, "REPEATS", 60)
    fast = compared(runs)
    monkeypatch.setattr(ablation_figures, "WEIGHTED", {})
    slow = compared(runs)
    for one, two in zip(fast, slow, strict=True):
        for key in ("value_low", "value_high", "difference", "low", "high", "p"):
            assert one[key] == pytest.approx(two[key], abs=1e-9)


def test_tasks_of_one_kind_have_a_row_of_their_mean():
    rng = np.random.default_rng(0)
    cases = tuple(map(str, range(40)))

    def run(shift):
        errors = {"a": 1.0 + shift, "b": 3.0 + shift, "c": 50.0}
        return tuple(
            Scored(task, ("mae",), cases, cases, (0.0,) * 40, tuple(e + rng.uniform(0, 1, 40)),
                   mean_of="both" if task != "c" else "")
            for task, e in errors.items()
        )  # fmt: skip

    runs = {("default", 0, "1"): run(0), ("worse", 0, "1"): run(2)}
    found = {(row["task"], row["variant"]): row for row in compared(runs)}
    assert [task for task, variant in found if variant == "worse"] == ["a", "b", "c", "both"]
    for name in ("mean", "difference"):
        parts = [found[task, "worse"][name] for task in ("a", "b")]
        assert found["both", "worse"][name] == pytest.approx(np.mean(parts))
    whole = found["both", "worse"]
    assert whole["low"] < whole["difference"] < whole["high"]
    # Of two tasks with errors of their own the mean is known better than either.
    assert whole["high"] - whole["low"] < found["a", "worse"]["high"] - found["a", "worse"]["low"]
    assert (whole["n"], whole["runs"]) == (40, 1)


def test_the_spread_is_over_runs_and_one_run_has_none():
    def run(*errors):
        cases = tuple(map(str, range(len(errors))))
        return (Scored("age", ("mae",), cases, cases, (0.0,) * len(errors), errors),)

    (row,) = compared({("default", s, "1"): run(float(s), 2.0) for s in (0, 1, 5)})
    assert row["sd"] == pytest.approx(np.std([1.0, 1.5, 3.5], ddof=1))
    assert (row["mean"], row["runs"]) == (2.0, 3)
    (row,) = compared({("default", 0, "1"): run(1.0)})
    assert row["sd"] is None


def test_the_correction_of_holm_by_hand_and_never_falls():
    rows = [{"p": p} for p in (0.04, 0.01, None, 0.03, 0.9, 0.6)]
    ablation_figures._holm(rows)
    # Sorted: 0.01 x 5, 0.03 x 4, 0.04 x 3 (no less than the one before), 0.6 x 2 and 0.9: 1.
    assert [row["p"] for row in rows] == pytest.approx([0.12, 0.05, None, 0.12, 1.0, 1.0])


def test_p_is_twice_the_smaller_tail_of_the_draws():
    rng = np.random.default_rng(3)
    cases = tuple(map(str, range(30)))
    apart = rng.normal(0.3, 1, 30)

    def run(score):
        return (Scored("x", ("cost",), cases, cases, (0.0,) * 30, tuple(score)),)

    row = compared({("default", 0, "1"): run(np.zeros(30)), ("x", 0, "1"): run(apart)})[1]
    # Cases stand in the order of their names in the draws.
    order = np.argsort(cases)
    dice = np.random.default_rng(0)
    means = np.array([apart[order[dice.integers(0, 30, 30)]].mean() for _ in range(1000)])
    assert row["p"] == pytest.approx(2 * min((means <= 0).mean(), (means >= 0).mean()))
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.percentile(means, (2.5, 97.5))))
    assert row["difference"] == pytest.approx(apart.mean())


@pytest.mark.parametrize(("people", "given"), [(4, False), (5, True)])
def test_five_patients_are_the_fewest_with_an_interval(people, given):
    cases = tuple(map(str, range(people)))
    errors = tuple(np.linspace(1, 2, people))
    one = Scored("age", ("mae",), cases, cases, (0.0,) * people, errors)
    (row,) = compared({("default", 0, "1"): (one,)})
    assert (row["value_low"] is not None) == given


def test_a_mean_over_tasks_passes_over_draws_in_which_a_task_has_no_value():
    drawn = [np.array([1.0, np.nan, np.nan]), np.array([3.0, 5.0, np.nan])]
    found = ablation_figures._together([None, *drawn])
    assert found == pytest.approx(np.array([2.0, 5.0, np.nan]), nan_ok=True)
    assert ablation_figures._together([None, drawn[0]]) is drawn[0]
    assert ablation_figures._together([None]) is None


def test_variants_that_were_asked_of_other_cases_are_not_compared():
    def run(base):
        cases = tuple(f"{base}{n}" for n in range(6))
        return (Scored("age", ("mae",), cases, cases, (0.0,) * 6, (1.0,) * 6),)

    _, other = compared({("default", 0, "1"): run("a"), ("x", 0, "1"): run("b")})
    assert (other["difference"], other["p"], other["test"]) == (None, None, "")
