"""Seconds between the times of a series, where DICOM says them or they can be counted."""

from __future__ import annotations

from collections.abc import Sequence
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
# How far a volume may lie from an even row of times, as a share of the step: many clocks tell
# whole seconds only.
_UNEVEN = 0.3


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
    for key, seconds in (("TriggerTime", _from_ms), ("AcquisitionTime", _from_clock)):
        begins = [_begin(volume, key) for volume in volumes]
        known = [seconds(begin) for begin in begins if begin is not None]
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


def _from_ms(value: float) -> float:
    return value / 1000


def _from_clock(value: float) -> float:
    """Seconds of the day of HHMMSS.FFF, also behind a date."""
    clock = value % 1e6
    hours, rest = divmod(clock, 1e4)
    minutes, seconds = divmod(rest, 100)
    return hours * 3600 + minutes * 60 + seconds


def _even_step(seconds: Sequence[float]) -> float | None:
    begins = np.array(seconds)
    step = float(begins[-1] - begins[0]) / (len(begins) - 1)
    row = begins[0] + step * np.arange(len(begins))
    even = step > 0 and bool((np.abs(begins - row) <= _UNEVEN * step).all())
    return round(step, 6) if even else None
