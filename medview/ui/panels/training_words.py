"""What the training panel says of pace, health and differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medview.domain.wording import span
from medview.services.report_figures import FIGURE_NAMES, LOWER_IS_BETTER
from medview.services.tuned import Tuned
from medview.ui.panels.training_curve import loss_curves
from medview.ui.words import alike, decimals_of, number, short, tr, unbroken

_MOST_DIFFERENCES = 20
# More or less of these is neither better nor worse by itself.
_NEITHER = ("coverage", "interval_width")


def pace_words(now: Tuned) -> str:
    """Time left, cases a second, device and memory, as far as they are known."""
    parts = [tr("paused")] if now.is_paused else []
    if now.is_finishing:
        parts.append(tr("it ends: old and new are measured"))
    elif 0 < now.epochs <= now.epoch:
        several = tr("all epochs of this part are done")
        measured = tr("all epochs are done, old and new are measured")
        parts.append(measured if now.trainings == 1 else several)
    elif now.seconds_left is not None:
        parts.append(tr("{time} left", time=duration(now.seconds_left)))
        left = now.epochs - now.epoch
        if left > 0 and now.seconds_left > 0 and now.found.get("cases"):
            pace = now.found["cases"] * left / now.seconds_left
            parts.append(tr("{n} cases/s", n=number(pace, 2)))
    if now.place is not None:
        in_parallel = now.place.name == "CPU" and now.place.threads > 1
        cores = tr("CPU, {n} threads", n=now.place.threads)
        parts.append(cores if in_parallel else now.place.name)
    if now.memory_mb:
        parts.append(tr("{n} MB", n=f"{now.memory_mb:.0f}"))
    # A figure and its unit stay in one line; sentences may break.
    return " · ".join(unbroken(part) if part[:1].isdigit() else part for part in parts)


def duration(seconds: float) -> str:
    """Whole seconds below two minutes, else minutes or hours."""
    if seconds < 120:
        return tr("{n} s", n=round(seconds))
    if seconds < 7200:
        return tr("{n} min", n=round(seconds / 60))
    return tr("{n} h", n=f"{seconds / 3600:.1f}")


def health_words(now: Tuned) -> str:
    """What the training says of its own health, or the last figures of the curve."""
    fitted = now.outcome.get("calibrated", ())
    if fitted:
        return " · ".join(
            tr("{what} of {score} × {x}, {n} local cases", what=tr(one["what"]), score=one["score"],
               x=number(one["value"]), n=one["n"])
            for one in fitted
        )  # fmt: skip
    checks = now.outcome.get("health", ())
    if checks:
        told = [
            f"{check['name'].replace('_', ' ')} {short(check['value'])}"
            + ("" if check["ok"] else f" ({check.get('text') or tr('not healthy')})")
            for check in sorted(checks, key=lambda one: bool(one["ok"]))
        ]
        # The verdict first, or what is doubtful: what the figures are is known to few.
        return " · ".join([tr("healthy"), *told] if all(one["ok"] for one in checks) else told)
    last = {part: points[-1][1] for part, points in loss_curves(now).items() if points}
    parts = {"train": tr("training"), "val": tr("validation")}
    return " · ".join(f"{parts[part]} {number(value)}" for part, value in last.items())


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """A line of the table of differences: its cells, and the look of the difference.

    The cells are figure, old, new, difference and its interval ("" without one). One cell alone
    is the name of the group that the lines below it are of.
    """

    cells: tuple[str, ...]
    look: str = ""


def difference_lines(found: Mapping[str, Any]) -> list[DifferenceLine]:
    """A head, then figure, old, new and difference with its interval, by group."""
    lines: list[DifferenceLine] = []
    group = "validation"
    # What is of all sites comes before what is of one of them.
    ordered = sorted(found.get("differences", ()), key=lambda one: ", site:" in one["group"])
    several = len({one["task"] for one in ordered}) > 1
    for one in ordered[:_MOST_DIFFERENCES]:
        if one["group"] != group:
            group = one["group"]
            lines.append(DifferenceLine((group_words(group),)))
        values = {
            row["predictor"]: row["value"]
            for row in found["metrics"]
            if all(row[key] == one[key] for key in ("task", "level", "name", "subset", "group"))
        }
        old, new = values.get("old"), values.get("new")
        told = alike(old, new), _difference(one, decimals_of(old, new))
        cells = (figure_words(one, with_task=several), *told[0], *told[1])
        is_listed = f"{one['group']} {one['name']}" in found.get("worse", ())
        look = "worse" if is_listed and _is_worse(one) else _look(one)
        # What looks like nothing is neither good nor bad, however sure its sign is.
        lines.append(DifferenceLine(cells, look if _is_something(told[1][0]) else ""))
    head = DifferenceLine(("", tr("before"), tr("after"), tr("difference"), ""), "quiet")
    return [head, *lines] if lines else []


def figure_words(one: Mapping[str, Any], *, with_task: bool) -> str:
    """What a figure is called, with what it is of where several tasks are told."""
    level = "" if one["level"] == "case" else one["level"]
    task = one["task"].replace("_", " ")
    plain = FIGURE_NAMES.get(one["name"], one["name"].replace("_", " "))
    words = " ".join(part for part in (task if with_task else "", level, plain) if part)
    return words[:1].upper() + words[1:]


def counted_words(cases: int) -> str:
    """How many cases were held out; nothing where no line tells of one."""
    several = tr("{n} cases held out", n=cases)
    return tr("1 case held out") if cases == 1 else several if cases else ""


def score_words(score: str) -> str:
    """What the table of cases tells of each: "Risk of death, each case"."""
    known = {
        "severe": tr("Probability of a severe course"),
        "mortality": tr("Risk of death in hospital"),
        "icu_admission": tr("Risk of intensive care"),
        "age": tr("Brain age, years"),
        "anomaly": tr("Anomaly score"),
    }
    plain = score.replace("_", " ")
    return tr("{what}, each case", what=known.get(score, plain[:1].upper() + plain[1:]))


def setting_words(name: str) -> str:
    """A setting of a recipe ("augment.noise") as the head of a column: "Augment: noise"."""
    known = {"rate": tr("Learning rate"), "method": tr("What learns")}
    plain = name.replace(".", ": ").replace("_", " ")
    return known.get(name.rpartition(".")[2], plain[:1].upper() + plain[1:])


def worse_words(worse: Sequence[str]) -> str:
    """What became worse for sure ("validation mae"), in words: "mean absolute error, held out"."""
    pairs = [each.rpartition(" ") for each in worse]
    named = [(FIGURE_NAMES.get(key, key.replace("_", " ")), group) for group, _, key in pairs]
    return "; ".join(f"{what}, {group_words(group).lower()}" for what, group in named)


def worse_sentences(found: Mapping[str, Any]) -> str:
    """What became worse, apart by whether there are enough cases to be sure; nothing else."""
    worse = found.get("worse", ())
    several = len({one["task"] for one in found.get("differences", ())}) > 1
    parts: dict[bool, list[str]] = {True: [], False: []}
    for one in found.get("differences", ()):
        if f"{one['group']} {one['name']}" in worse and _is_worse(one):
            what = figure_words(one, with_task=several)
            parts[one["low"] is not None].append(f"{what}, {group_words(one['group']).lower()}")
    told = []
    if parts[True]:
        told.append(tr("Clearly worse: {what}.", what="; ".join(parts[True])))
    if parts[False]:
        few = tr("Worse, on too few cases to be sure: {what}.", what="; ".join(parts[False]))
        told.append(few)
    return "\n".join(told)


def _is_worse(one: Mapping[str, Any]) -> bool:
    """Whether a difference, or all of its interval, lies on the worse side."""
    low, high = one["low"], one["high"]
    if low is None or high is None:
        low = high = one["new_minus_old"] or 0.0
    return bool(low > 0 if one["name"] in LOWER_IS_BETTER else high < 0)


def _look(one: Mapping[str, Any]) -> str:
    """Whether a difference is good or worse for sure: all of its interval on one side."""
    if one["name"] in _NEITHER or one["low"] is None or one["low"] <= 0 <= one["high"]:
        return ""
    rises = one["low"] > 0
    return "good" if rises != (one["name"] in LOWER_IS_BETTER) else "worse"


def _difference(one: Mapping[str, Any], decimals: int) -> tuple[str, str]:
    """New minus old, "–" where there is none; and its interval."""
    if one["new_minus_old"] is None:
        return "–", ""
    text = _signed(one["new_minus_old"], decimals)
    if one["low"] is None:
        return text, ""
    return text, span(_signed(one["low"], decimals), _signed(one["high"], decimals))


def _is_something(difference: str) -> bool:
    return any(letter in "123456789" for letter in difference)


def _signed(value: float, decimals: int) -> str:
    text = f"{value:+.{decimals}f}"
    return text.replace("-", "\u2212") if float(text) else text[1:]


def group_words(group: str) -> str:
    """Whose figures these are."""
    kind, _, site = group.partition("site:")
    if site and not kind:
        return tr("Site {name}, left out", name=site)
    if site:
        return tr("{which}: site {name}", which=group_words(kind.rstrip(", ")), name=site)
    return tr("Locked set") if kind == "reference" else tr("Held out")
