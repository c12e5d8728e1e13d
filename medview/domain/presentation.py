"""How someone wanted images to be shown: a DICOM presentation state, as far as it is used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medview.domain.volume import ValueTable, Window

# Which images something is about, by SOP instance UID and frame from 0; -1 for every frame.
Targets = frozenset[tuple[str, int]]
Voi = Window | ValueTable


def is_about(targets: Targets, uid: str, frame: int) -> bool:
    """Say whether something is about a frame of an image; empty targets are all."""
    return not targets or (uid, -1) in targets or (uid, frame) in targets


@dataclass(frozen=True, slots=True)
class Drawing:
    """A line, a shape or a text on an image.

    `kind` is that of the standard (POINT, POLYLINE, INTERPOLATED, CIRCLE, ELLIPSE) or TEXT;
    `points` are (column, row) in pixels from the top left corner of the image, 0.5 being the
    centre of the first pixel. `grey` is 0 to 255; what has a higher `order` lies above.
    """

    kind: str
    points: tuple[tuple[float, float], ...]
    targets: Targets = frozenset()
    text: str = ""
    filled: bool = False
    grey: int = 255
    order: int = 0


@dataclass(frozen=True, slots=True)
class Shutter:
    """What is left open of an image, in pixels that are counted from 1 (PS3.3 C.7.6.11).

    `shape` is RECTANGULAR with (left, right, top, bottom), CIRCULAR with (row, column, radius)
    or POLYGONAL with row and column of each corner in turn.
    """

    shape: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Area:
    """The part of an image that is to fill the pane: first and last column and row, from 0."""

    left: float
    top: float
    right: float
    bottom: float
    targets: Targets = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Modality:
    """Which values the windows of a state are about: stored ones on a line, or in a table.

    Without a table ``slope * stored + intercept``; with one, stored value `first` maps to
    ``table[0]`` and the ends hold beyond it.
    """

    slope: float = 1.0
    intercept: float = 0.0
    first: int = 0
    table: NDArray[np.uint16] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Presentation:
    """What a state asks for, for some images; what it leaves open stays as the images have it.

    `uid` is its SOP instance UID, `label` its name, `made` when it was made ("20261121101500").
    `vois` are about values after `modality`. `curve` turns grey between window and screen, both
    0 to 1; `inverted` does so by turning it round, and None leaves the polarity to the image.
    `rotate` turns clockwise by 0, 90, 180 or 270 degrees, `flip` mirrors left and right
    afterwards. `closed_grey` (0 to 255) fills what `shutters` close. `not_shown` says in words
    what of the state is not shown.
    """

    uid: str = ""
    label: str = ""
    made: str = ""
    images: frozenset[str] = frozenset()
    modality: Modality = Modality()
    vois: tuple[tuple[Voi, Targets], ...] = ()
    curve: ValueTable | None = None
    inverted: bool | None = None
    rotate: int = 0
    flip: bool = False
    areas: tuple[Area, ...] = ()
    shutters: tuple[Shutter, ...] = ()
    closed_grey: int = 0
    drawings: tuple[Drawing, ...] = ()
    not_shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A presentation state on the slices of a volume.

    `images` tells for each slice which frame of which image it is, None where the state is not
    about it; `vois` are the windows and tables for each slice, in the volume's own values.
    """

    state: Presentation
    images: tuple[tuple[str, int] | None, ...]
    vois: tuple[tuple[Voi, ...], ...]

    def covers(self, k: int) -> bool:
        """Say whether the state is about a slice."""
        return 0 <= k < len(self.images) and self.images[k] is not None

    def drawings(self, k: int) -> tuple[Drawing, ...]:
        """What it draws on a slice, from the bottom up."""
        image = self.images[k]
        if image is None:
            return ()
        found = [drawing for drawing in self.state.drawings if is_about(drawing.targets, *image)]
        return tuple(sorted(found, key=lambda drawing: drawing.order))

    def area(self, k: int) -> Area | None:
        """The part of a slice that is to be seen; None where the state does not say."""
        image = self.images[k]
        if image is None:
            return None
        return next((area for area in self.state.areas if is_about(area.targets, *image)), None)
