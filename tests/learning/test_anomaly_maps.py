"""From draws to maps, by hand and by rule."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from discs import disc, drawn, full

from medview.learning.anomaly_maps import (
    EPSILON,
    SliceMaps,
    combine,
    maps_from_draws,
    smooth_difference,
    wide_average,
)
from medview.learning.anomaly_settings import Rule


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
        ("ratio-aleatoric", 0.09 / (0.10 + EPSILON)),
        ("ratio-epistemic", 0.09 / (0.06 + EPSILON)),
        ("product", np.sqrt(0.09 * 0.16)),
        ("sum", 0.3 + 0.4),
        ("epistemic", 0.06),
        ("residual", 0.09),
    ],
)
def test_each_rule_by_hand(rule, value):
    one = full(0.09), full(0.06), full(0.16)
    assert combine(*one, rule)[0, 0, 0] == pytest.approx(value)
    assert rule in get_args(Rule)


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


def test_a_wide_average_on_blocks_is_the_one_of_all_pixels():
    rows, columns = np.indices((128, 128)) / 128
    difference = (np.sin(3 * rows) + columns**2)[None].astype(np.float32)
    brain = disc(40)
    wide, whole = wide_average(difference, brain, 12.0), smooth_difference(difference, brain, 12.0)
    assert np.abs(wide - whole)[brain].max() < 0.03
    assert np.ptp(whole[brain]) > 0.3
    assert not wide[~brain].any()
    np.testing.assert_allclose(wide_average(full(0.3), brain, 12.0)[brain], 0.3, atol=1e-5)


def test_a_shading_leaves_residual_and_score_and_goes_from_the_contrast():
    shade, lesion = full(0.2), np.zeros_like(full(0.2))
    lesion[0, 62:66, 62:66] = 0.3
    said = disc(40), full(0.5)[None], full(0.01)
    found = maps_from_draws(0.5 + shade + lesion, *said, smooth_px=0.0, wide_px=12.0)
    beside, within = (0, 64, 40), (0, 64, 64)
    assert found.residual[beside] == pytest.approx(0.04, rel=1e-3)
    assert found.contrast[beside] == pytest.approx(0.0, abs=1e-4)
    assert found.contrast[within] == pytest.approx(0.09, rel=0.1)
    assert not found.contrast[~disc(40)].any()
    assert maps_from_draws(shade, *said, smooth_px=0.0).contrast is None


def test_slices_on_their_own_know_nothing_of_each_other():
    one, other = full(0.2), full(0.9)
    draws, both = full(0.4), np.concatenate([one, other])
    pair = np.repeat(draws, 2, axis=0)
    brain = np.repeat(disc(), 2, axis=0)
    whole = maps_from_draws(both, brain, pair[None], pair, smooth_px=1.0)
    for n, each in enumerate((one, other)):
        alone = maps_from_draws(each, disc(), draws[None], draws, smooth_px=1.0)
        np.testing.assert_allclose(whole.residual[n], alone.residual[0], atol=1e-6)
    joined = maps_from_draws(both, brain, pair[None], pair, smooth_px=1.0, between=1.0)
    assert np.abs(joined.residual - whole.residual).max() > 0.01
