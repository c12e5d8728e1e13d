"""Old and new under a divider: two frames of the same slice become one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medview.domain.swipe import Shown
from medview.imaging.tint import joined
from medview.imaging.view import Frame


def divided(old: Frame, new: Frame, share: float, shown: Shown = "both") -> Frame:
    """The frame whose overlays are the old one's left of the divider and the new one's right.

    `share` 0 puts the divider at the left edge of the image, 1 at the right one. Both must be
    composed of the same volume and view; image, letters and texts are the same then.

    Raises
    ------
    ValueError
        If they are not of one size, or have other overlays or others drawn in another way.
    """
    if old.image.shape != new.image.shape or len(old.paints) != len(new.paints):
        raise ValueError("the two frames do not show the same slice in the same way")
    if shown != "both":
        return old if shown == "old" else new
    column = divider_column(old, share)
    pairs = zip(old.paints, new.paints, strict=True)
    paints = tuple(joined(before, after, column) for before, after in pairs)
    values = {f"{name} before": value for name, value in old.values.items() if name != "image"}
    return replace(new, paints=paints, values={**values, **new.values})


def divider_column(frame: Frame, share: float) -> int:
    """The first column of the image that is right of the divider."""
    _, columns = frame.size
    return int(np.rint(min(max(share, 0.0), 1.0) * columns))
