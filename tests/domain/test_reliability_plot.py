"""What was told beside what happened: points, intervals, words, and when nothing is drawn."""

from dataclasses import replace

import pytest
from result_phantom import card

from medview.domain.card import Figure
from medview.domain.card_plots import CALIBRATION, UNCERTAINTY, card_plots
from medview.domain.reliability_plot import Point, points_of, reliability_plot, reliability_plots

TOLD = [
    {"said": 0.04, "happened": 0.03, "n": 200},
    {"said": 0.25, "happened": 0.3, "n": 50},
    {"said": 0.93, "happened": 1.0, "n": 4},
]
ECE = Figure("ece", 0.021, "set", 0.01, 0.04, 254, extra={"task": "mortality"})


def test_each_part_is_a_point_with_its_interval_on_axes_from_0_to_1():
    plot = reliability_plot(points_of(TOLD), "mortality")
    assert plot.dots == plot.line == ((0.04, 0.03), (0.25, 0.3), (0.93, 1.0))
    assert plot.x == plot.y == (0.0, 1.0)
    assert plot.guide == ((0.0, 0.0), (1.0, 1.0))
    assert all(
        low <= y <= high for (_, low, high), (_, y) in zip(plot.band, plot.dots, strict=True)
    )
    assert "death in hospital" in plot.labels[0]


@pytest.mark.parametrize(
    ("share", "n", "bounds"),
    [(0.5, 10, (0.2366, 0.7634)), (0.0, 10, (0.0, 0.2775)), (1.0, 4, (0.5101, 1.0))],
)
def test_intervals_are_those_of_wilson(share, n, bounds):
    assert Point(0.5, share, n).bounds == pytest.approx(bounds, abs=1e-4)


def test_the_caption_counts_cases_small_parts_and_tells_the_error():
    words = reliability_plot(points_of(TOLD), "mortality", ECE).caption
    assert "254 cases that the networks had not learnt from, in 3 parts" in words
    assert "Mean distance (ECE) 0.021 [0.010, 0.040]." in words
    assert "1 of the parts has fewer than 10 cases." in words
    assert "ECE" not in reliability_plot(points_of(TOLD), "mortality").caption


@pytest.mark.parametrize(
    "told", [None, {}, 3, [], TOLD[:1], [{"said": 0.1}], [dict(TOLD[0], n=14), dict(TOLD[1], n=15)]]
)
def test_too_little_is_not_drawn(told):
    assert reliability_plot(points_of(told), "mortality") is None


def test_a_card_has_a_drawing_for_each_probability_that_was_measured():
    kept = {"reliability": {"mortality": {"before": TOLD[:1], "after": TOLD}, "severe": {}}}
    other = replace(ECE, extra={"task": "other"}, value=0.5)
    some = replace(card(), settings=kept, measured=(other, ECE))
    (plot,) = reliability_plots(some)
    assert "0.021" in plot.caption
    assert reliability_plots(replace(some, settings={"reliability": 3})) == ()
    fifths = [
        Figure(name, 0.1, "s", group=f"uncertainty:{k}/2")
        for k in (1, 2)
        for name in ("rmse", "predicted_sd")
    ]
    titles = [title for title, _ in card_plots(replace(some, measured=(ECE, *fifths)))]
    assert titles == [UNCERTAINTY, CALIBRATION]
    assert card_plots(replace(some, settings={}, measured=())) == ()


def test_the_error_of_a_chest_film_is_that_of_its_prognosis():
    kept = {"reliability": {"severe": {"after": TOLD}}}
    figure = replace(ECE, extra={"task": "prognosis"})
    (plot,) = reliability_plots(replace(card(), settings=kept, measured=(figure,)))
    assert "0.021" in plot.caption
