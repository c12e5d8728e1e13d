"""What the pixels of a series say about it, without handing them over."""

from __future__ import annotations

from collections import Counter

import numpy as np

from medview.domain.errors import ReadError
from medview.domain.progress import Progress
from medview.domain.study import Series, Summary
from medview.domain.volume import Note
from medview.io.readers import load

MOST_OF_A_KIND = 5


def summarise(job: Progress, series: Series) -> Summary:
    """Read every time of a series for its range of values.

    What cannot be read is no error here but a warning of the series.
    """
    ends: list[float] = []
    missing = set(series.missing_slices)
    notes = list(series.warnings)
    for time in range(series.times):
        try:
            volume = load(job, series, time)
        except ReadError as error:
            notes.append(Note("PARTIAL", f"the pixels cannot be read: {error}"))
            continue
        finite = volume.array[np.isfinite(volume.array)] if volume.array.dtype.kind == "f" else None
        values = volume.array if finite is None else finite
        if values.size:
            ends += [values.min().item(), values.max().item()]
        missing.update(volume.missing_slices)
        notes += volume.warnings
    return Summary(
        value_range=(min(ends), max(ends)) if ends else None,
        missing_slices=tuple(sorted(missing)),
        warnings=_shortened(tuple(dict.fromkeys(notes))),
    )


def _shortened(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """Of each kind the first few; of a thousand damaged times the rest is counted."""
    kept: list[Note] = []
    for note in notes:
        same = sum(other.code == note.code for other in kept)
        if same < MOST_OF_A_KIND:
            kept.append(note)
    left = Counter(note.code for note in notes) - Counter(note.code for note in kept)
    return (*kept, *(Note(code, f"and {count} more like it") for code, count in left.items()))
