"""Plots of a report: a brain age among others, and the risk hour by hour."""

from __future__ import annotations

import math

import numpy as np

from medview.domain.card import ModelCard
from medview.domain.prediction import Prediction, Score
from medview.domain.record import Record, Strip
from medview.domain.report import Bar, Bars, Lane, Lanes, Plot, Section
from medview.domain.variable_names import unit_name, variable_name
from medview.domain.wording import number, span
from medview.services.report_layout import RESTS_ON
from medview.services.report_lines import risk_name, score_name
from medview.services.telling import SIDES, family, figure_text, interval_text, unit_tag

_LEAST_RISK = 0.1
_MOST_LANES = 10
_LONG_STAY_HOURS = 120.0
# People of about the same age, and how many it takes to compare with.
_NEAR_YEARS, _LEAST_PEOPLE = 5.0, 10


def plots(prediction: Prediction, card: ModelCard | None) -> tuple[Section, ...]:
    """What can be drawn of a result beside its images."""
    made = []
    cohort, trace = cohort_plot(prediction, card), trace_plot(prediction)
    bars = probability_bars(prediction)
    if bars is not None:
        made.append(Section("Probability", bars=(bars,), narrow=True))
    if cohort is not None:
        made.append(Section("Reference cohort", plots=(cohort,), narrow=True))
    if trace is not None:
        made.append(Section("Risk over the stay", plots=(trace,)))
    shares = contribution_bars(prediction)
    if shares is not None:
        made.append(Section(RESTS_ON, bars=(shares,), narrow=True))
    return tuple(made)


def probability_bars(prediction: Prediction) -> Bars | None:
    """The probability of a severe course on a scale from 0 to 1; None for other models."""
    score = prediction.score("severe")
    if score is None or score.value is None:
        return None
    caption = "Probability of a severe course on a scale from 0 to 1"
    bounds = interval_text(score)
    beside = (
        f", with its {score.level:.0%} interval {bounds}" if bounds else ", without an interval"
    )
    words = f"{caption}{beside}.".replace("%", " %")
    return Bars((_bar("severe course", score),), (0.0, 1.0), words, words)


def contribution_bars(prediction: Prediction) -> Bars | None:
    """How much of the risk rests on the series and how much on the film; None without both."""
    every = [each for each in prediction.scores if each.name.startswith(SIDES)]
    known = tuple(_bar(score_name(each), each) for each in every if each.value is not None)
    if not known:
        return None
    low = min(0.0, *(row.value for row in known))
    words = (
        "Attention: shares that the network gives to series and film. Contribution: what each adds "
        "to the risk of this stay (Shapley value of the logit); below zero it lowers the risk."
    )
    high = max(1.0, *(row.value for row in known))
    return Bars(known, (low, high), words, words)


def record(stay: Record | None, results: tuple[Prediction, ...]) -> tuple[Section, ...]:
    """The variables that were measured most often, on one time axis with the hour of the film."""
    icu = [each for each in results if family(each.model) == "icu"]
    if stay is None or not stay.strips or not icu or stay.last <= 0:
        return ()
    shown = stay.strips[:_MOST_LANES]
    film = icu[-1].parameters.get("film_hour")
    unit, hours = _time_unit(stay.last)
    mark = float(film) / hours if isinstance(film, int | float) else None
    left = len(stay.strips) - len(shown)
    more = f" {left} more variables are not drawn." if left else ""
    dashed = " Dashed: the hour of the film." if mark is not None else ""
    share = f"{stay.imputed_share:.0%}".replace("%", " %")
    tags = {each.name: unit_tag(each, results) for each in shown}
    odd = "; ".join(f"{variable_name(name)} ({tag})" for name, tag in tags.items() if tag)
    units = f" Units: {odd}." if odd else ""
    caption = (
        f"Filled: measured; hollow, or the line alone: carried on. Of the hours of the "
        f"{len(stay.strips)} variables in the record {share} have no measurement."
        f"{units}{dashed}{more}"
    )
    names = ", ".join(each.name for each in shown)
    alt = f"Courses of {names} over {number(stay.last / hours, 2)} {unit}."
    rows = tuple(_lane(each, tags[each.name], stay.last, hours) for each in shown)
    lanes = Lanes(rows, stay.last / hours, mark, caption, alt, unit)
    return (Section("Record of the stay", lanes=(lanes,)),)


def _lane(strip: Strip, tag: str, last: float, hours: float) -> Lane:
    """A variable with the unit that its values have as they are written, where that is known."""
    values = strip.values
    known = "°F" if "°F" in tag else "" if "unit" in tag else unit_name(strip.unit)
    unit = f" {known}" if known else ""
    ends = tuple(dict.fromkeys((_short(min(values)), _short(max(values))))) if values else ()
    told = f"{span(*ends) if len(ends) > 1 else ends[0]}{unit}" if ends else "not measured"
    points = tuple((at / hours, value) for at, value in zip(strip.hours, values, strict=True))
    carried = tuple((at / hours, value) for at, value in strip.carried(last))
    return Lane(variable_name(strip.name), points, carried, told)


def _short(value: float) -> str:
    text = number(value, 3)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _bar(name: str, score: Score) -> Bar:
    value = score.value or 0.0
    return Bar(name, value, score.low, score.high, figure_text(value, score.name))


