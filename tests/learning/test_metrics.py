"""Figures of merit: known answers by hand, the library beside them, honest intervals."""

import numpy as np
import pytest

from medview.learning import metrics
from medview.learning.metrics import (
    CI,
    Difference,
    Interval,
    MetricRow,
    best_dice,
    curve_interval,
    mean_interval,
    median_interval,
    paired_difference,
    paired_mean_difference,
    peak_hit,
    pr_auc,
    roc_auc,
    win_interval,
)

TRUTH = np.array([True, False, True, False])
SCORE = np.array([0.9, 0.8, 0.7, 0.1])


def people(n, each=1):
    return [f"p{k}" for k in range(n) for _ in range(each)]


def test_areas_by_hand():
    # Of four pairs (positive, negative) three are in order.
    assert roc_auc(TRUTH, SCORE) == pytest.approx(3 / 4)
    # Hits at rank 1 (precision 1) and rank 3 (precision 2/3).
    assert pr_auc(TRUTH, SCORE) == pytest.approx((1 + 2 / 3) / 2)


def test_a_score_that_is_always_the_same_is_chance():
    flat = np.zeros(4)
    assert roc_auc(TRUTH, flat) == 0.5
    assert pr_auc(TRUTH, flat) == 0.5


def test_one_class_has_no_area():
    assert np.isnan(roc_auc(np.ones(3, bool), np.arange(3.0)))
    assert np.isnan(pr_auc(np.zeros(3, bool), np.arange(3.0)))
    assert curve_interval("roc_auc", np.ones(6, bool), np.arange(6.0), people(6)).value is None


def test_best_dice_by_hand():
    # Thresholds take 1, 2, 3, 4 pixels: Dice 2/3, 2/4, 4/5, 4/6.
    assert best_dice(TRUTH, SCORE) == pytest.approx(4 / 5)
    assert best_dice(TRUTH, TRUTH.astype(float)) == 1.0


def test_a_peak_hits_when_it_lies_in_the_truth():
    assert peak_hit(TRUTH, SCORE) == 1.0
    assert peak_hit(TRUTH, -SCORE) == 0.0
    assert peak_hit(TRUTH, np.zeros(4)) == 0.5


def test_ties_are_half_a_win():
    found = win_interval(np.array([2.0, 1.0, 0.0]), np.ones(3), ["a", "b", "c"])
    assert found.value == 0.5


@pytest.mark.parametrize("name", ["roc_auc", "pr_auc"])
def test_many_weighted_areas_are_those_of_the_library(name):
    rng = np.random.default_rng(0)
    truth = rng.random(60) < 0.3
    score = rng.integers(0, 12, 60).astype(float)  # many ties
    weights = rng.integers(0, 3, (5, 60)).astype(float)
    single = {"roc_auc": roc_auc, "pr_auc": pr_auc}[name]
    expected = [single(truth, score, row) for row in weights]
    assert metrics.CURVES[name](truth, score, weights) == pytest.approx(expected)


def test_shuffled_scores_are_chance_and_the_interval_covers_it():
    rng = np.random.default_rng(1)
    truth = np.tile([True, False], 200)
    found = curve_interval("roc_auc", truth, rng.random(400), people(40, 10))
    assert found.low < 0.5 < found.high
    assert found.value == pytest.approx(0.5, abs=0.08)


def test_few_patients_have_no_interval_however_many_slices():
    truth = np.tile([True, False], 100)
    found = curve_interval("roc_auc", truth, np.arange(200.0), people(4, 50))
    assert found.value is not None
    assert (found.low, found.high) == (None, None)


def test_slices_of_one_patient_are_drawn_together():
    # Each of eight patients says the same thing many times: repeating rows must not narrow it.
    values = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    once = mean_interval(values, people(8))
    often = mean_interval(np.repeat(values, 20), people(8, 20))
    assert often.high - often.low == pytest.approx(once.high - once.low)
    assert once.high - once.low > 0.2


def test_cases_without_a_figure_are_left_out_of_the_mean():
    assert mean_interval(np.array([0.2, np.nan, 0.4]), people(3)).value == pytest.approx(0.3)
    assert mean_interval(np.array([np.nan]), ["p"]).value is None


def test_one_far_off_case_does_not_move_a_median_with_its_interval_over_patients():
    values = np.r_[np.linspace(0.8, 1.2, 39), 30.0]
    found = median_interval(values, people(40))
    assert found.value == pytest.approx(np.median(values))
    assert 0.85 < found.low < found.value < found.high < 1.15
    assert median_interval(values[:2], people(2)) == Interval(float(np.median(values[:2])))
    assert median_interval(np.array([]), []) == Interval(None)


def test_a_paired_difference_of_a_score_with_itself_is_nothing():
    rng = np.random.default_rng(2)
    truth = np.tile([True, False], 30)
    score = rng.random(60)
    same = paired_difference("roc_auc", truth, score, score, people(12, 5))
    assert (same.value, same.low, same.high, same.p) == (0.0, 0.0, 0.0, 1.0)
    better = paired_difference("roc_auc", truth, truth + score, score, people(12, 5))
    assert better.low > 0
    assert better.p < 0.05


def test_an_interval_is_as_wide_as_the_error_of_the_mean_says():
    values = np.random.default_rng(4).normal(5, 2, 400)
    found = mean_interval(values, people(400))
    half = 1.96 * values.std() / np.sqrt(400)
    assert found.value == pytest.approx(values.mean())
    assert (found.value - found.low, found.high - found.value) == pytest.approx(
        (half, half), rel=0.12
    )


