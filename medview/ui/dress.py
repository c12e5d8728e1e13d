"""How a frame lies in its pane, and what stands around it."""

from __future__ import annotations

from dataclasses import dataclass

from medview.imaging.body import Box
from medview.imaging.frame import Corners


@dataclass(frozen=True, slots=True)
class Placing:
    """How a frame lies in its pane.

    `zoom` 1 fits `box` (left, top, right, bottom in pixels of the frame; None: all of it);
    `pan_mm` is along screen right and down.
    """

    zoom: float = 1.0
    pan_mm: tuple[float, float] = (0.0, 0.0)
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Dress:
    """What stands around the image beside what its frame says.

    `corners` None takes the frame's own; `is_large` adds colour bar and score strip;
    `has_scale` says that millimetres mean something here, `scale_note` where they are measured;
    `tag` is a word that sets the pane apart, such as "PRIOR".
    `divider` is where old and new versions meet, as a share of the image's width, `sides` what
    stands to its left and right; without it the left text is that of all.
    """

    corners: Corners | None = None
    is_active: bool = False
    is_large: bool = True
    has_scale: bool = False
    scale_note: str = ""
    note: str = ""
    tag: str = ""
    divider: float | None = None
    sides: tuple[str, str] = ("", "")
