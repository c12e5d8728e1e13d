from dataclasses import replace

import numpy as np
import pytest
from result_phantom import card as anomaly_card
from result_phantom import head, prediction_on

from medview.domain.prediction import Score, TracePoint
from medview.domain.record import Record, Strip
from medview.domain.volume import Note
from medview.services import report_plots
from medview.services.report_plots import cohort_plot, plots, reference_people, trace_plot

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


def test_nine_of_ten_of_the_cohort_lie_in_the_band(aged, card):
    rng = np.random.default_rng(0)
    ages = rng.uniform(30, 80, 400)
    people = np.c_[ages, 10 + 0.8 * ages + rng.normal(0, 4, 400)]
    plot = cohort_plot(aged, replace(card, settings={"reference": people.tolist()}))
    (x0, low0, high0), (x1, low1, high1) = plot.band
    assert (x0, x1) == (pytest.approx(ages.min()), pytest.approx(ages.max()))
    low, high = (np.interp(ages, (x0, x1), ends) for ends in ((low0, low1), (high0, high1)))
    inside = (people[:, 1] >= low) & (people[:, 1] <= high)
    assert inside.mean() == pytest.approx(0.9, abs=0.01)
    assert "Shaded: nine of ten of them" in plot.caption
    # Three people are no band, and nothing is said of one.
    few = cohort_plot(aged, card)
    assert few.band == ()
    assert "Shaded" not in few.caption


@pytest.mark.parametrize("told", [None, 7, {}, [], [[40.0]], [["a", "b"], [None, 3.0]]])
def test_no_cohort_without_people(told, aged, card):
    assert cohort_plot(aged, None) is None
    assert cohort_plot(aged, replace(card, settings={"reference": told})) is None


def test_of_a_damaged_cohort_the_people_that_are_whole_are_told(aged, card):
    told = [[40, 45.5], [50, float("nan")], ["60", 61.0], [70, 71, 72], (80.0, 72.0)]
    damaged = replace(card, settings={"reference": told})
    assert reference_people(aged, damaged) == ((40.0, 45.5), (80.0, 72.0))
    assert cohort_plot(aged, damaged).caption.startswith("2 people of 40 to 80 years")


def test_what_is_drawn_of_one_age_is_what_is_said(aged, card):
    plot = cohort_plot(aged, card)
    assert plot.guide == ((40.0, 40.0), (75.0, 75.0))  # where both axes reach
    assert "this one in blue with its interval." in plot.caption
    bare = cohort_plot(replace(aged, scores=(Score("age", 54.0),)), card)
    assert "this one in blue." in bare.caption
    apart = replace(card, settings={"reference": [[90.0, 20.0], [95.0, 22.0]]})
    far = replace(aged, scores=(Score("age", 21.0),), parameters={"age_years": 91.0})
    assert cohort_plot(far, apart).guide == ()


@pytest.mark.parametrize(
    ("risks", "top"), [((0.01, 0.02), 0.1), ((0.2, 0.5), 0.55), ((0.5, 0.99), 1.0)]
)
def test_small_risks_are_drawn_small_and_none_above_one(risks, top, aged):
    trace = tuple(TracePoint(n, risk) for n, risk in enumerate(risks))
    assert trace_plot(replace(aged, model="icu", trace=trace)).y == (0.0, pytest.approx(top))


def test_the_trace_has_the_risk_over_hours_and_its_band(aged):
    trace = (TracePoint(1, 0.2, 0.1, 0.4, 0.3), TracePoint(2, 0.25, 0.2, 0.5, 0.22))
    plot = trace_plot(replace(aged, model="icu", trace=trace))
    assert plot.line == ((1, 0.2), (2, 0.25))
    assert plot.band == ((1, 0.1, 0.4), (2, 0.2, 0.5))
    assert plot.x == (0.0, 2)
    assert plot.y == (0.0, pytest.approx(0.55))
    assert "22 % of the values up to then were measured" in plot.caption


def test_a_long_stay_is_counted_in_days(aged):
    trace = (TracePoint(24, 0.2, 0.1, 0.3), TracePoint(240, 0.25, 0.2, 0.5))
    made = replace(aged, model="icu", trace=trace, parameters={"film_hour": 48.0})
    plot = trace_plot(made)
    assert plot.labels[0] == "days of the stay"
    assert (plot.x, plot.mark) == ((0.0, 10.0), 2.0)
    assert [at for at, _ in plot.line] == [at for at, _, _ in plot.band] == [1.0, 10.0]
    assert "0.25 after 10 days." in plot.caption
    (section,) = report_plots.record(Record((Strip("v", "", (24.0,), (2.0,)),), 240.0), (made,))
    (lanes,) = section.lanes
    assert (lanes.unit, lanes.hours, lanes.mark) == ("days", 10.0, 2.0)
    assert lanes.rows[0].measured == ((1.0, 2.0),)


def test_the_trace_says_what_it_is_a_risk_of(aged):
    trace = (TracePoint(1, 0.2), TracePoint(2, 0.25))
    admission = replace(aged, scores=(Score("icu_admission", 0.25),), model="icu", trace=trace)
    assert trace_plot(admission).labels[1] == "probability of ICU admission"
    assert trace_plot(admission).band == ()


def test_each_plot_has_a_section_and_a_trace_says_its_interval_where_it_has_one(aged, card):
    assert [each.title for each in plots(aged, card)] == ["Reference cohort"]
    bare = (TracePoint(1, 0.2), TracePoint(2, 0.25))
    made = replace(aged, scores=(), trace=bare)
    assert [each.title for each in plots(made, card)] == ["Risk over the stay"]
    assert "interval" not in trace_plot(made).caption
    banded = tuple(replace(each, low=0.1, high=0.4) for each in bare)
    assert ", with its interval; " in trace_plot(replace(made, trace=banded)).caption


