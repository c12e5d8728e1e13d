"""One number that makes probabilities honest, chosen by cases that it is not used on."""

import numpy as np
import pytest

from medview.learning.temperature import (
    best_temperature,
    calibration_error,
    calibration_interval,
    calmed,
    calmed_by_others,
    reliability,
)


def overconfident(n=4000, factor=2.5, seed=0):
    """Probabilities whose logits are `factor` times too far from zero, and what happened."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(-1, 1, n)
    truth = rng.random(n) < 1 / (1 + np.exp(-logit))
    return 1 / (1 + np.exp(-factor * logit)), truth


def test_a_certainty_that_was_wrong_calms_without_a_warning():
    score = np.array([1.0, 1.0, 0.0, 0.0, 1.0])
    truth = np.array([True, True, False, False, False])
    assert best_temperature(score, truth) > 10


def test_a_temperature_divides_the_logit():
    assert calmed(np.array([0.9]), 2.0)[0] == pytest.approx(1 / (1 + 9**-0.5))
    assert calmed(np.array([0.2, 0.5]), 1.0) == pytest.approx([0.2, 0.5])
    assert np.isfinite(calmed(np.array([0.0, 1.0]), 3.0)).all()
    each = calmed(np.array([0.9, 0.9]), np.array([1.0, 2.0]))
    assert each == pytest.approx([0.9, 1 / (1 + 9**-0.5)])


@pytest.mark.parametrize("factor", [0.1, 0.7, 1.0, 2.5])
def test_the_temperature_that_was_put_in_is_found(factor):
    assert best_temperature(*overconfident(factor=factor)) == pytest.approx(factor, rel=0.12)


@pytest.mark.parametrize("outcome", [True, False])
def test_without_both_outcomes_nothing_is_known(outcome):
    assert best_temperature(np.array([0.2, 0.9]), np.array([outcome, outcome])) == 1.0


def test_the_error_of_calibration_by_hand():
    score, truth = np.array([0.05, 0.15, 0.15, 1.0]), np.array([False, True, False, True])
    # Bins: 0 to 0.1 errs by 0.05, 0.1 to 0.2 by (1 - 0.15) - 0.15, the last by nothing.
    assert calibration_error(truth, score, np.ones((1, 4)))[0] == pytest.approx(0.75 / 4)
    # Counted twice, not at all, once and once: 2 x 0.05 and 0.15 of four.
    assert calibration_error(truth, score, np.array([[2.0, 0, 1, 1]]))[0] == pytest.approx(0.0625)


def test_a_probability_on_the_border_of_two_bins_is_in_the_upper_one():
    said = [point["said"] for point in reliability(np.array([0.1, 0.19, 0.2]), np.ones(3, bool))]
    assert said == [0.145, 0.2]


def test_without_parts_nothing_changes():
    score, truth = overconfident(20)
    assert calmed_by_others(score, truth, []).tolist() == score.tolist()
    assert calmed_by_others(score, truth, [np.arange(20)]).tolist() == score.tolist()


def test_weights_say_who_counts():
    one, two = overconfident(factor=3.0), overconfident(factor=1.0, seed=1)
    score, truth = (np.concatenate(pair) for pair in zip(one, two, strict=True))
    weight = np.repeat([1.0, 0.0], 4000)
    assert best_temperature(score, truth, weight) == pytest.approx(3.0, rel=0.12)


def test_left_out_parts_are_calmed_by_the_others_and_err_less():
    score, truth = overconfident()
    parts = np.array_split(np.arange(4000), 5)
    found = calmed_by_others(score, truth, parts)
    one = np.ones((1, 4000))
    before, after = (calibration_error(truth, p, one)[0] for p in (score, found))
    assert after < 0.5 * before
    others = np.setdiff1d(np.arange(4000), parts[0])
    own = calmed(score[parts[0]], best_temperature(score[others], truth[others]))
    assert found[parts[0]] == pytest.approx(own)
    changed = truth.copy()
    changed[parts[0]] = ~changed[parts[0]]
    again = calmed_by_others(score, changed, parts)
    assert again[parts[0]] == pytest.approx(own)  # no part has a say in its own temperature


def test_rows_of_no_part_stay():
    score, truth = overconfident(100)
    found = calmed_by_others(score, truth, [np.arange(40), np.arange(40, 80)])
    assert found[80:] == pytest.approx(score[80:])


def test_points_of_the_reliability_diagram():
    points = reliability(np.array([0.05, 0.07, 0.95, 1.0]), np.array([False, True, True, True]))
    assert points == [
        {"said": 0.06, "happened": 0.5, "n": 2},
        {"said": 0.975, "happened": 1.0, "n": 2},
    ]


def test_the_interval_of_the_calibration_error_is_over_patients():
    score, truth = overconfident(400)
    found = calibration_interval(truth, score, [f"p{n % 200}" for n in range(400)])
    assert found.value == pytest.approx(calibration_error(truth, score, np.ones((1, 400)))[0])
    assert found.low < found.value < found.high
    assert calibration_interval(truth[:3], score[:3], ["p", "q", "r"]).low is None


def test_the_interval_of_an_error_that_every_draw_exceeds_reaches_down_to_it():
    # Right in each of three bins: whoever is drawn, the error can only grow.
    score = np.repeat([0.25, 0.5, 0.75], 20)
    truth = np.concatenate([np.arange(20) < n for n in (5, 10, 15)])
    found = calibration_interval(truth, score, [f"p{n}" for n in range(60)])
    assert found.low == found.value == 0
    assert found.high > 0
