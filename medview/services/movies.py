"""A pane as a picture, and its slices as a film that any browser plays; written in a child."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medview.domain.progress import Progress
from medview.domain.volume import Volume
from medview.imaging.frame import Layer, View, compose_frame, flatten
from medview.imaging.reslice import cut_of
from medview.io.atomic import whole_file

# Longer side of a picture; small letters are still read, and a head takes some 10 MB.
_SIDE_PX = 640
# GIF counts in hundredths of a second, and players slow down below two of them.
_LEAST_MS = 20
# Letters are a little blue; that alone is no colour.
_FAINT = 24


@dataclass(frozen=True, slots=True, eq=False)
class Reel:
    """What a pane shows and how fast it runs, in pictures a second."""

    volume: Volume
    layers: tuple[Layer, ...]
    view: View
    per_second: float


def write_movie(job: Progress, reel: Reel, path: Path) -> int:
    """Write all slices of a pane as an animated GIF, first to last; return how many.

    Every picture says where it is, what lies over it and that it is for research only; who it is
    about stands nowhere. Grey pictures keep their 256 levels, coloured ones get 256 colours.

    Raises
    ------
    WriteError
        If the file cannot be written; nothing new stands at `path` then.
    """
    pictures = _pictures(job, reel)
    with whole_file(path) as draft:
        next(pictures).save(
            draft,
            format="GIF",
            save_all=True,
            append_images=pictures,
            duration=max(_LEAST_MS, round(1000 / max(reel.per_second, 0.1))),
            loop=0,
            optimize=False,
        )
    return slices_of(reel.volume, reel.view)


def write_picture(job: Progress, png: bytes, path: Path) -> None:
    """Write a picture that is drawn already. Raises WriteError; nothing new stands there then."""
    job.check()
    with whole_file(path) as draft:
        draft.write_bytes(png)


def slices_of(volume: Volume, view: View) -> int:
    """How many slices a view goes through."""
    cut = cut_of(volume.geometry, view)
    return int(cut.grid.shape[cut.layout.cut])


def _pictures(job: Progress, reel: Reel) -> Iterator[Image.Image]:
    """Each slice drawn as the pane would, but for zoom and crosshair."""
    still = replace(reel.view, crosshair=False, zoom=1.0, pan_mm=(0.0, 0.0))
    cut = cut_of(reel.volume.geometry, still)
    axis, count = cut.layout.cut, slices_of(reel.volume, still)
    place = cut.grid.to_index(still.point_lps)
    for number in range(count):
        job.check()
        job.report(number, count, f"picture {number + 1} / {count}")
        place[axis] = number
        x, y, z = (float(mm) for mm in cut.grid.to_mm(place))
        frame = compose_frame(reel.volume, reel.layers, replace(still, point_lps=(x, y, z)))
        rgb = flatten(frame, _size(frame.image.shape[:2], frame.pixel_mm))
        yield _packed(rgb)


def _size(shape: tuple[int, ...], pixel_mm: tuple[float, float]) -> tuple[int, int]:
    """Width and height in the proportions of the slice."""
    wide, high = shape[1] * pixel_mm[0], shape[0] * pixel_mm[1]
    scale = _SIDE_PX / max(wide, high)
    return max(1, round(wide * scale)), max(1, round(high * scale))


def _packed(rgb: NDArray[np.uint8]) -> Image.Image:
    """256 levels of grey where there is no colour, else the 256 colours that fit best."""
    picture = Image.fromarray(rgb)
    if int((rgb.max(axis=2) - rgb.min(axis=2)).max()) <= _FAINT:
        return picture.convert("L")
    return picture.quantize(256, dither=Image.Dither.NONE)
