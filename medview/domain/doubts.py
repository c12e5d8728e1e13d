"""Warnings in two or three words, for a row of a list and the corner of a pane."""

from __future__ import annotations

from collections.abc import Iterable

from medview.domain.volume import Note

# Code -> words, what matters most first.
_WORDS = {
    "MIXED_PATIENTS": "several patients",
    "SYNTAX_UNKNOWN": "cannot be decoded",
    "PARTIAL": "partly unreadable",
    "DAMAGED": "perhaps damaged",
    "INCOMPLETE": "incomplete",
    "CONFLICT": "slices contradict each other",
    "UNKNOWN_ORIENTATION": "orientation unknown",
    "NO_POSITION": "makes no volume",
    "FORMS_DISAGREE": "two orientations in the file",
    "MODALITY_DOUBTFUL": "modality doubtful",
    "VALUES_DOUBTFUL": "values doubtful",
    "VARIABLE_SPACING": "uneven spacing",
    "SEVERAL_SETS": "several sets of slices",
    "TILTED": "tilted slices",
    "NOT_ORTHOGONAL": "skewed pixels",
    "LOSSY": "lossy",
    "PARTLY_LOSSY": "partly lossy",
    "NO_SPACING": "no size in mm",
    "SPACING_ESTIMATED": "size in mm estimated",
    "SIDE_DOUBTFUL": "side doubtful",
    "STREAM_DISAGREES": "header and pixels disagree",
    "TIME_DOUBTFUL": "time step doubtful",
    "PAGES_LEFT_OUT": "pages left out",
    "PRESENTATION": "presentation state",
    "MAGNITUDE": "magnitude of complex values",
    "NOT_FINITE": "not all values are numbers",
    "DUPLICATE": "duplicates left out",
    "EXECUTABLE_HEADER": "begins like a program",
}


def doubts(notes: Iterable[Note], missing: int = 0) -> tuple[str, ...]:
    """Words for each kind of warning once, what matters most first.

    `missing` slices are counted in place of "incomplete".
    """
    codes = {note.code for note in notes}
    if not missing:
        return tuple(words for code, words in _WORDS.items() if code in codes)
    counted = "1 slice missing" if missing == 1 else f"{missing} slices missing"
    rest = codes - {"INCOMPLETE", "PARTIAL"}
    return counted, *(words for code, words in _WORDS.items() if code in rest)
