from dataclasses import replace

import pytest
from result_phantom import card as anomaly_card
from result_phantom import head, prediction_on

from medview.domain.prediction import Score, TracePoint
from medview.services.report_plots import cohort_plot, plots, trace_plot

PEOPLE = [[40.1, 45.0], [60.0, 61.0], [80.0, 72.0]]


@pytest.fixture(scope="module")
def aged():
    made = prediction_on(head())
    score = Score("age", 54.0, 41.0, 67.0, unit="years")
    return replace(made, model="brain-age", scores=(score,), parameters={"age_years": 46.7})


@pytest.fixture(scope="module")
def card():
    return replace(anomaly_card(), settings={"reference": PEOPLE})


def test_the_patient_stands_among_the_reference_cohort(aged, card):
    plot = cohort_plot(aged, card)
    assert plot.dots == tuple(map(tuple, PEOPLE))
    assert plot.patient == (46.7, 54.0, 41.0, 67.0)
    assert (plot.x, plot.y) == ((40.0, 85.0), (40.0, 75.0))
    assert "3 people of 40 to 80 years" in plot.caption


def test_the_cohort_is_wide_enough_for_a_patient_far_outside(aged, card):
    far = replace(aged, scores=(Score("age", 12.0, 2.0, 99.0),), parameters={"age_years": 19.0})
    plot = cohort_plot(far, card)
    assert plot.x[0] <= 19.0
    assert (plot.y[0], plot.y[1]) == (0.0, 100.0)


@pytest.mark.parametrize("given", [{}, {"age_years": 46.7, "route": "t1"}])
def test_no_cohort_without_an_age_or_for_another_estimator(aged, card, given):
    assert cohort_plot(replace(aged, parameters=given), card) is None


def test_no_cohort_without_people(aged, card):
    assert cohort_plot(aged, None) is None
    assert cohort_plot(aged, replace(card, settings={})) is None


def test_the_trace_has_the_risk_over_hours_and_its_band(aged):
    trace = (TracePoint(1, 0.2, 0.1, 0.4, 0.3), TracePoint(2, 0.25, 0.2, 0.5, 0.22))
    plot = trace_plot(replace(aged, model="icu", trace=trace))
    assert plot.line == ((1, 0.2), (2, 0.25))
    assert plot.band == ((1, 0.1, 0.4), (2, 0.2, 0.5))
    assert plot.x == (0.0, 2)
    assert plot.y == (0.0, pytest.approx(0.55))
    assert "22 % of the values up to then were measured" in plot.caption


def test_the_trace_says_what_it_is_a_risk_of(aged):
    trace = (TracePoint(1, 0.2), TracePoint(2, 0.25))
    admission = replace(aged, scores=(Score("icu_admission", 0.25),), model="icu", trace=trace)
    assert trace_plot(admission).labels[1] == "probability of ICU admission"
    assert trace_plot(admission).band == ()


def test_nothing_is_drawn_of_a_single_hour(aged):
    assert trace_plot(replace(aged, trace=(TracePoint(1, 0.2),))) is None
    assert plots(replace(aged, trace=()), None) == ()
