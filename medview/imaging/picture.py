"""A frame as finished RGB pixels: for files, reports and tests; no window needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medview.imaging.lettering import ACCENT, write, write_marks
from medview.imaging.view import Frame, Part

_Edges = tuple[tuple[float, float], tuple[float, float]]
_HATCH = (118, 112, 98)


@dataclass(frozen=True, slots=True)
class _Fit:
    """Where the frame's pixels fall on the output: out = (in - centre_in) * scale + centre_out."""

    scale: tuple[float, float]
    centre_in: tuple[float, float]
    centre_out: tuple[float, float]

    def out(self, x: float, y: float) -> tuple[float, float]:
        """Output pixel (centres are whole numbers) of a frame pixel."""
        return (
            (x - self.centre_in[0]) * self.scale[0] + self.centre_out[0],
            (y - self.centre_in[1]) * self.scale[1] + self.centre_out[1],
        )

    def of_blocks(self, part: Part) -> _Fit:
        """The same from the blocks of a part: their centres lie amid their pixels."""
        x, y = (
            (centre - first + 0.5) / part.step - 0.5
            for centre, first in zip(self.centre_in, (part.left, part.top), strict=True)
        )
        scale = (self.scale[0] * part.step, self.scale[1] * part.step)
        return _Fit(scale, (x, y), self.centre_out)


def _fit(frame: Frame, size: tuple[int, int], zoom: float, pan_mm: tuple[float, float]) -> _Fit:
    height, width = frame.image.shape[:2] if frame.part is None else frame.part.whole
    right_mm, down_mm = frame.pixel_mm
    per_mm = zoom * min(size[0] / (width * right_mm), size[1] / (height * down_mm))
    return _Fit(
        scale=(per_mm * right_mm, per_mm * down_mm),
        centre_in=((width - 1) / 2, (height - 1) / 2),
        centre_out=(
            (size[0] - 1) / 2 + pan_mm[0] * per_mm,
            (size[1] - 1) / 2 + pan_mm[1] * per_mm,
        ),
    )


def placement(
    frame: Frame,
    size: tuple[int, int],
    *,
    zoom: float = 1.0,
    pan_mm: tuple[float, float] = (0.0, 0.0),
) -> NDArray[np.float64]:
    """(4, 4) from output pixels (x, y, 0, 1) of `flatten` to LPS mm.

    x runs right and y down from the centre of the first pixel, `size` is (width, height).
    """
    fit = _fit(frame, size, zoom, pan_mm)
    back = np.eye(4)
    for n in range(2):
        back[n, n] = 1 / fit.scale[n]
        back[n, 3] = fit.centre_in[n] - fit.centre_out[n] / fit.scale[n]
    return np.asarray(frame.pixel_to_lps @ back, dtype=np.float64)


def flatten(
    frame: Frame,
    size: tuple[int, int],
    *,
    zoom: float = 1.0,
    pan_mm: tuple[float, float] = (0.0, 0.0),
    text_px: float = 12.0,
) -> NDArray[np.uint8]:
    """Draw a frame to RGB pixels with its letters, texts, crosshair and colour bar.

    Parameters
    ----------
    frame : Frame
        What to draw.
    size : tuple[int, int]
        Width and height of the picture in pixels.
    zoom : float
        1 fits the whole image in, in its true proportions.
    pan_mm : tuple[float, float]
        Shift of the image to the right and down.
    text_px : float
        Height of the corner texts; pictures for print want it larger.

    Returns
    -------
    NDArray[np.uint8]
        (height, width, 3).
    """
    fit = _fit(frame, size, zoom, pan_mm)
    picture = Image.new("RGB", size)
    blocks, edges = fit, None
    if frame.part is not None:
        blocks, edges = fit.of_blocks(frame.part), _edges(frame.part)
    image = _scaled(frame.image, size, blocks, Image.Resampling.BICUBIC, edges)
    picture.paste(image.convert("RGB"))
    for rgba in frame.tints:
        tint = _scaled(rgba, size, blocks, Image.Resampling.BILINEAR, edges)
        picture.paste(tint.convert("RGB"), mask=tint.getchannel("A"))
    if frame.absent is not None:
        mask = np.asarray(frame.absent, dtype=np.uint8) * np.uint8(255)
        _hatch(picture, _scaled(mask, size, fit, Image.Resampling.NEAREST))
    if frame.crosshair:
        _crosshair(picture, fit.out(*frame.cursor))
    write_marks(picture, frame.marks, fit.out, text_px)
    write(picture, frame, text_px)
    return np.asarray(picture, dtype=np.uint8)


