"""What a pane shows, in words for a screen reader."""

from __future__ import annotations

from medview.imaging.frame import Corners
from medview.imaging.view import Frame
from medview.ui.dress import Dress
from medview.ui.words import tr


def pane_words(frame: Frame | None, dress: Dress) -> str:
    """What stands in the corners of a pane, and which way it lies; of an empty one its note.

    Whose images they are stands in the corners as well, and is hidden with them in private mode.
    """
    if frame is None:
        return dress.note
    corners = dress.corners or frame.corners
    said = [dress.tag, *corners.top_left, *corners.top_right]
    if frame.annotations == "none":
        said += [_number(frame), frame.position]
    said += [*corners.bottom_left, *_lies(frame), *_bars(frame, corners), *corners.bottom_right]
    if frame.missing:
        said.append(tr("this slice is not in the file"))
    return ", ".join(part for part in said if part)


def _number(frame: Frame) -> str:
    return tr("Im {n} / {of}", n=frame.slice + 1, of=frame.slices)


def _lies(frame: Frame) -> tuple[str, ...]:
    """The letters at the left and upper edge, where they are known."""
    labels = frame.labels
    left = tr("{side} on the left", side=labels.left) if labels.left else ""
    top = tr("{side} on top", side=labels.top) if labels.top else ""
    return left, top


def _bars(frame: Frame, corners: Corners) -> tuple[str, ...]:
    """Maps that the corners do not name: those below the topmost one."""
    told = " ".join(corners.bottom_right)
    return tuple(bar.title for bar in frame.colour_bars if bar.title not in told)
