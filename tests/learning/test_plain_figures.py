"""Single figures by hand."""

import numpy as np
import pytest

from medview.learning.cxr_metrics import DECISIONS, decided
from medview.learning.cxr_scored import DECISIONS as SCORED
from medview.learning.plain_figures import balanced_accuracy, bias_slope, figure


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


def test_decisions_at_one_half_by_hand():
    truth = np.array([1, 1, 1, 0, 0, 0, 0, 0.0])
    score = np.array([0.9, 0.8, 0.1, 0.7, 0.2, 0.2, 0.2, 0.2])
    assert figure("accuracy", truth, score) == pytest.approx(6 / 8)
    assert figure("g_mean", truth, score) == pytest.approx(np.sqrt(2 / 3 * 4 / 5))
    assert figure("f1_weighted", truth, score) == pytest.approx((3 * 2 / 3 + 5 * 4 / 5) / 8)
    assert np.isnan(figure("g_mean", np.ones(3), np.ones(3)))
    weighted = np.sqrt((3 * 2 / 3 + 5 * 4 / 5) / 8 * (3 * 4 / 5 + 5 * 2 / 3) / 8)
    assert figure("g_mean_weighted", truth, score) == pytest.approx(weighted)
    assert np.isnan(figure("g_mean_weighted", np.ones(3), np.ones(3)))


@pytest.mark.parametrize("name", list(DECISIONS))
def test_a_comparison_and_a_measurement_mean_the_same_by_a_name(name):
    dice = np.random.default_rng(5)
    truth, score = dice.random(60) < 0.3, dice.random(60)
    people = [str(n) for n in range(60)]
    assert figure(name, truth.astype(float), score) == pytest.approx(
        decided(name, truth, score, people).value
    )
    assert name in SCORED
