"""Every text on screen goes through ``tr``; short phrases with numbers are made here."""

from __future__ import annotations

import html
import math
import re
import unicodedata
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from medview.domain.wording import span

_CONTEXT = "medview"
_HASH, _THIN = re.compile(r"[0-9a-f]{32,}"), "\u200b"
# A line breaks behind a hyphen by itself, but before no figure.
_LONG_WORD = re.compile(r"(?:[^\s-]|-(?=\d)){24,}")
_ISOLATED = "\u2068{}\u2069"
_SIDES = (("L", "R"), ("P", "A"), ("H", "F"))
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def tr(text: str, **values: object) -> str:
    """Translate a text of the window, then put `values` into its {named} places."""
    found = QCoreApplication.translate(_CONTEXT, text)
    return found.format(**values) if values else found


def plain_tip(text: str) -> str:
    """A text for a tip, which Qt would take for a page with pictures if it looked like one."""
    if not set(text) & set("<&"):
        return text
    return f"<qt>{html.escape(text)}</qt>".replace("\n", "<br>")


def isolated(text: str) -> str:
    """A name that a figure follows: where it runs from right to left the figure stays behind it."""
    from_right = any(unicodedata.bidirectional(each) in ("R", "AL") for each in text)
    return _ISOLATED.format(text) if from_right else text


def breakable(text: str) -> str:
    """A text whose hashes may go on in the next line, where a row is too short for one."""
    return _HASH.sub(lambda found: _THIN.join(re.findall(".{1,16}", found.group())), text)


def foldable(text: str) -> str:
    """A text whose longest words (names, series with underscores) may go on in the next line."""
    return _LONG_WORD.sub(lambda found: _THIN.join(re.findall(".{1,12}", found.group())), text)


def number(value: float | None, digits: int = 3) -> str:
    """A figure with `digits` significant digits, never in scientific notation; "–" for none."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{min(decimals, 6)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text and abs(value) >= 100 else text
    return text.replace("-", "\u2212")


def decimals_of(*values: float | None) -> int:
    """How many decimals figures need that are compared: three digits of the largest."""
    known = [abs(value) for value in values if value is not None and math.isfinite(value)]
    largest = max(known, default=0.0)
    return 2 if largest == 0 else min(6, max(0, 2 - math.floor(math.log10(largest))))


def alike(*values: float | None) -> tuple[str, ...]:
    """Figures to be compared: with as many decimals each as the largest needs."""
    decimals = decimals_of(*values)
    return tuple(fixed(value, decimals) for value in values)


def fixed(value: float | None, decimals: int) -> str:
    """A figure with so many decimals; "–" for none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{decimals}f}".replace("-", "\u2212")


def short(value: float) -> str:
    """A figure for a scale: three significant digits without zeros at the end."""
    text = number(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def sides(point_lps: Sequence[float]) -> tuple[tuple[str, float], ...]:
    """The three coordinates of a point (LPS mm) as letter and distance: (("L", 4.0), ...)."""
    return tuple(
        (pair[0] if value >= 0 else pair[1], abs(value))
        for value, pair in zip(point_lps, _SIDES, strict=True)
    )


def place(point_lps: Sequence[float]) -> str:
    """A point in LPS mm the way a reader says it: "L 4.0  A 46.0  H 12.0 mm"."""
    return "  ".join(f"{side} {mm:.1f}" for side, mm in sides(point_lps)) + " mm"


def date(iso: str) -> str:
    """Write the ISO date "2026-03-14" as "14 Mar 2026"; anything else stays as it is."""
    parts = iso.split("-")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return iso
    year, month, day = parts
    if not 1 <= int(month) <= 12:
        return iso
    return f"{int(day):02d} {tr(_MONTHS[int(month) - 1])} {year}"


def time_left(seconds: float | None) -> str:
    """How long a job still takes: "8 s left", "2 min left"; empty when unknown."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    if seconds < 90:
        return tr("{n} s left", n=max(1, round(seconds)))
    if seconds < 5400:
        return tr("{n} min left", n=round(seconds / 60))
    return tr("{n} h left", n=round(seconds / 3600))


def age(birth_date: str | None, at: str) -> str:
    """Full years between two ISO dates as "61 y"; empty when either is unknown."""
    try:
        born = tuple(int(part) for part in (birth_date or "").split("-"))
        then = tuple(int(part) for part in at.split("-"))
        years = then[0] - born[0] - ((then[1], then[2]) < (born[1], born[2]))
    except (ValueError, IndexError):
        return ""
    return tr("{n} y", n=years) if 0 <= years < 130 else ""


def unbroken(text: str) -> str:
    """A text that stays in one line, such as an interval, whatever is beside it."""
    # A dash lets a line end behind it, also before a space that does not (UAX 14, rule LB12a).
    return text.replace(" ", "\u00a0").replace("\u2013\u00a0", "\u2013\u2060\u00a0")


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """An interval as "1.61 – 2.10", which no line breaks; empty when there is none."""
    if low is None or high is None:
        return ""
    return unbroken(span(number(low, digits), number(high, digits)))
