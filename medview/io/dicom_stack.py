"""From frames to stacks: sorted by position only, with every irregularity said (R6-R15)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from medview.domain.geometry import TILT_DEGREES, Geometry, SpacingKind
from medview.domain.volume import Note
from medview.domain.wording import counted
from medview.io.dicom_grid import Grid, Vector, grids_of
from medview.io.dicom_headers import Slice, StoredAs
from medview.io.dicom_planes import Planes
from medview.io.dicom_volumes import SamePixels, split_keys_of, volumes_of
from medview.io.unknowns import NO_ORIENTATION, NO_POSITION, NO_SPACING

SAME_PLACE_MM = 0.01
TILTS_DIFFER_DEGREES = 0.5
ORTHOGONAL = 1e-3  # R4


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Frames that make one grid, once or several times.

    `volumes` has one tuple per time, each with a frame or None for every slice. `geometry` is
    None only for frames without any place. `missing` are slice indices that have a None.
    `split_keys` are what could have told the volumes apart.
    """

    volumes: tuple[tuple[Slice | None, ...], ...]
    geometry: Geometry
    split_by: str | None = None
    missing: tuple[int, ...] = ()
    notes: tuple[Note, ...] = ()
    split_keys: tuple[str, ...] = ()

    @property
    def first(self) -> Slice:
        """Some frame of the stack: for what is equal in all of them."""
        return next(s for volume in self.volumes for s in volume if s is not None)


def stacks_of(slices: Sequence[Slice], same_pixels: SamePixels, split_by: str = "") -> list[Stack]:
    """Sort the frames of one series into stacks.

    `same_pixels` is asked only about frames in the same place that nothing tells apart;
    `split_by` is the key that the reader wants volumes told apart by (R15).
    """
    stacks: list[Stack] = []
    groups = _alike(slices)
    placed = _by_content(groups)
    for group in groups:
        made: list[Stack] = []
        if group[0].position is None or group[0].orientation is None:
            made = _without_place(group)
        else:
            made = _with_place(group, same_pixels, split_by)
        note = _stored_otherwise(group[0], placed)
        stacks += [_with_note(stack, note) for stack in made] if note else made
    return sorted(stacks, key=_rank)


def _rank(stack: Stack) -> tuple[object, ...]:
    """An order that does not depend on the order of the files: the largest first."""
    first = stack.first
    origin = tuple(np.round(stack.geometry.affine[:3, 3], 3))
    size = sum(s is not None for volume in stack.volumes for s in volume)
    return -size, repr(first.kind), origin, first.info.instance_uid, first.frame


def _alike(slices: Iterable[Slice]) -> list[list[Slice]]:
    """Group frames that may lie in one stack (R6)."""
    groups = Planes()
    for piece in slices:
        exact = (piece.frame_of_reference, piece.rows, piece.columns, piece.kind, _is_placed(piece))
        group = next(groups.near(exact, piece), None)
        if group is None:
            groups.add(exact, [piece])
        else:
            group.append(piece)
    return list(groups)


def _is_placed(piece: Slice) -> bool:
    return piece.position is not None and piece.orientation is not None


def _by_content(groups: Iterable[list[Slice]]) -> Planes:
    """Groups that have a place, for ``_stored_otherwise``."""
    placed = Planes()
    for group in groups:
        if _is_placed(group[0]):
            placed.add(_content(group[0]), group)
    return placed


def _stored_otherwise(piece: Slice, placed: Planes) -> Note | None:
    """Tell that slices are in a stack of their own only because their pixels are stored otherwise.

    None for films and captures, which make no stack with others anyway.
    """
    if not _is_placed(piece):
        return None
    found: dict[StoredAs, int] = defaultdict(int)
    for group in placed.near(_content(piece), piece):
        found[_stored_as(group[0])] += len(group)
    if len(found) < 2:
        return None
    ways = "; ".join(f"{each.words}: {count}" for each, count in sorted(found.items()))
    text = f"slices of this series are stored in {len(found)} ways ({ways})"
    return Note("SEVERAL_SETS", f"{text}; those of each way are a stack of their own")


def _content(piece: Slice) -> tuple[Hashable, ...]:
    """What must agree within a stack, but for how pixels are stored."""
    kind = tuple(part for part in piece.kind if not isinstance(part, StoredAs))
    return (piece.frame_of_reference, piece.rows, piece.columns, *kind)


def _stored_as(piece: Slice) -> StoredAs:
    return next(part for part in piece.kind if isinstance(part, StoredAs))


