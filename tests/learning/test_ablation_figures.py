"""Figures of variants, by hand."""

import numpy as np
import pytest

from medview.domain.ablation import Scored
from medview.learning.ablation_figures import balanced_accuracy, bias_slope, compared, figure


def test_the_figures_by_hand():
    truth, score = np.array([20.0, 40.0, 60.0]), np.array([30.0, 40.0, 50.0])
    assert figure("mae", truth, score) == pytest.approx(20 / 3)
    assert figure("rmse", truth, score) == pytest.approx((200 / 3) ** 0.5)
    assert figure("pearson_r", truth, score) == pytest.approx(1.0)
    assert bias_slope(truth, score) == pytest.approx(-0.5)
    assert bias_slope(truth, np.full(3, 7.0)) == pytest.approx(-1.0)
    assert balanced_accuracy(np.array([0, 0, 1.0]), np.array([0.1, 0.9, 0.9])) == pytest.approx(
        0.75
    )
    assert figure("roc_auc", np.array([0, 0, 1.0]), np.array([0.1, 0.9, 0.8])) == pytest.approx(0.5)
    assert figure("dice", truth, score) == pytest.approx(40.0)


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
