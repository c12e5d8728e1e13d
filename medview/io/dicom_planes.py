"""Which frames lie in the same plane, found without comparing each with every other."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Hashable, Iterator

import numpy as np

from medview.io.dicom_headers import Slice

SAME_DIRECTION = 1e-4  # R6, on unit vectors
FEW = 8
"""So many groups are looked at one by one, which is faster."""

_Numbered = tuple[int, list[Slice]]
_Cell = tuple[int, ...]


def same_plane(a: Slice, b: Slice) -> bool:
    """Whether two frames have equal spacing and directions, as far as these are known."""
    if (a.spacing_mm is None) != (b.spacing_mm is None):
        return False
    # Mostly they are the same numbers, and a file may claim 65,535 frames.
    differ = a.spacing_mm != b.spacing_mm and a.spacing_mm and b.spacing_mm
    if differ and not np.allclose(a.spacing_mm or (), b.spacing_mm or (), rtol=1e-4):
        return False
    if a.position is None or a.orientation is None or b.orientation is None:
        return True
    return bool(np.abs(a.orientation - b.orientation).max() <= SAME_DIRECTION)


class Planes:
    """Groups of frames, each in one plane, by a key and the plane of their first frame.

    Directions are sorted into cells as wide as what counts as the same: a group in the plane of a
    frame is in its cell or a neighbour. So radial slices, a group each, take time by their number.
    """

    def __init__(self) -> None:
        self._all: dict[Hashable, list[_Numbered]] = defaultdict(list)
        self._cells: dict[Hashable, dict[_Cell, list[_Numbered]]] = defaultdict(dict)

    def add(self, key: Hashable, group: list[Slice]) -> None:
        """Add a group, which may grow later."""
        numbered = (len(self._all[key]), group)
        self._all[key].append(numbered)
        self._cells[key].setdefault(_cell_of(group[0]), []).append(numbered)

    def near(self, key: Hashable, piece: Slice) -> Iterator[list[Slice]]:
        """Groups of the key in the plane of a frame, in the order in which they were added."""
        found = self._all[key]
        if len(found) > FEW:
            cells, cell = self._cells[key], _cell_of(piece)
            around = itertools.product(*((n - 1, n, n + 1) for n in cell))
            found = sorted(itertools.chain.from_iterable(cells.get(c, ()) for c in around), key=_at)
        for _, group in found:
            if same_plane(group[0], piece):
                yield group

    def __iter__(self) -> Iterator[list[Slice]]:
        """Every group, those of a key together, in the order in which they were added."""
        return (group for groups in self._all.values() for _, group in groups)


def _at(numbered: _Numbered) -> int:
    return numbered[0]


def _cell_of(piece: Slice) -> _Cell:
    """Cell of the directions that may differ between slices turned about any axis."""
    if piece.position is None or piece.orientation is None:
        return ()
    return tuple(math.floor(x / SAME_DIRECTION) for x in piece.orientation.ravel()[[0, 1, 4]])