def _with_place(group: list[Slice], same_pixels: SamePixels, wish: str) -> list[Stack]:
    directions = _directions(group[0])
    normal = np.cross(*directions)
    ordered = sorted(group, key=lambda s: (_position(s) @ normal, s.info.instance_uid, s.frame))
    places = _places(ordered, normal)
    volumes, split_by, notes, left = volumes_of(places, same_pixels, wish)
    keys = split_keys_of(places, split_by)
    positions = np.array([_position(place[0]) for place in places])
    runs = grids_of(positions, normal, sparse=group[0].sparse)
    most = len(ordered) if left else len(runs)
    if (parts := _acquisitions(ordered, normal, most)) and not group[0].sparse:
        stacks = [stack for part in parts[1] for stack in _with_place(part, same_pixels, wish)]
        return [_with_note(stack, parts[0]) for stack in stacks]
    stacks = []
    for run in runs:
        cut = tuple(
            tuple(None if n is None else volume[n] for n in run.slots) for volume in volumes
        )
        stacks.append(replace(_stack(cut, run, group[0], split_by, notes), split_keys=keys))
    if left:
        stacks += [_with_note(s, notes[-1]) for s in _with_place(left, same_pixels, wish)]
    return stacks


def _acquisitions(
    ordered: list[Slice], normal: Vector, most: int
) -> tuple[Note, list[list[Slice]]] | None:
    """Tell apart even stacks that lie between or over each other, by one key (R9, R14).

    None where no key parts the slices into 2 to `most` even stacks.
    """
    if most < 2:
        return None
    for name in dict.fromkeys(name for piece in ordered for name in piece.keys):
        parts: dict[Hashable, list[Slice]] = defaultdict(list)
        for piece in ordered:
            parts[piece.keys.get(name)].append(piece)
        if 2 <= len(parts) <= most and all(_even(p, normal) for p in parts.values()):
            text = f"{len(parts)} sets of slices lie between or over each other; told apart by "
            note = Note("SEVERAL_SETS", f"{text}{name}, each is a stack of its own")
            return note, list(parts.values())
    return None


def _even(part: list[Slice], normal: Vector) -> bool:
    """Whether slices lie one in each place, in even steps; two always would."""
    if len(part) < 3 or len(_places(part, normal)) < len(part):
        return False
    positions = np.array([_position(piece) for piece in part])
    runs = grids_of(positions, normal, sparse=False)
    return len(runs) == 1 and not runs[0].notes


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


# ------------------------------------------------------------------------------- geometry


def _stack(
    volumes: tuple[tuple[Slice | None, ...], ...],
    grid: Grid,
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
        all_notes.append(Note("INCOMPLETE", f"some volumes lack {counted(count, 'image')}"))
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
    spacing = first.spacing_mm or first.pixel_aspect
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
        notes.append(NO_SPACING)
    skew = abs(float(directions[0] @ directions[1]))
    if skew > ORTHOGONAL:
        notes.append(
            Note("NOT_ORTHOGONAL", f"rows and columns are not at right angles ({skew:.2g})")
        )
    tilt = geometry.shear_degrees
    if tilt > TILT_DEGREES:
        notes.append(Note("TILTED", f"slices are tilted by {tilt:.1f} degrees against their stack"))
        said = abs(first.info.gantry_tilt)
        if said and abs(said - tilt) > TILTS_DIFFER_DEGREES:
            text = f"the file names a tilt of {said:.1f} degrees; the positions are used"
            notes.append(Note("TILTED", text))
    return geometry, tuple(notes)


def _spacing_kind(first: Slice) -> SpacingKind | None:
    if first.spacing_mm is None:
        return None
    return "detector" if first.at_detector else "patient"


def _with_note(stack: Stack, note: Note) -> Stack:
    return replace(stack, notes=(*stack.notes, note)) if note not in stack.notes else stack


_IN_STACKS = ("CT", "MR", "PT")
PROJECTIONS = ("CR", "DX", "MG", "IO", "PX", "RG", "DR", "RF")


def _without_place(group: list[Slice]) -> list[Stack]:
    """Films one by one; cine loops and captures as one picture at several times (R18)."""
    ordered = sorted(group, key=lambda s: (s.info.instance_number, s.info.instance_uid, s.frame))
    alone = ordered[0].info.modality in PROJECTIONS or len(ordered) == 1
    series = [[piece] for piece in ordered] if alone else [ordered]
    return [_film(pieces) for pieces in series]


def _film(pieces: list[Slice]) -> Stack:
    first = pieces[0]
    spacing = first.spacing_mm or first.pixel_aspect
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
    notes = () if known else (NO_ORIENTATION,)
    if known and first.position is None and first.info.modality in _IN_STACKS:
        notes = (*notes, NO_POSITION)
    if first.spacing_mm is None:
        notes = (*notes, NO_SPACING)
    return Stack(
        volumes=tuple((piece,) for piece in pieces),
        geometry=geometry,
        split_by="frame" if len(pieces) > 1 else None,
        notes=notes,
    )
