"""From draws to maps, by hand and by rule."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from discs import disc, drawn, full

from medview.learning.anomaly_maps import (
    EPSILON,
    SliceMaps,
    Smoothing,
    combine,
    maps_from_draws,
    one_sided,
    smooth_difference,
    wide_average,
)
from medview.learning.anomaly_settings import Rule


def test_residual_and_variances_of_two_draws_by_hand():
    pictures = np.stack([full(0.2), full(0.4)])
    found = maps_from_draws(full(0.8), disc(), pictures, full(0.05), Smoothing())
    middle = (0, 64, 64)
    assert found.x_bar[middle] == pytest.approx(0.3)
    assert found.residual[middle] == pytest.approx(0.25)
    assert found.epistemic[middle] == pytest.approx(0.01)  # divided by K, not K - 1
    assert found.aleatoric[middle] == pytest.approx(0.05)
    assert found.total[middle] == pytest.approx(0.06)
    assert found.score()[middle] == pytest.approx(0.25 / (0.06 + EPSILON))


def test_maps_are_zero_outside_the_brain():
    one = drawn(count=1)
    found = replace(one, brain=disc(10)).maps(Smoothing(2.0))
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
    found = maps_from_draws(0.5 + shade + lesion, *said, Smoothing(wide_px=12.0))
    beside, within = (0, 64, 40), (0, 64, 64)
    assert found.residual[beside] == pytest.approx(0.04, rel=1e-3)
    assert found.contrast[beside] == pytest.approx(0.0, abs=1e-4)
    assert found.contrast[within] == pytest.approx(0.09, rel=0.1)
    assert not found.contrast[~disc(40)].any()
    assert maps_from_draws(shade, *said, Smoothing()).contrast is None


def test_slices_on_their_own_know_nothing_of_each_other():
    one, other = full(0.2), full(0.9)
    draws, both = full(0.4), np.concatenate([one, other])
    pair = np.repeat(draws, 2, axis=0)
    brain = np.repeat(disc(), 2, axis=0)
    whole = maps_from_draws(both, brain, pair[None], pair, Smoothing(1.0))
    for n, each in enumerate((one, other)):
        alone = maps_from_draws(each, disc(), draws[None], draws, Smoothing(1.0))
        np.testing.assert_allclose(whole.residual[n], alone.residual[0], atol=1e-6)
    joined = maps_from_draws(both, brain, pair[None], pair, Smoothing(1.0, between=1.0))
    assert np.abs(joined.residual - whole.residual).max() > 0.01


def _at(columns, values):
    """One row of a picture: column 63 + n lies opposite of column 64 - n."""
    found = np.zeros((1, 128, 128), np.float32)
    found[0, 64, list(columns)] = values
    return found


def test_of_what_is_alike_on_both_sides_a_share_is_taken_off_and_nothing_else():
    brain = disc(60)
    brain[0, 64, 100] = False
    given = _at((30, 97, 40, 87, 50, 27, 100), (0.5, 0.2, 0.4, -0.4, 0.3, 0.6, 9.0))
    found = one_sided(given, brain, 0.5)[0, 64]
    assert found[30] == pytest.approx(0.5 - 0.5 * 0.2)
    assert found[97] == 0  # not below nothing
    assert (found[40], found[87]) == (np.float32(0.4), np.float32(-0.4))  # of opposite sign
    assert found[50] == np.float32(0.3)  # nothing on the other side
    assert found[27] == np.float32(0.6)  # no brain on the other side
    np.testing.assert_array_equal(one_sided(-given, brain, 0.5)[0, 64], -found)
    assert one_sided(given, brain, 0.0) is given


def test_the_middle_keeps_what_is_not_taken_off_itself():
    assert one_sided(full(0.4), disc(), 0.3)[disc()] == pytest.approx(0.7 * 0.4)


@pytest.mark.parametrize("wide_px", [0.0, 12.0])
def test_a_lesion_of_one_side_stands_out_from_a_difference_of_both(wide_px):
    both, lesion = np.zeros((1, 128, 128), np.float32), np.zeros((1, 128, 128), np.float32)
    both[0, 50:60, 30:40] = both[0, 50:60, 88:98] = 0.4
    lesion[0, 70:80, 30:40] = 0.4
    said = disc(60), full(0.5)[None], full(0.01)
    kept = maps_from_draws(0.5 + both + lesion, *said, Smoothing(2.0, wide_px))
    less = maps_from_draws(0.5 + both + lesion, *said, Smoothing(2.0, wide_px, opposite=0.5))
    for name in ("residual", "contrast") if wide_px else ("residual",):
        before, after = getattr(kept, name), getattr(less, name)
        assert after[0, 55, 35] == pytest.approx(0.25 * before[0, 55, 35], rel=0.2)
        assert after[0, 75, 35] > 0.9 * before[0, 75, 35]
    assert np.array_equal(less.total, kept.total)
