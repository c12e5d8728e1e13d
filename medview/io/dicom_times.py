"""Times of day and moments as DICOM writes them, and the seconds between those of a series."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from medview.io.dicom_values import Header

if TYPE_CHECKING:
    from medview.io.dicom_headers import Slice

# Keys that tell volumes apart by when they were taken; by the others they differ in what they are.
_IN_TIME = (
    *("TemporalPositionIdentifier", "TemporalPositionIndex", "AcquisitionNumber"),
    *("TriggerTime", "AcquisitionTime", "ContentTime"),
)
# Hours alone, with minutes, with seconds and a fraction (PS3.5 6.2, TM); colons are of files from
# before DICOM 3.0, a comma and a missing first zero of vendors.
_TIME = re.compile(r"(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d*))?)?)?")
_NO_FIRST_ZERO = re.compile(r"\d{5}(?:[.,]\d*)?|\d:\d\d.*")
# A year, or more of it, and how far its clock is before that of UTC (DT).
_MOMENT = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d[\d.,]*)?([+-]\d{4})?")
_DAY_S = 86_400.0
_FROM = date(2000, 1, 1).toordinal()  # not further back: a double has 0.1 microseconds left then
# How far a volume may lie from an even row of times, as a share of the step: many clocks tell
# whole seconds only.
_UNEVEN = 0.3


def seconds_of_day(text: str) -> float | None:
    """A time (TM: "10", "1015", "101530", "101530.25", "10:15:30") in seconds since midnight.

    None for anything else, also for an hour or a minute that no clock has.
    """
    said = text.strip("\0 ")
    found = _TIME.fullmatch(f"0{said}" if _NO_FIRST_ZERO.fullmatch(said) else said)
    if not found:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3])
    if hours > 23 or minutes > 59 or seconds > 60:  # 60 is a leap second
        return None
    return hours * 3600 + minutes * 60 + seconds + float(f"0.{found[4] or 0}")


def moment_of(text: str) -> float | None:
    """A date with a time (DT: "2026", "20261121101530.25+0100") in seconds since 2000, of UTC.

    Without an offset its own clock counts; what is left out is the beginning. None for anything
    else.
    """
    found = _MOMENT.fullmatch(text.strip("\0 "))
    if not found:
        return None
    year, month, day, clock, offset = found.groups()
    midnight, of_day = _midnight(year, month or "01", day or "01"), seconds_of_day(clock or "00")
    if midnight is None or of_day is None:
        return None
    return midnight + of_day - _offset_s(offset or "+0000")


def _midnight(year: str, month: str, day: str) -> float | None:
    try:
        return (date(int(year), int(month), int(day)).toordinal() - _FROM) * _DAY_S
    except ValueError:
        return None


def _offset_s(text: str) -> float:
    east = int(text[1:3]) * 3600.0 + int(text[3:]) * 60
    return -east if text[0] == "-" else east


def clock_key(header: Header, keyword: str, day: str) -> float | None:
    """A time of an image as a number by which images lie in order; None where it is none.

    `day` is the keyword of its date: a series may go on past midnight.
    """
    text = header.word(keyword)
    if keyword.endswith("DateTime"):
        return moment_of(text)
    since = seconds_of_day(text)
    date_text = header.word(day).replace(".", "").replace("-", "")
    midnight = moment_of(date_text) if len(date_text) == len("YYYYMMDD") else None
    return None if since is None else since + (midnight or 0.0)


def clock_words(text: str) -> str:
    """A time as "10:15", cut to minutes; empty where it is none or says no minutes."""
    since = seconds_of_day(text)
    if since is None or len(text.strip("\0 ").replace(":", "")) < len("HHMM"):
        return ""
    return f"{int(since) // 3600:02}:{int(since) // 60 % 60:02}"


def frame_step_of(header: Header) -> float | None:
    """Seconds from one frame of a loop to the next (PS3.3 C.7.6.5), None where they differ."""
    if (step := header.number("FrameTime")) and step > 0:
        return step / 1000
    vector = np.array(header.numbers("FrameTimeVector")[1:])
    if len(vector):
        middle = float(np.median(vector))
        even = middle > 0 and bool((np.abs(vector - middle) <= _UNEVEN * middle).all())
        return float(vector.mean()) / 1000 if even else None
    rate = header.number("CineRate") or header.number("RecommendedDisplayFrameRate")
    return 1 / rate if rate and rate > 0 else None


def temporal_step_of(header: Header) -> float | None:
    """Seconds between volumes that the header states (PS3.3 C.7.6.2.1, C.7.6.17)."""
    step = header.number("TemporalResolution")
    return step / 1000 if step and step > 0 else None


def time_step_of(split_by: str | None, volumes: Sequence[Sequence[Slice | None]]) -> float | None:
    """Seconds between two times of a stack; None where these are no times, or not even ones."""
    first = next((piece for piece in volumes[0] if piece is not None), None)
    if len(volumes) < 2 or first is None:
        return None
    if split_by == "frame":
        same_file = all(piece is None or piece.info is first.info for v in volumes for piece in v)
        return first.info.frame_step_s if same_file else None
    if split_by not in _IN_TIME:
        return None
    if split_by.startswith("TemporalPosition") and first.info.temporal_step_s:
        return first.info.temporal_step_s
    for key, unit_s in (("TriggerTime", 0.001), ("AcquisitionTime", 1.0)):
        begins = [_begin(volume, key) for volume in volumes]
        known = [begin * unit_s for begin in begins if begin is not None]
        if len(known) == len(volumes) and (step := _even_step(known)):
            return step
    return None


def _begin(volume: Sequence[Slice | None], key: str) -> float | None:
    """The earliest value of a key among the slices of a volume."""
    told = [piece.keys.get(key) for piece in volume if piece is not None]
    values = [one[0][0] for one in told if isinstance(one, tuple) and one and _is_number(one[0])]
    return float(min(values)) if values and len(values) == len(told) else None


def _is_number(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], float | int)


def _even_step(seconds: Sequence[float]) -> float | None:
    begins = np.array(seconds)
    step = float(begins[-1] - begins[0]) / (len(begins) - 1)
    row = begins[0] + step * np.arange(len(begins))
    even = step > 0 and bool((np.abs(begins - row) <= _UNEVEN * step).all())
    return round(step, 6) if even else None
