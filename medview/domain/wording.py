"""Numbers, dates and places as a reader writes them."""

from __future__ import annotations

import math
import re
from datetime import datetime

_TYPED_MINUS = re.compile(r"(?<![\w.,)\]\-\u2212])-(?=\.?\d)")
_KINDS = {
    **{"CR": "a film", "DX": "a film", "RG": "a film"},
    **{"MG": "a mammogram", "US": "ultrasound", "PT": "PET"},
}
_TYPED_TIMES = re.compile(r"(?<=\d) x (?=\d)")
_TYPED_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NO_TEXT = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def number(value: float, digits: int = 3) -> str:
    """Write a number with that many figures that say something, never as a power of ten.

    Whole digits are never rounded away: 1234.5 is "1 234".
    """
    if not math.isfinite(value):
        return "not a number"
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}".replace(",", "\u202f")
    return text.replace("-", "\u2212")


def legible(name: str) -> str:
    """A file's or folder's name as text: bytes in it that are no UTF-8 become "\ufffd".

    Python hands these over as lone surrogates, which no JSON, CSV or PDF can hold. Such names
    come from disks and archives of systems that wrote Latin-1. Control characters become spaces:
    a line ends where the program ends it, and no name colours or clears a terminal.
    """
    return _CONTROL.sub(" ", _NO_TEXT.sub("\ufffd", name))


def counted(count: int, noun: str) -> str:
    """Write "1 case" or "2 cases"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def interval(low: float | None, high: float | None) -> str:
    """Write "1.61 – 2.10", or nothing when either bound is unknown."""
    if low is None or high is None:
        return ""
    return span(number(low), number(high))


def span(low: str, high: str) -> str:
    """Join two written figures: "1.61 – 2.10", but "−5.7 to +20.6", where a dash would mislead."""
    signed = any(text[:1] in ("\u2212", "-", "+") for text in (low, high))
    return f"{low} to {high}" if signed else f"{low} – {high}"


def lead(difference: float, low: float | None, high: float | None) -> str:
    """Write how far one score is from another: "behind by 0.070 (difference -0.120 to -0.020)".

    The bounds keep their signs: they are of the difference, plus being ahead.
    """
    size = f"{abs(difference):.3f}"
    words = "level" if float(size) == 0 else f"{'ahead' if difference > 0 else 'behind'} by {size}"
    known = low is not None and high is not None
    return f"{words} (difference {low:+.3f} to {high:+.3f})" if known else words


def date_words(iso: str) -> str:
    """Write "2026-11-21", with or without a time, as "21 Nov 2026"; empty when it is no date."""
    moment = _moment(iso)
    return f"{moment.day:02d} {_MONTHS[moment.month - 1]} {moment.year}" if moment else ""


def time_words(iso: str) -> str:
    """Write an ISO time as "21 Nov 2026 10:41 UTC"; empty when it is no time."""
    moment = _moment(iso)
    if moment is None:
        return ""
    zone = moment.strftime("%Z")
    return f"{date_words(iso)} {moment:%H:%M}{' ' if zone else ''}{zone}"


def duration_words(seconds: float) -> str:
    """Write "6.2 s", "3 min 10 s" or "1 h 12 min"."""
    if seconds < 60:
        return f"{number(seconds, 2)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def typeset(text: str) -> str:
    """The same with a minus before figures below zero, where a hyphen was typed.

    Thousands are parted as in every figure: "3,396" is "3\u202f396".
    What stands between two figures or letters ("ages 23-51", "T1-2") stays. Between two figures
    an "x" is a sign of multiplication ("128 x 128").
    """
    text = _TYPED_THOUSANDS.sub("\u202f", text)
    return _TYPED_TIMES.sub(" \u00d7 ", _TYPED_MINUS.sub("\u2212", text))


def place_words(point_lps: tuple[float, float, float]) -> str:
    """Write a point of the patient as "L 31, P 62, H 18 mm"."""
    letters = (("L", "R"), ("P", "A"), ("H", "F"))
    parts = (
        f"{pair[0 if value >= 0 else 1]} {abs(round(value))}"
        for pair, value in zip(letters, point_lps, strict=True)
    )
    return f"{', '.join(parts)} mm"


def _moment(iso: str) -> datetime | None:
    try:
        return datetime.fromisoformat(iso)
    except ValueError:
        return None


def sentence(text: str) -> str:
    """A text with a capital letter at its beginning and a stop at its end."""
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def modality_words(modality: str) -> str:
    """What an image of a modality is, as in "this is PET"."""
    return _KINDS.get(modality, modality)
