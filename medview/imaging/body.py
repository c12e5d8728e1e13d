"""Which part of an image is worth the room of a pane: the body, not the air around it."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from medview.domain.volume import Volume
from medview.imaging.view import Frame

# A coarse grid is enough to find a box.
_MOST = 96
# Of the way from the dark to the bright end; a tenth is the head threshold of Smith (2002).
_SHARE = 0.1
# Rows or columns with fewer bright voxels than this share are noise.
_NOISE = 0.002
_MARGIN = 0.06
# A box that is nearly the whole image is the whole image.
_NEARLY = 0.9

Box = tuple[float, float, float, float]


def body_corners(volume: Volume) -> NDArray[np.float64] | None:
    """The eight corners of the box around what is bright, (8, 3) LPS mm; None for all of it."""
    if volume.is_colour or volume.is_film:
        return None
    steps = [max(1, n // _MOST) for n in volume.geometry.shape]
    coarse = np.asarray(volume.array[:: steps[0], :: steps[1], :: steps[2]], dtype=np.float32)
    known = coarse[np.isfinite(coarse)]
    if not known.size:
        return None
    dark, bright = np.percentile(known, (2, 98))
    inside = coarse > dark + _SHARE * (bright - dark)
    if not inside.any():
        return None
    ends = []
    for axis, step in enumerate(steps):
        others = tuple(n for n in range(3) if n != axis)
        full = np.flatnonzero(inside.mean(axis=others) > _NOISE)
        if not full.size:
            return None
        last = min((full[-1] + 1) * step, volume.array.shape[axis])
        ends.append((full[0] * step - 0.5, last - 0.5))
    return volume.geometry.to_mm(np.array(list(product(*ends)), dtype=float))


def body_box(frame: Frame, corners: NDArray[np.float64] | None) -> Box:
    """Left, top, right and bottom of the body in pixels of a frame, with a little margin."""
    return box_in(frame.size, frame.pixel_to_lps, corners, is_turned=bool(frame.lean))


def box_in(
    size: tuple[int, int],
    pixel_to_lps: NDArray[np.float64],
    corners: NDArray[np.float64] | None,
    *,
    is_turned: bool = False,
) -> Box:
    """The same in a slice of so many rows and columns; `is_turned` where it is oblique."""
    rows, columns = size
    whole = (0.0, 0.0, float(columns), float(rows))
    if corners is None:
        return whole
    homogeneous = np.column_stack([corners, np.ones(len(corners))])
    pixels = (np.linalg.inv(pixel_to_lps) @ homogeneous.T)[:2] + 0.5
    low, high = pixels.min(axis=1), pixels.max(axis=1)
    if is_turned:
        low, high = _rounded(pixels)
    margin = _MARGIN * (high - low)
    low = np.maximum(low - margin, 0)
    high = np.minimum(high + margin, (columns, rows))
    if (high <= low).any() or ((high - low) > _NEARLY * np.array([columns, rows])).all():
        return whole
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _rounded(pixels: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Ends of the ellipsoid in a box seen aslant; `pixels` (2, 8) are the corners of the box.

    Of a turned box the corners stand far out where no body is: with them the image would
    shrink with every degree that a plane is turned.
    """
    sides = pixels[:, (4, 2, 1)] - pixels[:, :1]
    half = np.sqrt((sides**2).sum(axis=1)) / 2
    middle = pixels.mean(axis=1)
    return middle - half, middle + half