def test_the_interval_of_an_area_lies_about_its_value():
    rng = np.random.default_rng(5)
    truth = np.tile([True, False], 200)
    score = truth + rng.normal(0, 1, 400)
    found = curve_interval("roc_auc", truth, score, people(400))
    # Hanley and McNeil's standard error of an area of 0.76 with 200 and 200 is 0.024.
    assert found.value == pytest.approx(roc_auc(truth, score))
    assert found.low == pytest.approx(found.value - 1.96 * 0.024, abs=0.012)
    assert found.high == pytest.approx(found.value + 1.96 * 0.024, abs=0.012)


@pytest.mark.parametrize("name", ["roc_auc", "pr_auc"])
def test_unequal_weights_are_those_of_the_library(name):
    rng = np.random.default_rng(6)
    truth, score = np.tile([True, False], 30), rng.random(60)
    weight = rng.integers(1, 4, 60).astype(float)
    found = curve_interval(name, truth, score, people(4, 15), weight=weight)
    assert found.value == pytest.approx({"roc_auc": roc_auc, "pr_auc": pr_auc}[name](
        truth, score, weight))  # fmt: skip
    repeated = np.repeat(np.arange(60), weight.astype(int))
    alike = curve_interval(name, truth[repeated], score[repeated], ["p"] * len(repeated))
    assert found.value == pytest.approx(alike.value)


def test_a_draw_of_one_class_says_nothing_and_the_others_are_averaged():
    truth = np.array([True, False, True, False, True, True])
    score = np.array([0.9, 0.1, 0.2, 0.7, 0.5, 0.5])
    draw = np.array([0, 0, 1, 1, 2, 2])  # areas 1, 0 and none
    found = curve_interval("roc_auc", truth, score, people(6), draw=draw)
    assert found.value == 0.5


def test_a_paired_difference_says_who_is_ahead_and_by_how_much():
    truth = np.tile([True, False], 20)
    good, bad = truth.astype(float), 1.0 - truth
    few = paired_difference("roc_auc", truth, good, bad, people(4, 10))
    assert few == Difference(1.0, None, None, None)
    many = paired_difference("roc_auc", truth, bad, good, people(10, 4))
    assert (many.value, many.low, many.high) == (-1.0, -1.0, -1.0)
    assert many.p == pytest.approx(1 / 1000)


def test_a_difference_of_means_is_ours_less_theirs_over_patients():
    rng = np.random.default_rng(7)
    theirs = rng.normal(0, 1, 200)
    ours = theirs + 0.5 + rng.normal(0, 1, 200)
    found = paired_mean_difference(ours, theirs, people(200))
    assert found.value == pytest.approx((ours - theirs).mean())
    half = 1.96 * (ours - theirs).std() / np.sqrt(200)
    assert (found.value - found.low, found.high - found.value) == pytest.approx(
        (half, half), rel=0.15
    )
    assert found.p == pytest.approx(1 / 1000)
    assert paired_mean_difference(ours[:4], theirs[:4], people(4)).p is None
    chance = paired_mean_difference(ours - 0.5, theirs, people(200))
    assert chance.p > 0.05


def test_wins_are_counted_over_patients():
    with_lesion, without = np.array([2.0, 1.0, 0.0, 3.0]), np.array([1.0, 1.0, 1.0, 1.0])
    found = win_interval(with_lesion, without, people(4))
    assert (found.value, found.low) == (0.625, None)
    often = win_interval(np.tile(with_lesion, 5), np.tile(without, 5), people(20))
    assert often.low < 0.625 < often.high


@pytest.mark.parametrize(("count", "given"), [(4, False), (5, True)])
def test_five_patients_are_the_fewest_with_an_interval(count, given):
    found = mean_interval(np.arange(float(count)), people(count))
    assert (found.low is not None) is given


def test_repeated_draws_are_averaged_and_do_not_narrow_the_interval():
    rng = np.random.default_rng(3)
    truth, score = np.tile([True, False], 40), rng.random(80)
    once = curve_interval("roc_auc", truth, score, people(8, 10))
    twice = curve_interval(
        "roc_auc",
        np.tile(truth, 2),
        np.tile(score, 2),
        people(8, 10) * 2,
        draw=np.repeat([0, 1], 80),
    )
    assert (twice.value, twice.low, twice.high) == pytest.approx((once.value, once.low, once.high))


def test_a_row_counts_patients_and_names_its_interval_only_where_it_has_one():
    key = ("model", "slice", "roc_auc", "a set", "all")
    wide = MetricRow.of(key, Interval(0.8, 0.6, 0.9), people(3, each=2), truth="label", share=0.5)
    assert (wide.predictor, wide.level, wide.name, wide.subset, wide.group) == key
    assert (wide.value, wide.low, wide.high, wide.ci) == (0.8, 0.6, 0.9, CI)
    assert (wide.n, wide.n_patients, wide.truth, wide.prevalence) == (6, 3, "label", 0.5)
    bare = MetricRow.of(key, Interval(0.8), people(3), n=40, positive=4, draws=2)
    assert (bare.ci, bare.low, bare.n, bare.n_patients) == ("", None, 40, 3)
    assert (bare.n_positive, bare.prevalence, bare.draws) == (4, None, 2)
    assert MetricRow(*key[:4], 0.8, 40, 3).as_dict()["ci"] == ""
    assert wide.as_dict()["ci"] == CI
