"""What the training panel says of pace, health and differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medview.domain.wording import span
from medview.services.tuned import Tuned
from medview.ui.panels.training_curve import loss_curves
from medview.ui.words import number, tr

_MOST_DIFFERENCES = 20
# More or less of these is neither better nor worse by itself.
_NEITHER = ("coverage", "interval_width")


def pace_words(now: Tuned, device: str) -> str:
    """Time left, cases a second, device and memory, as far as they are known."""
    parts = [tr("paused")] if now.is_paused else []
    if now.seconds_left is not None:
        parts.append(tr("{time} left", time=duration(now.seconds_left)))
        left = now.epochs - now.epoch
        if left > 0 and now.seconds_left > 0 and now.found.get("cases"):
            pace = now.found["cases"] * left / now.seconds_left
            parts.append(tr("{n} cases/s", n=number(pace, 2)))
    parts.append(tr("device {name}", name=tr("automatic") if device == "auto" else device))
    if now.memory_mb:
        parts.append(tr("{n} MB", n=f"{now.memory_mb:.0f}"))
    return " · ".join(parts)


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
        return " · ".join(
            f"{check['name'].replace('_', ' ')} {number(check['value'])}"
            + ("" if check["ok"] else f" ({check.get('text') or tr('not healthy')})")
            for check in checks
        )
    last = {part: points[-1][1] for part, points in loss_curves(now).items() if points}
    parts = {"train": tr("training"), "val": tr("validation")}
    return " · ".join(f"{parts[part]} {number(value)}" for part, value in last.items())


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """A line of the table of differences: its cells, and the look of the last one.

    One cell alone is the name of the group that the lines below it are of.
    """

    cells: tuple[str, ...]
    look: str = ""


def difference_lines(found: Mapping[str, Any]) -> list[DifferenceLine]:
    """A head, then figure, old, new and difference with its interval, by group."""
    lines: list[DifferenceLine] = []
    group = "validation"
    # What is of all sites comes before what is of one of them.
    ordered = sorted(found.get("differences", ()), key=lambda one: ", site:" in one["group"])
    for one in ordered[:_MOST_DIFFERENCES]:
        if one["group"] != group:
            group = one["group"]
            lines.append(DifferenceLine((group_words(group),)))
        values = {
            row["predictor"]: row["value"]
            for row in found["metrics"]
            if all(row[key] == one[key] for key in ("task", "level", "name", "subset", "group"))
        }
        level = "" if one["level"] == "case" else f"{one['level']} "
        cells = (
            f"{one['task']} {level}{one['name'].replace('_', ' ')}",
            number(values.get("old")),
            number(values.get("new")),
            _difference(one),
        )
        is_worse = f"{one['group']} {one['name']}" in found.get("worse", ())
        is_sure = one["low"] is not None and (one["low"] > 0 or one["high"] < 0)
        is_sure = is_sure and one["name"] not in _NEITHER
        lines.append(DifferenceLine(cells, "worse" if is_worse else "good" if is_sure else ""))
    head = DifferenceLine(("", tr("before"), tr("after"), tr("difference")), "quiet")
    return [head, *lines] if lines else []


def _difference(one: Mapping[str, Any]) -> str:
    """New minus old with its interval; "–" where there is none."""
    if one["new_minus_old"] is None:
        return "–"
    text = _signed(one["new_minus_old"], 3)
    if one["low"] is None:
        return text
    return f"{text} ({span(_signed(one['low'], 2), _signed(one['high'], 2))})"


def _signed(value: float, digits: int) -> str:
    return ("+" if value >= 0 else "") + number(value, digits)


def group_words(group: str) -> str:
    """Whose figures these are."""
    kind, _, site = group.partition("site:")
    if site and not kind:
        return tr("Site {name}, left out", name=site)
    if site:
        return tr("{which}: site {name}", which=group_words(kind.rstrip(", ")), name=site)
    return tr("Locked set") if kind == "reference" else tr("Held out")
