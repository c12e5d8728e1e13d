"""What the child does to lay an object of another program over an image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import InputRefused
from medview.domain.geometry import Geometry
from medview.domain.overlay import Laid, ScalarMap
from medview.domain.progress import Progress
from medview.domain.wording import number
from medview.imaging.resample import resample_onto
from medview.io.dicom_objects import read_object

_TURNED_DEGREES = 0.1
_PART_OF_A_VOXEL = 0.05


def lay(job: Progress, path: Path, target: Geometry) -> Laid:
    """Read an object and bring it onto the grid of an image by its place in the patient.

    Raises
    ------
    InputRefused
        If it was made in another frame of reference than the image.
    GeometryError
        If it lies elsewhere in the patient.
    ReadError
        If it cannot be read.
    """
    found = read_object(path)
    job.check()
    frame = found[0].geometry.frame_of_reference
    if target.frame_of_reference and frame != target.frame_of_reference:
        raise InputRefused(
            "it was made in another frame of reference than this image, so nobody knows where it "
            "lies in it",
            file=path.name,
            do="Show the image that it was made from, or open it as a series of its own.",
        )
    maps = tuple(resample_onto(each, target) for each in found)
    words = [_grid_words(found[0], target), _lost_words(found, maps)]
    if not target.frame_of_reference:
        words.append("The image names no frame of reference; it is taken to be the same one.")
    return Laid(maps, " ".join(filter(None, words)))


def _grid_words(source: ScalarMap, target: Geometry) -> str:
    """How the grids differ and what was done; empty where they do not."""
    own = source.geometry
    if _is_part_of(own, target):
        return ""
    angle = _angle(own, target)
    turned = f", turned by {number(angle, 2)}°" if angle > _TURNED_DEGREES else ""
    how = "value of the nearest voxel" if source.kind in ("mask", "labels") else "values between"
    return (
        f"It was made on another grid ({_steps(own)}{turned}) than the image ({_steps(target)}), "
        f"and is shown on that of the image through the patient's space, with the {how}."
    )


def _is_part_of(own: Geometry, target: Geometry) -> bool:
    """Whether each voxel of a grid is one of another: slices without anything were left out."""
    ends = own.to_mm(np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]))
    index = target.to_index(ends)
    steps = index[1:] - index[0]
    whole = np.abs(index[0] - np.round(index[0])).max() < _PART_OF_A_VOXEL
    # A step off by so little is one of the whole grid off by no more than the same.
    apart = np.abs(steps - np.round(steps)).max() * max(own.shape)
    unit = np.array_equal(np.abs(np.round(steps)).sum(axis=1), np.ones(3))
    return bool(whole and unit and apart < _PART_OF_A_VOXEL)


def _steps(grid: Geometry) -> str:
    return " × ".join(f"{mm:.3g}" for mm in grid.spacing_mm[::-1]) + " mm"


def _angle(one: Geometry, other: Geometry) -> float:
    """How far the axes of one grid lie from the nearest axes of another, degrees."""
    cosines = np.abs(_axes(one).T @ _axes(other))
    return float(np.degrees(np.arccos(np.clip(cosines.max(axis=1).min(), 0.0, 1.0))))


def _axes(grid: Geometry) -> NDArray[np.float64]:
    steps = grid.affine[:3, :3]
    return np.asarray(steps / np.linalg.norm(steps, axis=0), dtype=np.float64)


def _lost_words(found: Sequence[ScalarMap], maps: Sequence[ScalarMap]) -> str:
    """Segments of which nothing is left: too small for the voxels, or beside the image."""
    gone = [
        own.title
        for own, made in zip(found, maps, strict=True)
        if own.kind == "mask" and own.array.any() and not made.array.any()
    ]
    if not gone:
        return ""
    return f"Nothing is seen of {', '.join(gone)}: between the voxels of the image, or beside it."
