"""From maps to one number of a slice and of a volume, by hand."""

from dataclasses import replace

import numpy as np
import pytest
from discs import disc, drawn
from scipy import ndimage, stats

from medview.learning.anomaly_scores import (
    Drawn,
    rimless,
    score_with_interval,
    slice_scores,
    sum_up,
    volume_score,
    weigh,
)
from medview.learning.anomaly_settings import AnomalySettings, Norm


def test_two_pixels_of_rim_are_left_out():
    square = np.zeros((1, 128, 128), bool)
    square[0, 10:20, 10:20] = True
    inner = rimless(square)
    assert inner.sum() == 36
    assert inner[0, 12:18, 12:18].all()


def test_a_slice_is_summed_up_by_its_mean_or_a_quantile():
    values = np.zeros((2, 128, 128), np.float32)
    square = np.zeros((2, 128, 128), bool)
    square[0, 10:20, 10:20] = True
    values[0, 12:18, 12:18] = np.arange(36).reshape(6, 6)
    values[0, 10, 10] = 1e6  # in the rim
    mean, high = sum_up(values, square, 0.0), sum_up(values, square, 0.9)
    assert mean[0] == pytest.approx(17.5)
    assert high[0] == pytest.approx(31.5)
    assert np.isnan([mean[1], high[1]]).all()


def test_alpha_one_is_the_mean_squared_error_up_to_the_norm():
    one = drawn(count=2)
    settings = AnomalySettings(alpha=1.0, smooth_px=0.0, residual_norm=Norm(0.1, 0.5))
    inner = rimless(one.brain)
    error = (one.slices - one.pictures.mean(0)) ** 2
    mse = np.array([error[k][inner[k]].mean() for k in range(2)])
    assert one.slice_scores(settings) == pytest.approx((mse - 0.1) / 0.5, rel=1e-5)


def test_alpha_weighs_the_standardised_terms_by_hand():
    settings = AnomalySettings(alpha=0.25, residual_norm=Norm(1, 2), score_norm=Norm(10, 5))
    found = weigh(np.array([3.0]), np.array([20.0]), settings)
    assert found == pytest.approx(0.25 * 1 + 0.75 * 2)


def test_a_volume_is_its_slices_by_area_and_weighing_may_come_before_or_after():
    one, settings = drawn(), AnomalySettings(residual_norm=Norm(0.3, 0.2), score_norm=Norm(1, 4))
    one = replace(one, brain=np.stack([disc(r)[0] for r in (10, 20, 40)]))
    maps, area = one.slice_maps(settings), one.brain.sum(axis=(1, 2))
    terms = (sum_up(m, one.brain, 0.0) for m in (maps.residual, maps.score()))
    residual, score = (np.average(t, weights=area) for t in terms)
    wanted = weigh(np.array(residual), np.array(score), settings)
    assert one.volume_score(settings) == pytest.approx(float(wanted))
    assert volume_score(np.array([2.0, np.nan, 5.0]), np.array([1, 7, 2])) == pytest.approx(4.0)
    assert np.isnan(volume_score(np.array([np.nan]), np.array([0])))


def test_the_interval_is_the_jackknife_over_draws_by_hand():
    one, settings = drawn(samples=4), AnomalySettings()
    value, low, high = score_with_interval(one, settings)
    assert value == one.volume_score(settings)
    left_out = np.array(
        [
            replace(one, pictures=one.pictures[[n for n in range(4) if n != k]]).volume_score(
                settings
            )
            for k in range(4)
        ]
    )
    error = np.sqrt(3 / 4 * ((left_out - left_out.mean()) ** 2).sum())
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.975, 3) * error)
    assert (high + low) / 2 == pytest.approx(value)


def test_draws_that_agree_give_an_interval_of_no_width_and_two_draws_none():
    one = drawn(samples=3)
    same = replace(one, pictures=np.repeat(one.pictures[:1], 3, axis=0))
    value, low, high = score_with_interval(same, AnomalySettings())
    assert (low, high) == pytest.approx((value, value))
    assert score_with_interval(one.without(0), AnomalySettings())[1:] == (None, None)


def test_a_brighter_spot_raises_the_score_of_its_slice_only():
    one, settings = drawn(), AnomalySettings()
    lesion = one.slices.copy()
    lesion[1, 60:70, 60:70] += 2
    before, after = (replace(one, slices=s).slice_scores(settings) for s in (one.slices, lesion))
    assert after[1] > before[1]
    assert after[[0, 2]].tolist() == before[[0, 2]].tolist()


