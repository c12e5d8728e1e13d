"""Plots of a report: a brain age among others, and the risk hour by hour."""

from __future__ import annotations

from medview.domain.card import ModelCard
from medview.domain.prediction import Prediction
from medview.domain.report import Plot, Section
from medview.domain.wording import number
from medview.services.report_lines import risk_name
from medview.services.telling import figure_text

_LEAST_RISK = 0.1


def plots(prediction: Prediction, card: ModelCard | None) -> tuple[Section, ...]:
    """What can be drawn of a result beside its images."""
    made = []
    cohort, trace = cohort_plot(prediction, card), trace_plot(prediction)
    if cohort is not None:
        made.append(Section("Reference cohort", plots=(cohort,)))
    if trace is not None:
        made.append(Section("Risk over the stay", plots=(trace,)))
    return tuple(made)


def cohort_plot(prediction: Prediction, card: ModelCard | None) -> Plot | None:
    """The ages told of people left out of training, with this one; None without such people.

    Only for features like theirs: an age from volumes of a T1 image is told by another estimator.
    """
    given, age = prediction.parameters.get("age_years"), prediction.score("age")
    if card is None or age is None or age.value is None or not isinstance(given, int | float):
        return None
    people = _pairs(card.settings.get("reference"))
    if not people or prediction.parameters.get("route") == "t1":
        return None
    values = [x for x, _ in people] + [float(given)]
    told = [y for _, y in people] + [age.value]
    told += [bound for bound in (age.low, age.high) if bound is not None]
    x, y = _bounds(values), _bounds(told)
    low, high = max(x[0], y[0]), min(x[1], y[1])
    ages = f"{number(min(x for x, _ in people), 2)} to {number(max(x for x, _ in people), 2)} years"
    interval = "" if age.low is None else " with its interval"
    return Plot(
        x=x,
        y=y,
        labels=("age given (years)", "brain age (years)"),
        dots=people,
        guide=((low, low), (high, high)) if high > low else (),
        patient=(float(given), age.value, age.low, age.high),
        caption=(
            f"{len(people)} people of {ages}, each told by networks that had not seen that person; "
            f"this one in blue{interval}. Dashed: brain age and age are the same."
        ),
        alt=(
            f"Brain age over age of {len(people)} people; this one is {given:.1f} years old and "
            f"told {age.value:.1f}."
        ),
    )


def trace_plot(prediction: Prediction) -> Plot | None:
    """The risk after each hour with its band; None with fewer than two hours."""
    trace = prediction.trace
    if len(trace) < 2:
        return None
    band = tuple(
        (each.hour, each.low, each.high)
        for each in trace
        if each.low is not None and each.high is not None
    )
    name = risk_name(prediction)
    highest = max([each.mortality for each in trace] + [high for _, _, high in band])
    last = trace[-1]
    beside = ", with its interval" if band else ""
    share = ""
    if last.observed_share is not None:
        share = f" {last.observed_share:.0%} of the values up to then were measured."
    return Plot(
        x=(0.0, last.hour),
        y=(0.0, min(1.0, max(_LEAST_RISK, 1.1 * highest))),
        labels=("hours of the stay", name[:1].lower() + name[1:]),
        line=tuple((each.hour, each.mortality) for each in trace),
        band=band,
        caption=(
            f"{name} from what was known after each point in time{beside}; "
            f"{figure_text(last.mortality, 'mortality')} after {number(last.hour, 2)} hours.{share}"
        ).replace("%", " %"),
        alt=f"The risk over {len(trace)} points in time; the last one is {last.mortality:.2f}.",
    )


def _pairs(body: object) -> tuple[tuple[float, float], ...]:
    """Age and age told of each person; a damaged list counts as none."""
    if not isinstance(body, list | tuple):
        return ()
    pairs = [each for each in body if isinstance(each, list | tuple) and len(each) == 2]
    return tuple((float(age), float(told)) for age, told in pairs)


def _bounds(values: list[float]) -> tuple[float, float]:
    """Whole fives of years round the values."""
    return 5.0 * (min(values) // 5), 5.0 * (max(values) // 5 + 1)