def reference_people(
    prediction: Prediction, card: ModelCard | None
) -> tuple[tuple[float, float], ...]:
    """Age and age told of each person of the card who was left out of training.

    Nobody for an age from the volumes of a T1 image, which another estimator tells, and what is
    no pair of numbers in a damaged card is left out.
    """
    told = card.settings.get("reference") if card is not None else None
    if not isinstance(told, list | tuple) or prediction.parameters.get("route") == "t1":
        return ()
    return tuple((float(each[0]), float(each[1])) for each in told if _is_pair(each))


def _is_pair(each: object) -> bool:
    if not isinstance(each, list | tuple) or len(each) != 2:
        return False
    return all(isinstance(value, int | float) and math.isfinite(value) for value in each)


def cohort_plot(prediction: Prediction, card: ModelCard | None) -> Plot | None:
    """The ages told of people left out of training, with this one; None without such people."""
    given, age = prediction.parameters.get("age_years"), prediction.score("age")
    people = reference_people(prediction, card)
    if not people or age is None or age.value is None or not isinstance(given, int | float):
        return None
    values = [x for x, _ in people] + [float(given)]
    told = [y for _, y in people] + [age.value]
    told += [bound for bound in (age.low, age.high) if bound is not None]
    x, y = _bounds(values), _bounds(told)
    low, high = max(x[0], y[0]), min(x[1], y[1])
    ages = f"{number(min(x for x, _ in people), 2)} to {number(max(x for x, _ in people), 2)} years"
    interval = "" if age.low is None else " with its interval"
    band = _most_people(people)
    shaded = " Shaded: nine of ten of them, about their straight line." if band else ""
    return Plot(
        x=x,
        y=y,
        labels=("age given (years)", "brain age (years)"),
        dots=people,
        band=band,
        guide=((low, low), (high, high)) if high > low else (),
        patient=(float(given), age.value, age.low, age.high),
        caption=(
            f"{len(people)} people of {ages}, each told by networks that had not seen that person; "
            f"this one in blue{interval}.{shaded} Dashed: brain age and age are the same. "
            f"{_rank_words(people, float(given), age.value)}"
        ),
        alt=(
            f"Brain age over age of {len(people)} people; this one is {given:.1f} years old and "
            f"told {age.value:.1f}."
        ),
    )


def _most_people(
    people: tuple[tuple[float, float], ...],
) -> tuple[tuple[float, float, float], ...]:
    """The band about a straight line through people that holds nine of ten of them.

    Over the ages that they have; empty for fewer than `_LEAST_PEOPLE`, or all of one age.
    """
    ages, told = np.array(people, dtype=np.float64).T
    if len(ages) < _LEAST_PEOPLE or ages.min() == ages.max():
        return ()
    slope, start = np.polyfit(ages, told, 1)
    below, above = np.quantile(told - (start + slope * ages), (0.05, 0.95))
    return tuple(
        (float(at), float(start + slope * at + below), float(start + slope * at + above))
        for at in (ages.min(), ages.max())
    )


def _rank_words(people: tuple[tuple[float, float], ...], given: float, told: float) -> str:
    """How the gap compares with that of people of about the same age; no gap is called abnormal."""
    near = [other - age for age, other in people if abs(age - given) <= _NEAR_YEARS]
    if len(near) < _LEAST_PEOPLE:
        return f"Fewer than {_LEAST_PEOPLE} of them are within {_NEAR_YEARS:g} years of this age."
    share = sum(each < told - given for each in near) / len(near)
    return (
        f"Of the {len(near)} within {_NEAR_YEARS:g} years of this age {share:.0%} have a smaller "
        "gap (not corrected). No gap is taken as abnormal."
    ).replace("%", " %")


def trace_plot(prediction: Prediction) -> Plot | None:
    """The risk after each hour with its band; None with fewer than two hours."""
    trace = prediction.trace
    if len(trace) < 2:
        return None
    unit, hours = _time_unit(trace[-1].hour)
    band = tuple(
        (each.hour / hours, each.low, each.high)
        for each in trace
        if each.low is not None and each.high is not None
    )
    name = risk_name(prediction)
    highest = max([each.mortality for each in trace] + [high for _, _, high in band])
    last, film = trace[-1], _film_hour(prediction)
    beside = ", with its interval" if band else ""
    share = ""
    if last.observed_share is not None:
        share = f" {last.observed_share:.0%} of the values up to then were measured."
    return Plot(
        x=(0.0, last.hour / hours),
        y=(0.0, min(1.0, max(_LEAST_RISK, 1.1 * highest))),
        labels=(f"{unit} of the stay", name[:1].lower() + name[1:]),
        line=tuple((each.hour / hours, each.mortality) for each in trace),
        band=band,
        mark=None if film is None else film / hours,
        caption=(
            f"{name} from what was known after each point in time{beside}; "
            f"{figure_text(last.mortality, 'mortality')} after "
            f"{number(last.hour / hours, 2)} {unit}.{share}"
        ).replace("%", " %"),
        alt=f"The risk over {len(trace)} points in time; the last one is {last.mortality:.2f}.",
    )


def _time_unit(last_hour: float) -> tuple[str, float]:
    """What the time of a stay is counted in, and how many hours that has."""
    return ("days", 24.0) if last_hour > _LONG_STAY_HOURS else ("hours", 1.0)


def _film_hour(prediction: Prediction) -> float | None:
    given = prediction.parameters.get("film_hour")
    return float(given) if isinstance(given, int | float) else None


def _bounds(values: list[float]) -> tuple[float, float]:
    """Whole fives of years round the values."""
    return 5.0 * (min(values) // 5), 5.0 * (max(values) // 5 + 1)
