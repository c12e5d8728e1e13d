"""From frames to stacks: sorted by position only, with every irregularity said (R6-R15)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry, SpacingKind
from medview.domain.volume import Note
from medview.io.dicom_headers import Slice

SAME_DIRECTION = 1e-4  # R6, on unit vectors
SAME_PLACE_MM = 0.01
REGULAR_MM, REGULAR_SHARE = 0.01, 0.01  # R9
WHOLE_GAP_SHARE = 0.05  # R9: how near to a multiple a gap with missing slices must be
# Positions rounded by the scanner stay below this; more is worth a word.
MISPLACED_MM = 0.1
TILT_DEGREES = 0.05  # R12
ORTHOGONAL = 1e-3  # R4

Vector = NDArray[np.float64]
SamePixels = Callable[[Slice, Slice], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Frames that make one grid, once or several times.

    `volumes` has one tuple per time, each with a frame or None for every slice. `geometry` is
    None only for frames without any place. `missing` are slice indices that have a None.
    """

    volumes: tuple[tuple[Slice | None, ...], ...]
    geometry: Geometry
    split_by: str | None = None
    missing: tuple[int, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def first(self) -> Slice:
        """Some frame of the stack: for what is equal in all of them."""
        return next(s for volume in self.volumes for s in volume if s is not None)


def stacks_of(slices: Sequence[Slice], same_pixels: SamePixels) -> list[Stack]:
    """Sort the frames of one series into stacks.

    `same_pixels` is asked only about frames in the same place that nothing tells apart.
    """
    stacks: list[Stack] = []
    for group in _alike(slices):
        if group[0].position is None or group[0].orientation is None:
            stacks += _without_place(group)
        else:
            stacks += _with_place(group, same_pixels)
    return sorted(stacks, key=_rank)


def _rank(stack: Stack) -> tuple[object, ...]:
    """An order that does not depend on the order of the files: the largest first."""
    first = stack.first
    origin = tuple(np.round(stack.geometry.affine[:3, 3], 3))
    size = sum(s is not None for volume in stack.volumes for s in volume)
    return -size, repr(first.kind), origin, first.info.instance_uid, first.frame


def _alike(slices: Iterable[Slice]) -> list[list[Slice]]:
    """Group frames that may lie in one stack (R6)."""
    groups: dict[Hashable, list[list[Slice]]] = defaultdict(list)
    for piece in slices:
        placed = piece.position is not None and piece.orientation is not None
        exact = (piece.frame_of_reference, piece.rows, piece.columns, piece.kind, placed)
        for group in groups[exact]:
            if _same_plane(group[0], piece):
                group.append(piece)
                break
        else:
            groups[exact].append([piece])
    return [group for alternatives in groups.values() for group in alternatives]


def _same_plane(a: Slice, b: Slice) -> bool:
    if (a.spacing_mm is None) != (b.spacing_mm is None):
        return False
    if a.spacing_mm and b.spacing_mm and not np.allclose(a.spacing_mm, b.spacing_mm, rtol=1e-4):
        return False
    if a.position is None or a.orientation is None or b.orientation is None:
        return True
    return bool(np.abs(a.orientation - b.orientation).max() <= SAME_DIRECTION)


def _with_place(group: list[Slice], same_pixels: SamePixels) -> list[Stack]:
    directions = _directions(group[0])
    normal = np.cross(*directions)
    ordered = sorted(group, key=lambda s: (_position(s) @ normal, s.info.instance_uid, s.frame))
    places = _places(ordered, normal)
    volumes, split_by, notes, left = _volumes(places, same_pixels)
    positions = np.array([_position(place[0]) for place in places])
    stacks = []
    for run in _grids(positions, normal, sparse=group[0].sparse):
        cut = tuple(
            tuple(None if n is None else volume[n] for n in run.slots) for volume in volumes
        )
        stacks.append(_stack(cut, run, group[0], split_by, notes))
    if left:
        stacks += [_with_note(s, notes[-1]) for s in _with_place(left, same_pixels)]
    return stacks


def _directions(piece: Slice) -> Vector:
    if piece.orientation is None:
        raise ValueError("a frame without orientation has no plane")
    return piece.orientation


def _position(piece: Slice) -> Vector:
    if piece.position is None:
        raise ValueError("a frame without position has no place")
    return piece.position


def _places(ordered: list[Slice], normal: Vector) -> list[list[Slice]]:
    """Bring frames in the same place together; `ordered` runs along the normal."""
    places: list[list[Slice]] = []
    at = -np.inf
    for piece in ordered:
        along = float(_position(piece) @ normal)
        if along - at <= SAME_PLACE_MM:
            places[-1].append(piece)
        else:
            places.append([piece])
            at = along
    return places


# ------------------------------------------------------------- several volumes in one place

Volumes = list[list[Slice | None]]


def _volumes(
    places: list[list[Slice]], same_pixels: SamePixels
) -> tuple[Volumes, str | None, list[Note], list[Slice]]:
    """Tell apart what lies in the same place (R10, R14); give also what nothing explains."""
    if all(len(place) == 1 for place in places):
        return [[place[0] for place in places]], None, [], []
    found = _partition(places, whole=True)
    if found:
        return *found, [], []
    unlike = [_without_copies(place, same_pixels) for place in places]
    copies = sum(map(len, places)) - sum(map(len, unlike))
    notes = [_duplicates(copies)] if copies else []
    if all(len(place) == 1 for place in unlike):
        return [[place[0] for place in unlike]], None, notes, []
    found = _partition(unlike, whole=False) or _by_number(unlike)
    if found:
        return *found, notes, []
    left = [piece for place in unlike for piece in place[1:]]
    notes.append(
        Note(
            "CONFLICT",
            f"{len(left)} images lie in the place of others and differ from them; "
            "both are kept, as separate stacks",
        )
    )
    return [[place[0] for place in unlike]], None, notes, left


def _duplicates(count: int) -> Note:
    return Note("DUPLICATE", f"{count} images were there more than once; one of each is used")


def _without_copies(place: list[Slice], same_pixels: SamePixels) -> list[Slice]:
    kept: list[Slice] = []
    for piece in place:
        if not any(same_pixels(piece, other) for other in kept):
            kept.append(piece)
    return kept


def _partition(places: list[list[Slice]], *, whole: bool) -> tuple[Volumes, str] | None:
    """Find the first key, or pair of keys, by which every place holds each volume once.

    With `whole`, every volume must have every place; else a quarter may be missing.
    """
    names = list(dict.fromkeys(name for place in places for s in place for name in s.keys))
    for combination in [(name,) for name in names] + list(combinations(names, 2)):
        volumes = _by_keys(places, combination, whole)
        if volumes:
            return volumes, "+".join(combination)
    return None


def _by_keys(places: list[list[Slice]], names: tuple[str, ...], whole: bool) -> Volumes | None:
    cells: dict[tuple[Hashable, ...], list[Slice | None]] = {}
    for n, place in enumerate(places):
        for piece in place:
            if not all(name in piece.keys for name in names):
                return None
            value = tuple(piece.keys[name] for name in names)
            column = cells.setdefault(value, [None] * len(places))
            if column[n] is not None:
                return None
            column[n] = piece
    filled = sum(s is not None for column in cells.values() for s in column)
    full = len(cells) * len(places)
    if len(cells) < 2 or filled < (full if whole else 0.75 * full):
        return None
    return [cells[value] for value in sorted(cells, key=_in_order)]


def _in_order(value: tuple[Hashable, ...]) -> tuple[object, ...]:
    """Numbers by size, texts by letters."""
    return tuple(
        (0, part, "") if isinstance(part, int | float) else (1, 0.0, repr(part))
        for part in _flat(value)
    )


def _flat(value: Hashable) -> list[Hashable]:
    if isinstance(value, tuple):
        return [part for item in value for part in _flat(item)]
    return [value]


def _by_number(places: list[list[Slice]]) -> tuple[Volumes, str] | None:
    """As a last resort, the order of instance numbers, if every place has equally many."""
    count = len(places[0])
    if count < 2 or any(len(place) != count for place in places):
        return None
    ordered = [sorted(place, key=lambda s: (s.info.instance_number, s.frame)) for place in places]
    numbers = {tuple(s.info.instance_number for s in place) for place in ordered}
    if len(numbers) != len(ordered) and len(places) > 1:
        return None
    return [[place[n] for place in ordered] for n in range(count)], "InstanceNumber"


# ---------------------------------------------------------------------------- even distances


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Places in even steps: `slots` are indices of places, None where one is missing."""

    slots: tuple[int | None, ...]
    origin: Vector
    step: Vector
    notes: tuple[Note, ...] = ()


def _grids(positions: Vector, normal: Vector, *, sparse: bool) -> list[_Grid]:
    """Lay places (n, 3), sorted along the normal, on one grid or on several (R8, R9, R11)."""
    if len(positions) == 1:
        return [_Grid((0,), positions[0], normal)]
    steps = np.diff(positions, axis=0)
    gaps = steps @ normal
    usual = float(np.median(gaps))
    step = usual * np.median(steps / gaps[:, None], axis=0)
    if np.linalg.norm(steps - step, axis=1).max() <= _tolerance(usual):
        return [_even(positions, list(range(len(positions))), normal)]
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


def _even(positions: Vector, run: list[int], normal: Vector, *notes: Note) -> _Grid:
    first, last = positions[run[0]], positions[run[-1]]
    step = (last - first) / (len(run) - 1) if len(run) > 1 else normal
    return _Grid(tuple(run), first, step, notes)


def _with_gaps(positions: Vector, places: list[int], gaps: Vector, *, sparse: bool) -> _Grid:
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
    return _Grid(tuple(slots), positions[0], step, tuple(notes))


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


# ------------------------------------------------------------------------------- geometry


def _stack(
    volumes: tuple[tuple[Slice | None, ...], ...],
    grid: _Grid,
    first: Slice,
    split_by: str | None,
    notes: list[Note],
) -> Stack:
    missing = {k for volume in volumes for k, piece in enumerate(volume) if piece is None}
    holes = sum(piece is None for volume in volumes for piece in volume)
    absent = {k for k in range(len(grid.slots)) if grid.slots[k] is None}
    all_notes = [*notes, *grid.notes]
    if holes > len(absent) * len(volumes) and not first.sparse:
        count = holes - len(absent) * len(volumes)
        all_notes.append(Note("INCOMPLETE", f"{count} images of some volumes are missing"))
    geometry, more = _geometry(first, len(grid.slots), grid.origin, grid.step)
    return Stack(
        volumes=volumes,
        geometry=geometry,
        split_by=split_by if len(volumes) > 1 else None,
        missing=() if first.sparse else tuple(sorted(missing)),
        notes=(*all_notes, *more),
    )


def _geometry(
    first: Slice, count: int, origin: Vector, step: Vector
) -> tuple[Geometry, tuple[Note, ...]]:
    """Grid of a stack: step and directions as they are, sheared when tilted (R3, R11, R12)."""
    spacing = first.spacing_mm or (1.0, 1.0)
    directions = _directions(first)
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = directions[1] * spacing[0]
    affine[:3, 2] = directions[0] * spacing[1]
    affine[:3, 3] = origin
    geometry = Geometry(
        (count, first.rows, first.columns),
        affine,
        frame_of_reference=first.frame_of_reference,
        spacing_kind=_spacing_kind(first),
    )
    notes = []
    if first.spacing_mm is None:
        notes.append(_NO_SPACING)
    skew = abs(float(directions[0] @ directions[1]))
    if skew > ORTHOGONAL:
        notes.append(
            Note("NOT_ORTHOGONAL", f"rows and columns are not at right angles ({skew:.2g})")
        )
    tilt = geometry.shear_degrees
    if tilt > TILT_DEGREES:
        notes.append(Note("TILTED", f"slices are tilted by {tilt:.1f} degrees against their stack"))
    return geometry, tuple(notes)


_NO_SPACING = Note("NO_SPACING", "the size of a pixel is not known; nothing can be measured in mm")
_NO_ORIENTATION = Note("UNKNOWN_ORIENTATION", "the file does not say where left and right are")


def _spacing_kind(first: Slice) -> SpacingKind | None:
    if first.spacing_mm is None:
        return None
    return "detector" if first.at_detector else "patient"


def _with_note(stack: Stack, note: Note) -> Stack:
    return replace(stack, notes=(*stack.notes, note)) if note not in stack.notes else stack


PROJECTIONS = ("CR", "DX", "MG", "IO", "PX", "RG", "DR", "RF")


def _without_place(group: list[Slice]) -> list[Stack]:
    """Films one by one; cine loops and captures as one picture at several times (R18)."""
    ordered = sorted(group, key=lambda s: (s.info.instance_number, s.info.instance_uid, s.frame))
    alone = ordered[0].info.modality in PROJECTIONS or len(ordered) == 1
    series = [[piece] for piece in ordered] if alone else [ordered]
    return [_film(pieces) for pieces in series]


def _film(pieces: list[Slice]) -> Stack:
    first = pieces[0]
    spacing = first.spacing_mm or (1.0, 1.0)
    known = first.orientation is not None
    along_row, along_column = _directions(first) if known else np.eye(3)[:2]
    affine = np.eye(4)
    affine[:3, 0] = np.cross(along_row, along_column)
    affine[:3, 1] = along_column * spacing[0]
    affine[:3, 2] = along_row * spacing[1]
    geometry = Geometry(
        (1, first.rows, first.columns),
        affine,
        frame_of_reference=first.frame_of_reference,
        orientation_known=known,
        spacing_kind=_spacing_kind(first),
    )
    notes = () if known else (_NO_ORIENTATION,)
    if first.spacing_mm is None:
        notes = (*notes, _NO_SPACING)
    return Stack(
        volumes=tuple((piece,) for piece in pieces),
        geometry=geometry,
        split_by="frame" if len(pieces) > 1 else None,
        notes=notes,
    )