def test_nothing_is_drawn_of_a_single_hour(aged):
    assert trace_plot(replace(aged, trace=(TracePoint(1, 0.2),))) is None
    assert plots(replace(aged, trace=()), None) == ()


def stay(**fields):
    scores = (
        Score("mortality", 0.2),
        Score("attention_series", 0.6),
        Score("attention_film", 0.4),
        Score("shapley_film", -0.5),
        Score("shapley_series", None, meaning="not trained"),
    )
    made = replace(prediction_on(head()), model="icu", scores=scores, maps=(), **fields)
    return replace(made, parameters={"film_hour": 20})


def test_what_the_risk_rests_on_is_drawn_as_bars_with_zero_inside():
    bars = report_plots.contribution_bars(stay())
    assert [(row.label, row.value) for row in bars.rows] == [
        ("attention to the series", 0.6),
        ("attention to the film", 0.4),
        ("contribution of the film", -0.5),
    ]
    assert bars.x == (-0.5, 1.0)
    assert report_plots.contribution_bars(prediction_on(head())) is None


def test_a_severe_course_has_a_bar_from_0_to_1():
    film = replace(stay(), model="cxr", scores=(Score("severe", 0.11, 0.05, 0.3),))
    bars = report_plots.probability_bars(film)
    assert (bars.rows[0].value, bars.rows[0].low, bars.x) == (0.11, 0.05, (0.0, 1.0))
    assert "95 % interval 0.05 – 0.30" in bars.caption
    assert report_plots.probability_bars(stay()) is None


def test_the_record_shows_the_first_variables_and_the_hour_of_the_film():
    strips = tuple(Strip(f"v{n}", "mmHg", (0.5, 10.0), (60.0, 70.0)) for n in range(12))
    (section,) = report_plots.record(Record(strips, 24.0), (stay(),))
    (lanes,) = section.lanes
    assert [lane.name for lane in lanes.rows] == [f"V{n}" for n in range(10)]
    assert (lanes.hours, lanes.mark) == (24.0, 20.0)
    assert lanes.rows[0].words == "60 – 70 mmHg"
    assert "2 more variables are not drawn." in lanes.caption
    assert "Of the hours of the 12 variables in the record 92 % have no" in lanes.caption
    assert "Dashed: the hour of the film." in lanes.caption
    assert lanes.rows[0].carried[0] == (1.5, 60.0)
    unmarked = replace(stay(), parameters={})
    (section,) = report_plots.record(Record(strips[:2], 24.0), (unmarked,))
    assert section.lanes[0].mark is None
    assert "Dashed" not in section.lanes[0].caption
    assert "not drawn" not in section.lanes[0].caption


@pytest.mark.parametrize(
    ("values", "words"), [((38.5, 38.5), "38.5 °C"), ((36.0, 38.5), "36 – 38.5 °C")]
)
def test_a_variable_that_stays_the_same_has_one_figure(values, words):
    strip = Strip("Temp", "°C", (0.5, 10.0), values)
    (section,) = report_plots.record(Record((strip,), 24.0), (stay(),))
    assert section.lanes[0].rows[0].words == words


@pytest.mark.parametrize(
    ("said", "doubt", "words", "units"),
    [
        ("", "", "96 – 100 °C", ""),
        ("Temp: degrees Fahrenheit; converted", "", "96 – 100 °F", "°F, converted"),
        ("Temp: converted from another unit", "", "96 – 100", "unit converted"),
        ("", "2 values look like degrees Fahrenheit", "96 – 100 °F", "looks like °F"),
        ("", "2 values are not within 25 to 45", "96 – 100 °C", "odd values"),
        ("", "looks like kelvin", "96 – 100", "another unit?"),
    ],
)
def test_no_value_stands_beside_a_unit_that_it_is_not_in(said, doubt, words, units):
    strip = Strip("Temp", "°C", (0.5, 10.0), (96.0, 100.0), doubt)
    notes = (Note("UNITS", said),) if said else ()
    (section,) = report_plots.record(Record((strip,), 24.0), (stay(warnings=notes),))
    (lanes,) = section.lanes
    assert lanes.rows[0].words == words
    assert (f" Units: Temperature ({units})." in lanes.caption) == bool(units)
    assert ("Units:" in lanes.caption) == bool(units)


def test_without_a_record_or_an_icu_result_there_are_no_lanes():
    assert report_plots.record(None, (stay(),)) == ()
    strip = Strip("v", "", (1.0,), (2.0,))
    assert report_plots.record(Record((strip,), 24.0), (prediction_on(head()),)) == ()
    assert report_plots.record(Record((), 24.0), (stay(),)) == ()


@pytest.mark.parametrize(
    ("near", "words"),
    [(20, "Of the 20 within 5 years of this age 50 % have a smaller gap"), (9, "Fewer than 10")],
)
def test_the_gap_is_compared_with_people_of_about_the_same_age(near, words):
    people = [[60.0, 60.0 + (3 if n % 2 else 7)] for n in range(near)] + [[80.0, 60.0]] * 5
    made = replace(
        prediction_on(head()),
        model="brain-age", parameters={"age_years": 61.0}, scores=(Score("age", 66.0),),
    )  # fmt: skip
    plot = report_plots.cohort_plot(made, replace(anomaly_card(), settings={"reference": people}))
    assert words in plot.caption
