"""From draws to maps to numbers, by hand and by rule."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from medview.domain.errors import Cancelled
from medview.domain.progress import Silent
from medview.learning.anomaly import (
    EPSILON,
    RULES,
    AnomalySettings,
    Drawn,
    Engine,
    Norm,
    SliceMaps,
    combine,
    maps_from_draws,
    noise_for,
    rimless,
    run_slices,
    score_with_interval,
    slice_scores,
    smooth_difference,
    sum_up,
    volume_score,
    weigh,
)
from medview.models.anomaly_vae import LATENT, AnomalyVae, VaeOptions, draw


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return AnomalyVae(VaeOptions(attention=False)).eval()


def disc(radius=30, count=1):
    rows, columns = np.indices((128, 128)) - 63.5
    return np.repeat((np.hypot(rows, columns) <= radius)[None], count, axis=0)


def slices(count=5):
    return np.random.default_rng(1).random((count, 128, 128)).astype(np.float32) * disc(40, count)


def drawn(samples=4, count=3):
    dice = np.random.default_rng(2)
    pictures = dice.random((samples, count, 128, 128)).astype(np.float32)
    aleatoric = 0.01 + dice.random((count, 128, 128)).astype(np.float32)
    return Drawn(slices(count), disc(40, count), pictures, aleatoric)


def full(*values):
    return np.array(values, np.float32).reshape(-1, 1, 1) * np.ones((1, 128, 128), np.float32)


# Maps


def test_residual_and_variances_of_two_draws_by_hand():
    pictures = np.stack([full(0.2), full(0.4)])
    found = maps_from_draws(full(0.8), disc(), pictures, full(0.05), smooth_px=0)
    middle = (0, 64, 64)
    assert found.x_bar[middle] == pytest.approx(0.3)
    assert found.residual[middle] == pytest.approx(0.25)
    assert found.epistemic[middle] == pytest.approx(0.01)  # divided by K, not K - 1
    assert found.aleatoric[middle] == pytest.approx(0.05)
    assert found.total[middle] == pytest.approx(0.06)
    assert found.score()[middle] == pytest.approx(0.25 / (0.06 + EPSILON))


def test_maps_are_zero_outside_the_brain():
    one = drawn(count=1)
    found = replace(one, brain=disc(10)).maps(2.0)
    for values in (found.x_bar, found.residual, found.epistemic, found.aleatoric, found.score()):
        assert not values[~disc(10)].any()
        assert values[disc(10)].any()


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("ratio", 0.09 / (0.16 + EPSILON)),
        ("product", np.sqrt(0.09 * 0.16)),
        ("sum", 0.3 + 0.4),
        ("epistemic", 0.06),
        ("residual", 0.09),
    ],
)
def test_each_rule_by_hand(rule, value):
    one = full(0.09), full(0.06), full(0.16)
    assert combine(*one, rule)[0, 0, 0] == pytest.approx(value)
    assert rule in RULES


def test_uncertainty_pulls_the_ratio_down_and_pushes_product_and_sum_up():
    sure = SliceMaps(full(0), full(0.1), full(0), full(0.01))
    unsure = replace(sure, epistemic=full(0.2))
    assert unsure.score("ratio").max() < sure.score("ratio").max()
    assert unsure.score("product").max() > sure.score("product").max()
    assert unsure.score("sum").max() > sure.score("sum").max()


def test_without_any_variance_the_score_is_finite():
    assert np.isfinite(combine(full(1.0), full(0.0), full(0.0), "ratio")).all()


def test_smoothing_leaves_a_constant_difference_up_to_the_rim():
    smooth = smooth_difference(full(0.5) * disc(), disc(), 3.0)
    assert smooth[disc()] == pytest.approx(0.5, abs=1e-5)
    assert not smooth[~disc()].any()


def test_smoothing_stays_within_its_slice():
    difference = np.zeros((3, 128, 128), np.float32)
    difference[1, 64, 64] = 1
    smooth = smooth_difference(difference, disc(30, 3), 2.0)
    assert not smooth[[0, 2]].any()
    # A Gaussian of 2 px has 1 / (2 pi 4) at its top.
    assert smooth[1, 64, 64] == pytest.approx(1 / (2 * np.pi * 4), rel=0.02)


# Numbers


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
    maps, area = one.maps(settings.smooth_px), one.brain.sum(axis=(1, 2))
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


# The engine


def test_noise_depends_on_seed_and_slice_only():
    first, more = noise_for(4, 3, 7), noise_for(6, 3, 7)
    assert first.shape == (3, 4, LATENT)
    assert torch.equal(more[:, :4], first)
    assert not torch.equal(noise_for(4, 3, 8), first)
    assert abs(float(noise_for(50, 5, 0).std()) - 1) < 0.02


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
def test_the_answer_does_not_depend_on_the_size_of_the_blocks(model, batch):
    noise = noise_for(5, 3, 0)
    whole = run_slices(Engine(model, batch=5), slices(), noise, Silent())
    parts = run_slices(Engine(model, batch=batch), slices(), noise, Silent())
    for one, other in zip(whole, parts, strict=True):
        assert other == pytest.approx(one, abs=1e-5)


def test_the_same_noise_gives_the_same_answer_and_another_does_not(model):
    one, again = (run_slices(Engine(model), slices(2), noise_for(2, 2, 0), Silent()) for _ in "ab")
    other = run_slices(Engine(model), slices(2), noise_for(2, 2, 1), Silent())
    assert np.array_equal(one[0], again[0])
    assert not np.array_equal(one[0], other[0])


def test_the_engine_draws_what_the_network_draws(model):
    noise = noise_for(3, 4, 0)
    pictures, aleatoric = run_slices(Engine.fast(model), slices(3), noise, Silent())
    with torch.inference_mode():
        wanted = draw(model, torch.from_numpy(slices(3))[:, None], noise)
    assert pictures.mean(0) == pytest.approx(wanted.mean[:, 0].numpy(), abs=1e-5)
    assert pictures.var(0) == pytest.approx(wanted.epistemic[:, 0].numpy(), abs=1e-6)
    assert aleatoric == pytest.approx(wanted.aleatoric[:, 0].numpy(), rel=1e-3)


def test_more_draws_than_fit_at_once_are_decoded_in_parts(model):
    noise = noise_for(1, 7, 0)
    assert Engine(model, batch=1).draws == 5
    pictures, _ = run_slices(Engine(model, batch=1), slices(1), noise, Silent())
    alone, _ = run_slices(Engine(model, batch=1), slices(1), noise[6:], Silent())
    assert pictures.shape == (7, 1, 128, 128)
    assert pictures[6:] == pytest.approx(alone, abs=1e-5)


def test_half_precision_is_close(model):
    exact, _ = run_slices(Engine(model), slices(2), noise_for(2, 2, 0), Silent())
    quick, variance = run_slices(
        Engine(model, precision="bfloat16"), slices(2), noise_for(2, 2, 0), Silent()
    )
    assert (quick.dtype, variance.dtype) == (np.float32, np.float32)
    assert 0 < np.abs(quick - exact).max() < 0.02


def test_each_block_is_told_as_it_comes(model):
    told = []
    pictures, _ = run_slices(
        Engine(model, batch=2),
        slices(),
        noise_for(5, 2, 0),
        Silent(),
        lambda here, block, variance: told.append((here, block, variance.shape)),
    )
    assert [shape for *_, shape in told] == [(2, 128, 128), (2, 128, 128), (1, 128, 128)]
    for here, block, _ in told:
        assert np.array_equal(pictures[:, here], block)


def test_a_run_stops_before_the_next_block(model):
    class Impatient(Silent):
        checks = 0

        def check(self):
            self.checks += 1
            if self.checks == 2:
                raise Cancelled("stopped")

    told = []
    with pytest.raises(Cancelled):
        run_slices(
            Engine(model, batch=1),
            slices(),
            noise_for(5, 1, 0),
            Impatient(),
            lambda *block: told.append(block),
        )
    assert len(told) == 1


# Settings


def test_settings_go_to_a_card_and_back():
    settings = AnomalySettings(
        samples=7, alpha=0.3, rule="product", quantile=0.95, residual_norm=Norm(1, 2)
    )
    kept = {**settings.to_card(), "network": {}, "something": "else"}
    assert AnomalySettings.from_card(kept) == settings


def test_a_card_that_says_nothing_gives_the_defaults():
    assert AnomalySettings.from_card({}) == AnomalySettings()


def test_slice_scores_know_slices_without_brain():
    one = replace(drawn(), brain=np.stack([disc(40)[0], disc(0)[0], disc(40)[0]]))
    found = slice_scores(one.maps(1.0), one.brain, AnomalySettings())
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
