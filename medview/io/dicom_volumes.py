"""Several frames in one place: volumes of a series, copies, or a conflict (R10, R14, R15)."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from itertools import combinations

from medview.domain.volume import Note
from medview.domain.wording import counted
from medview.io.dicom_headers import Slice

SamePixels = Callable[[Slice, Slice], bool]

Volumes = list[list[Slice | None]]

_NUMBER = "InstanceNumber"


def volumes_of(
    places: list[list[Slice]], same_pixels: SamePixels, wish: str = ""
) -> tuple[Volumes, str | None, list[Note], list[Slice]]:
    """Tell apart what lies in the same place (R10, R14); give also what nothing explains.

    By the key that the reader wishes, if it can (R15).
    """
    if all(len(place) == 1 for place in places):
        return [[place[0] for place in places]], None, [], []
    wished = _by_name(places, wish) if wish else None
    found = (wished, wish) if wished else _partition(places, whole=True)
    if found:
        return *found, [], []
    unlike = [_without_copies(place, same_pixels) for place in places]
    copies = sum(map(len, places)) - sum(map(len, unlike))
    notes = [copies_note(copies)] if copies else []
    if all(len(place) == 1 for place in unlike):
        return [[place[0] for place in unlike]], None, notes, []
    found = _partition(unlike, whole=False) or _by_number(unlike)
    if found:
        return *found, notes, []
    left = [piece for place in unlike for piece in place[1:]]
    notes.append(
        Note(
            "CONFLICT",
            f"{counted(len(left), 'image')} in the place of another, and not like it; "
            "both are kept, as separate stacks",
        )
    )
    return [[place[0] for place in unlike]], None, notes, left


def split_keys_of(places: list[list[Slice]], used: str | None) -> tuple[str, ...]:
    """Keys that could tell the volumes apart, of those that do it alike the first only."""
    if used is None:
        return ()
    names = dict.fromkeys(name for place in places for s in place for name in s.keys)
    found: dict[tuple[tuple[int, ...], ...], str] = {}
    for name in (used, *names, _NUMBER):
        volumes = _by_name(places, name)
        if volumes:
            found.setdefault(tuple(tuple(map(id, volume)) for volume in volumes), name)
    return tuple(found.values())


def _by_name(places: list[list[Slice]], name: str) -> Volumes | None:
    if name == _NUMBER:
        ordered = _by_number(places)
        return ordered[0] if ordered else None
    return _by_keys(places, tuple(name.split("+")), whole=False)


def copies_note(count: int) -> Note:
    """How many images came more than once, with the same pixels."""
    were = "1 image was" if count == 1 else f"{count} images were"
    return Note("DUPLICATE", f"{were} there more than once; one of each is used")


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
    return [[place[n] for place in ordered] for n in range(count)], _NUMBER
