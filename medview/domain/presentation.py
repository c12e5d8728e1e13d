"""How someone wanted images to be shown: a DICOM presentation state, as far as it is used."""

from __future__ import annotations

from dataclasses import dataclass

from medview.domain.volume import Window

# Which images something is about, by SOP instance UID and frame from 0; -1 for every frame.
Targets = frozenset[tuple[str, int]]


def is_about(targets: Targets, uid: str, frame: int) -> bool:
    """Say whether something is about a frame of an image; empty targets are all."""
    return not targets or (uid, -1) in targets or (uid, frame) in targets


@dataclass(frozen=True, slots=True)
class Drawing:
    """A line, a shape or a text on an image.

    `kind` is that of the standard (POINT, POLYLINE, INTERPOLATED, CIRCLE, ELLIPSE) or TEXT;
    `points` are (column, row) in pixels from the top left corner of the image, 0.5 being the
    centre of the first pixel.
    """

    kind: str
    points: tuple[tuple[float, float], ...]
    targets: Targets = frozenset()
    text: str = ""
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Presentation:
    """Windows and drawings for some images, and in words what of the state is not shown."""

    images: frozenset[str]
    windows: tuple[tuple[Window, Targets], ...] = ()
    drawings: tuple[Drawing, ...] = ()
    not_shown: tuple[str, ...] = ()
