"""What the training panel says of pace, health and differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medview.services.tuning import Tuned
from medview.ui.panels.training_curve import loss_curves
from medview.ui.words import number, tr

_MOST_DIFFERENCES = 12


def pace_words(now: Tuned, device: str) -> str:
    """Time left, cases a second, device and memory, as far as they are known."""
    parts = [tr("paused")] if now.is_paused else []
    if now.seconds_left is not None:
        parts.append(tr("{time} left", time=duration(now.seconds_left)))
        left = now.epochs - now.epoch
        if left > 0 and now.seconds_left > 0 and now.found.get("cases"):
            pace = now.found["cases"] * left / now.seconds_left
            parts.append(tr("{n} cases/s", n=number(pace)))
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


def difference_cells(found: Mapping[str, Any]) -> list[Sequence[str]]:
    """Rows of texts: a head, then figure, old, new, difference."""
    rows: list[Sequence[str]] = []
    for one in found.get("differences", ())[:_MOST_DIFFERENCES]:
        values = {
            row["predictor"]: row["value"]
            for row in found["metrics"]
            if all(row[key] == one[key] for key in ("task", "level", "name", "subset", "group"))
        }
        spread = ""
        if one["low"] is not None:
            spread = f" ({one['low']:+.2f} – {one['high']:+.2f})"
        apart = one["new_minus_old"]
        rows.append(
            (
                group_words(one["group"]) + f"{one['task']} {one['name'].replace('_', ' ')}",
                number(values.get("old")),
                number(values.get("new")),
                "-" if apart is None else f"{apart:+.3f}{spread}",
            )
        )
    head = ("", tr("before"), tr("after"), tr("difference"))
    return [head, *rows] if rows else []


def difference_looks(found: Mapping[str, Any]) -> list[str]:
    """How each difference is written: worse for sure, better for sure, or neither."""
    looks = []
    for one in found.get("differences", ())[:_MOST_DIFFERENCES]:
        is_worse = f"{one['group']} {one['name']}" in found.get("worse", ())
        is_sure = one["low"] is not None and (one["low"] > 0 or one["high"] < 0)
        looks.append("worse" if is_worse else "good" if is_sure else "")
    return looks


def group_words(group: str) -> str:
    """Where a figure comes from, before its name; nothing for the patients held out."""
    kind, _, site = group.partition(":")
    if kind == "site":
        return tr("site {name}: ", name=site)
    return tr("locked set: ") if kind == "reference" else ""
