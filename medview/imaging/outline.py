"""Where the crop box of the 3-D view runs through the slice of a pane."""

from __future__ import annotations

import numpy as np

from medview.domain.crop import EDGES, CropBox
from medview.imaging.reslice import Cut


def outline(cut: Cut, box: CropBox) -> tuple[tuple[float, float], ...]:
    """The corners round about, in pixels of the drawn slice; none where it lies beside the box.

    Of a slice along the axes of the patient they are four, of an oblique one three to six.
    """
    to_lps = cut.pixel_to_lps
    corners = np.array(box.corners)
    heights = (corners - to_lps[:3, 3]) @ cut.normal
    found = []
    for one, other in EDGES:
        low, high = heights[one], heights[other]
        if (low >= 0) != (high >= 0):
            share = low / (low - high)
            found.append(corners[one] + share * (corners[other] - corners[one]))
    if len(found) < 3:
        return ()
    pixels = (np.array(found) - to_lps[:3, 3]) @ np.linalg.pinv(to_lps[:3, :2]).T
    away = pixels - pixels.mean(axis=0)
    turns = np.argsort(np.arctan2(away[:, 1], away[:, 0]))
    return tuple((float(x), float(y)) for x, y in pixels[turns])
