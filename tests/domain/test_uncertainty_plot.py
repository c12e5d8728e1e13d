"""Errors beside predicted deviations: what is drawn, what is said, and when nothing is."""

from dataclasses import replace

import pytest

from medview.domain.card import Figure
from medview.domain.uncertainty_plot import uncertainty_plot


def fifths(on="ixi-t1", n=5):
    made = []
    for k in range(n):
        group = f"uncertainty:{k + 1}/{n}"
        made.append(Figure("rmse", 0.1 + 0.01 * k, on, 0.09, 0.155, 14, group=group))
        made.append(Figure("predicted_sd", 0.11 + 0.01 * k, on, n=14, group=group))
    return made


COVERED = [
    Figure("coverage", 0.729, "ixi-t1", 0.687, 0.772, 14, group="within:1sd"),
    Figure("coverage", 0.971, "ixi-t1", n=14, group="within:2sd"),
]
# A group that only sounds like one of coverage.
OTHER = Figure("roc_auc", 0.8, "ixi-t1", group="within:volume")


def test_each_part_is_a_point_of_predicted_deviation_and_error():
    plot = uncertainty_plot([OTHER, *fifths()])
    assert plot.dots == plot.line
    assert plot.dots[0] == pytest.approx((0.11, 0.10))
    assert plot.dots[-1] == pytest.approx((0.15, 0.14))
    assert plot.band[0] == pytest.approx((0.11, 0.09, 0.155))


def test_axes_are_alike_round_and_hold_the_intervals():
    plot = uncertainty_plot(fifths())
    assert plot.x == plot.y == pytest.approx((0.08, 0.16))
    assert plot.guide == ((plot.x[0], plot.x[0]), (plot.x[1], plot.x[1]))


def test_coverage_is_said_beside_that_of_a_normal_distribution():
    words = uncertainty_plot([*fifths(), *COVERED, OTHER]).caption
    assert "14 normal brains that the weights had not seen (ixi-t1), in 5 equal parts" in words
    assert "73 % [69 %, 77 %] lie within 1 deviation (68 % of a normal distribution)" in words
    assert "97 % lie within 2 deviations (95 % of a normal distribution)" in words
    assert "volume" not in words
    assert "lie within" not in uncertainty_plot(fifths()).caption


def test_brains_that_were_trained_on_are_not_called_unseen():
    words = uncertainty_plot(fifths(), with_seen=True).caption
    assert "some seen in training" in words
    assert "not seen" not in words


def test_without_intervals_there_is_no_band():
    plot = uncertainty_plot([replace(each, low=None) for each in fifths()])
    assert plot.band == ()
    assert "interval" not in plot.caption


@pytest.mark.parametrize(
    "figures",
    [
        [],
        COVERED,
        fifths(n=1),
        [each for each in fifths() if each.name == "rmse"],
        [replace(fifths()[0], value=None), *fifths()[1:]],
    ],
)
def test_what_was_not_measured_is_not_drawn(figures):
    assert uncertainty_plot(figures) is None


def test_of_several_sets_the_first_that_has_all_is_drawn():
    plot = uncertainty_plot([*fifths("a", 1), *fifths("b")])
    assert "(b)" in plot.caption
