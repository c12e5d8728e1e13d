"""Are the predicted uncertainties as large as the errors: what is drawn of the figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

from medview.domain.card import Figure
from medview.domain.report import Plot

FIFTH, WITHIN = "uncertainty:", "within:"
"""How the groups of the figures begin: errors in a fifth of the pixels, and their coverage."""
_STEP = 0.02
_EXPECTED = {"1sd": "68 %", "2sd": "95 %"}
"""What a normal distribution has within so many deviations."""


def uncertainty_plot(figures: Sequence[Figure], *, with_seen: bool = False) -> Plot | None:
    """Error against predicted deviation in fifths of the pixels; None where that was not measured.

    Of several sets the first with all of it is drawn. The band is the interval of the errors.
    `with_seen` says that brains were measured which the weights were trained on.
    """
    for on in dict.fromkeys(each.on for each in figures if each.group.startswith(FIFTH)):
        made = _plot_of([each for each in figures if each.on == on], with_seen)
        if made is not None:
            return made
    return None


def _plot_of(figures: Sequence[Figure], with_seen: bool) -> Plot | None:
    errors = {each.group: each for each in figures if each.name == "rmse"}
    predicted = {each.group: each for each in figures if each.name == "predicted_sd"}
    names = [group for group in predicted if group.startswith(FIFTH) and group in errors]
    points = [(predicted[name].value, errors[name].value) for name in names]
    known = tuple((x, y) for x, y in points if x is not None and y is not None)
    if len(known) < 2 or len(known) < len(points):
        return None
    measured = [errors[name] for name in names]
    band = _band([x for x, _ in known], measured)
    reach = [part for point in (*known, *(each[1:] for each in band)) for part in point]
    bounds = _STEP * math.floor(min(reach) / _STEP), _STEP * math.ceil(max(reach) / _STEP)
    first = measured[0]
    origin = "some seen in training" if with_seen else "that the weights had not seen"
    interval = ", with the 95 % interval of the error" if band else ""
    told = ", ".join(f"{y:.3f} at {x:.3f}" for x, y in known)
    return Plot(
        x=bounds,
        y=bounds,
        labels=("predicted deviation (brightness, 0-1)", "error (root mean square)"),
        dots=known,
        line=known,
        band=band,
        guide=((bounds[0], bounds[0]), (bounds[1], bounds[1])),
        caption=(
            f"Pixels of {first.n} normal brains {origin} ({first.on}), in "
            f"{len(known)} equal parts by predicted deviation{interval}. Dashed: the error is as "
            f"large as predicted.{_covered(figures)}"
        ),
        alt=f"Error by predicted deviation: {told}.",
    )


def _band(
    predicted: Sequence[float], errors: Sequence[Figure]
) -> tuple[tuple[float, float, float], ...]:
    """The interval of each error at its predicted deviation; nothing where one has none."""
    band = tuple(
        (x, error.low, error.high)
        for x, error in zip(predicted, errors, strict=True)
        if error.low is not None and error.high is not None
    )
    return band if len(band) == len(errors) else ()


def _covered(figures: Sequence[Figure]) -> str:
    """How many pixels lie within so many deviations; empty where that was not measured."""
    shares = [_within_words(each) for each in figures if each.name == "coverage"]
    return f" {', '.join(shares)}." if shares else ""


def _within_words(figure: Figure) -> str:
    times = figure.group.removeprefix(WITHIN)
    share = "unknown" if figure.value is None else _percent(figure.value)
    spread = ""
    if figure.low is not None and figure.high is not None:
        spread = f" [{_percent(figure.low)}, {_percent(figure.high)}]"
    normal = f" ({_EXPECTED[times]} of a normal distribution)" if times in _EXPECTED else ""
    deviations = "1 deviation" if times == "1sd" else f"{times.removesuffix('sd')} deviations"
    return f"{share}{spread} lie within {deviations}{normal}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