def test_slice_scores_know_slices_without_brain():
    one = replace(drawn(), brain=np.stack([disc(40)[0], disc(0)[0], disc(40)[0]]))
    found = slice_scores(one.slice_maps(AnomalySettings()), one.brain, AnomalySettings())
    assert np.isfinite(found).tolist() == [True, False, True]


def recognised(first, count=3):
    """Pictures given back well, but for the first `first` slices, of which nothing comes back."""
    coarse = np.random.default_rng(4).uniform(0.2, 0.8, (count, 32, 32))
    plain = (coarse.repeat(4, axis=1).repeat(4, axis=2) * disc(40)).astype(np.float32)
    pictures = np.stack([0.9 * plain, plain, plain])
    pictures[:, :first] = 0
    return Drawn(plain, disc(40, count), pictures, np.full_like(plain, 0.01))


@pytest.mark.parametrize("volume_mm", [0.0, 4.5])
def test_slices_that_are_not_recognised_are_as_if_they_had_no_brain(volume_mm):
    settings = AnomalySettings(floor=0.5, volume_mm=volume_mm)
    one, rest = recognised(first=1), recognised(first=0, count=3)
    scores = one.slice_scores(settings)
    assert list(np.isfinite(scores)) == [False, True, True]
    assert list(scores[1:]) == list(rest.slice_scores(settings)[1:])
    maps = one.volume_maps(settings, 2.0)
    assert not maps.residual[0].any()
    assert not maps.total[0].any()
    assert maps.residual[1:].any(axis=(1, 2)).all()
    value, low, high = score_with_interval(one, settings)
    assert value == pytest.approx(scores[1:].mean())
    assert low <= value <= high


def test_without_a_floor_and_with_good_slices_nothing_is_left_out():
    one = recognised(first=1)
    assert np.isfinite(one.slice_scores(AnomalySettings())).all()
    assert one.judged(None) is one
    assert recognised(first=0).judged(0.5).brain.all(axis=0).any()
    nothing = score_with_interval(recognised(first=3), AnomalySettings(floor=0.5))
    assert np.isnan(nothing[0])
    assert nothing[1:] == (None, None)


def test_the_rim_is_taken_off_along_rows_and_columns_only():
    rows, columns = np.indices((128, 128)) - 64
    far = np.abs(rows) + np.abs(columns)
    assert np.array_equal(rimless((far <= 10)[None])[0], far <= 8)


def test_what_is_explained_is_told_from_the_mean_of_the_draws():
    one = recognised(first=1)
    mean = replace(one, pictures=one.pictures.mean(0, keepdims=True))
    assert one.explained() == pytest.approx(mean.explained())


def test_slices_on_their_own_have_no_contrast_unless_they_are_asked_for_it():
    plain, wide = (drawn().slice_maps(AnomalySettings(wide_px=px)) for px in (0.0, 10.0))
    assert plain.contrast is None
    assert wide.contrast is not None


@pytest.mark.parametrize(("step_mm", "count"), [(3.0, 3), (6.0, 2)])
def test_maps_of_a_volume_are_smoothed_by_millimetres_in_all_directions(step_mm, count):
    one = drawn(count=count)
    found = one.volume_maps(AnomalySettings(volume_mm=4.5, smooth_px=9.0), step_mm).residual
    # 1.5 mm a pixel of the model.
    sigma = (4.5 / step_mm, 3.0, 3.0)
    inside = one.brain.astype(float)
    apart = (one.slices - one.pictures.mean(0)) * inside
    both = (ndimage.gaussian_filter(each, sigma, truncate=3) for each in (apart, inside))
    total, weight = both
    wanted = np.where(one.brain, (total / np.maximum(weight, 1e-6)) ** 2, 0)
    assert found == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize(("volume_mm", "count"), [(0.0, 3), (4.5, 1)])
def test_without_neighbours_the_maps_are_those_of_single_slices(volume_mm, count):
    one = drawn(count=count)
    settings = AnomalySettings(volume_mm=volume_mm, smooth_px=1.0)
    found = one.volume_maps(settings, 3.0)
    assert np.array_equal(found.residual, one.slice_maps(settings).residual)
