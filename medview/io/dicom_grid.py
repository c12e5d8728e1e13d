"""Positions of slices to even grids; what is uneven, missing or aside is said (R8, R9, R11)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medview.domain.volume import Note

Vector = NDArray[np.float64]

REGULAR_MM, REGULAR_SHARE = 0.01, 0.01  # R9
WHOLE_GAP_SHARE = 0.05  # R9: how near to a multiple a gap with missing slices must be
# Positions rounded by the scanner stay below this; more is worth a word.
MISPLACED_MM = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Places in even steps: `slots` are indices of places, None where one is missing."""

    slots: tuple[int | None, ...]
    origin: Vector
    step: Vector
    notes: tuple[Note, ...] = ()


def grids_of(positions: Vector, normal: Vector, *, sparse: bool) -> list[Grid]:
    """Lay places (n, 3), sorted along the normal, on one grid or on several (R8, R9, R11)."""
    if len(positions) == 1:
        return [Grid((0,), positions[0], normal)]
    steps = np.diff(positions, axis=0)
    gaps = steps @ normal
    # The lower median: between one gap and a double one there is no spacing.
    usual = float(np.sort(gaps)[(len(gaps) - 1) // 2])
    step = usual * np.median(steps / gaps[:, None], axis=0)
    if np.linalg.norm(steps - step, axis=1).max() <= _tolerance(usual):
        return [_regular(positions, normal, usual)]
    counts = np.rint(gaps / usual)
    near = np.linalg.norm(steps - counts[:, None] * step, axis=1) <= WHOLE_GAP_SHARE * usual
    missing = int((counts - 1).sum())
    if near.all() and counts.min() >= 1 and (sparse or missing <= len(positions)):
        places = [0, *np.cumsum(counts).astype(int).tolist()]
        return [_with_gaps(positions, places, gaps, sparse=sparse)]
    note = Note(
        "VARIABLE_SPACING",
        f"slices are {gaps.min():.3g} to {gaps.max():.3g} mm apart; "
        "each evenly spaced part is a stack of its own",
    )
    return [_even(positions, run, normal, note) for run in _even_runs(steps, normal)]


def _tolerance(gap: float) -> float:
    return max(REGULAR_MM, REGULAR_SHARE * gap)


def _regular(positions: Vector, normal: Vector, usual: float) -> Grid:
    """All places on one grid; small deviations of one sign may add up to one that is said."""
    grid = _even(positions, list(range(len(positions))), normal)
    expected = grid.origin + np.arange(len(positions))[:, None] * grid.step
    off = float(np.linalg.norm(positions - expected, axis=1).max())
    if off <= max(MISPLACED_MM, WHOLE_GAP_SHARE * usual):
        return grid
    text = f"slices lie up to {off:.2g} mm off even steps of {usual:.4g} mm"
    return replace(grid, notes=(Note("VARIABLE_SPACING", text),))


def _even(positions: Vector, run: list[int], normal: Vector, *notes: Note) -> Grid:
    first, last = positions[run[0]], positions[run[-1]]
    step = (last - first) / (len(run) - 1) if len(run) > 1 else normal
    return Grid(tuple(run), first, step, notes)


def _with_gaps(positions: Vector, places: list[int], gaps: Vector, *, sparse: bool) -> Grid:
    slots: list[int | None] = [None] * (places[-1] + 1)
    for n, place in enumerate(places):
        slots[place] = n
    step = (positions[-1] - positions[0]) / places[-1]
    missing = len(slots) - len(positions)
    notes = []
    if missing and not sparse:
        where = "one slice is" if missing == 1 else f"{missing} slices are"
        notes.append(Note("INCOMPLETE", f"{where} missing of {len(slots)}; left blank"))
    expected = positions[0] + np.array(places)[:, None] * step
    off = float(np.linalg.norm(positions - expected, axis=1).max())
    if off > MISPLACED_MM:
        text = f"slices lie up to {off:.2g} mm off even steps of {np.median(gaps):.4g} mm"
        notes.append(Note("VARIABLE_SPACING", text))
    return Grid(tuple(slots), positions[0], step, tuple(notes))


def _even_runs(steps: Vector, normal: Vector) -> list[list[int]]:
    """Cut places into runs of even steps, the longest first where two claim a place."""
    runs: list[list[int]] = []
    begin = 0
    for n in range(1, len(steps) + 1):
        even = n < len(steps) and (
            np.linalg.norm(steps[n] - steps[begin]) <= _tolerance(float(steps[begin] @ normal))
        )
        if not even:
            runs.append(list(range(begin, n + 1)))
            begin = n
    taken: set[int] = set()
    kept = []
    for run in sorted(runs, key=len, reverse=True):
        free = [n for n in run if n not in taken]
        taken.update(free)
        if free:
            kept.append(free)
    return sorted(kept)