def _edges(part: Part) -> _Edges:
    """Where the slice begins and ends in blocks of a part, to the right and down.

    Blocks at an edge reach beyond it, by less than one.
    """
    sides = zip((part.left, part.top), (part.columns, part.rows), reversed(part.whole), strict=True)
    (left, right), (top, bottom) = (
        (
            max(-0.5, -first / part.step - 0.5),
            min(count - 0.5, (side - first) / part.step - 0.5),
        )
        for first, count, side in sides
    )
    return (left, right), (top, bottom)


def _scaled(
    pixels: NDArray[np.uint8],
    size: tuple[int, int],
    fit: _Fit,
    filter_: Image.Resampling,
    edges: _Edges | None = None,
) -> Image.Image:
    """The image as it falls on the output; black (and clear) where there is none.

    `edges` are where it begins and ends, where that is not at the edges of its pixels. Every
    output pixel whose centre lies on the image is filled, from a source box that is not rounded,
    so the picture stays true to `_Fit` to a small part of a pixel.
    """
    high, wide = pixels.shape[:2]
    edges = edges or ((-0.5, wide - 0.5), (-0.5, high - 0.5))
    spans = [_span(n, size[n], edges[n], fit) for n in range(2)]
    border = [int(np.ceil(0.5 / fit.scale[n])) + 1 for n in range(2)]
    widths = [(border[1], border[1]), (border[0], border[0]), (0, 0)][: pixels.ndim]
    source = Image.fromarray(np.pad(pixels, widths, mode="edge"))
    output = Image.new(source.mode, size)
    if any(span is None for span in spans):
        return output
    (x0, x1, left, right), (y0, y1, top, bottom) = (span for span in spans if span)
    box = (left + border[0], top + border[1], right + border[0], bottom + border[1])
    output.paste(source.resize((x1 - x0, y1 - y0), filter_, box=box), (x0, y0))
    return output


def _span(
    axis: int, outputs: int, edges: tuple[float, float], fit: _Fit
) -> tuple[int, int, float, float] | None:
    """Output pixels [first, end) on the image, and the image edges they cover; None if none."""
    scale, centre_in, centre_out = (
        values[axis] for values in (fit.scale, fit.centre_in, fit.centre_out)
    )
    first = max(0, int(np.ceil(centre_out + scale * (edges[0] - centre_in) - 1e-9)))
    last = min(outputs - 1, int(np.floor(centre_out + scale * (edges[1] - centre_in) + 1e-9)))
    if last < first:
        return None
    low, high = (
        (edge - centre_out) / scale + centre_in + 0.5 for edge in (first - 0.5, last + 0.5)
    )
    return first, last + 1, low, high


def _hatch(picture: Image.Image, mask: Image.Image) -> None:
    """Slanted lines where the file has no slice, in place."""
    width, height = picture.size
    slanted = (np.arange(width)[None, :] + np.arange(height)[:, None]) % 14 < 2
    lines = Image.fromarray((slanted & (np.asarray(mask) > 127)).astype(np.uint8) * np.uint8(255))
    picture.paste(_HATCH, (0, 0, width, height), lines)


def _crosshair(picture: Image.Image, at: tuple[float, float]) -> None:
    """Thin lines through the point, open around it, in place."""
    width, height = picture.size
    x, y = round(at[0]), round(at[1])
    gap = 12
    lines = np.zeros((height, width), dtype=np.uint8)
    if 0 <= x < width:
        lines[np.abs(np.arange(height) - y) > gap, x] = 120
    if 0 <= y < height:
        lines[y, np.abs(np.arange(width) - x) > gap] = 120
    picture.paste(ACCENT, (0, 0, width, height), Image.fromarray(lines))
