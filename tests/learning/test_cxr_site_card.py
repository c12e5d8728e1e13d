"""What effects of sites are worth on films: said first, from figures, whichever way they go."""

import pytest

from medview.domain.card import Figure
from medview.learning.cxr_site_card import site_limits, site_method

ODDS = [{"site": "a", "effect_log_odds": 0.5}, {"site": "b", "effect_log_odds": -0.25}]
SETTINGS = {"sites": ["a", "b"], "site_effects": ODDS}


def areas(group, ours, plain, low, high, other="network", **extra):
    """AUROC with effects and without them, and their difference."""
    apart = round(ours - plain, 3)
    return (
        Figure("roc_auc", ours, "films", n=50, predictor="model", group=group, extra=extra),
        Figure("roc_auc", plain, "films", n=50, predictor=other, group=group, extra=extra),
        Figure(
            *("roc_auc_difference", apart, "films", low, high, 50, "model"),
            group=f"{group}, against:{other}", extra=extra,
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-0.01, 0.02, "gain nothing that"), (0.001, 0.02, "gain"), (-0.02, -0.01, "make it worse")],
)
def test_the_verdict_follows_the_interval(low, high, verdict):
    first = site_limits(areas("all", 0.9, 0.895, low, high), SETTINGS)[0]
    assert first.startswith(f"The effects of sources {verdict}")
    assert f"0.900 with them, 0.895 of the same network without them (+0.005 [{low:+.3f}" in first
    assert first.endswith("n 50; one seed).")


def test_several_seeds_come_before_the_one_of_the_weights():
    once, often = (
        areas("all", 0.9, 0.895, -0.01, 0.02),
        areas("seeds:all", 0.86, 0.864, -0.01, 0.003, seeds=5),
    )
    first = site_limits((*once, *often), SETTINGS)[0]
    assert "0.860 with them, 0.864" in first
    assert "5 seeds; 0.900 with the seed of these weights" in first


def test_sources_left_out_are_told_one_by_one():
    once = areas("source-left-out:a", 0.8, 0.75, -0.1, 0.2)
    often = areas("seeds:source-left-out:a", 0.78, 0.76, 0.001, 0.04, seeds=5)
    other = areas("source-left-out:b", 0.7, 0.7, -0.1, 0.1)
    (line,) = (one for one in site_limits((*once, *often, *other), SETTINGS) if "without a" in one)
    assert "a 0.78, without 0.76 (+0.020 [+0.001, +0.040]), b 0.70, without 0.70" in line
    assert line.endswith("there are no sites to tell apart.")
    assert "counts twice in the loss" in " ".join(site_method(once, SETTINGS))


def test_what_was_not_measured_is_not_said():
    (line,) = site_limits((), SETTINGS)
    assert line.startswith("It knows the effects of a, b;")
    assert site_method((), {"sites": ["a"]}) == ()


def test_the_answer_without_the_effect_and_the_effects_stand_in_the_method():
    said = site_method(areas("all", 0.9, 0.88, -0.01, 0.03, other="fixed"), SETTINGS)
    assert "AUROC by patient is 0.88: with it +0.020 [-0.010, +0.030] (one seed)." in said[0]
    assert "log-odds of a severe course: a +0.50, b -0.25." in said[1]
