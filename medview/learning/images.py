"""Image files of a case as volumes, by the program's own readers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from medview.domain.errors import DataError
from medview.domain.geometry import Geometry
from medview.domain.progress import Silent
from medview.domain.volume import Volume
from medview.imaging.gaps import without_gaps
from medview.imaging.padding import without_padding
from medview.io import readers


def read_image(path: Path, pixel_mm: float | None = None) -> Volume:
    """Read an image file, or a folder with one DICOM series; padding is background (R28)
    and a missing slice is made of its neighbours.

    `pixel_mm` is the size of a pixel of a picture whose file says none.

    Raises
    ------
    ReadError
        If it cannot be read.
    DataError
        If several series lie there.
    """
    found = readers.scan(Silent(), (path,)).all_series()
    if len(found) != 1:
        raise DataError(
            f"{len(found)} series lie there, one was expected",
            file=path.name,
            code="MV-DAT-121",
            do="Name the folder of a single series.",
        )
    volume = without_gaps(without_padding(readers.load(Silent(), found[0])))
    return volume if pixel_mm is None else _with_pixels_of(volume, pixel_mm)


def _with_pixels_of(volume: Volume, size_mm: float) -> Volume:
    """A picture with its pixels given a size; it lies in the axial plane about the origin."""
    shape = volume.geometry.shape
    affine = np.diag([size_mm, size_mm, 1.0, 1.0])
    affine[:2, 3] = -size_mm * (np.array([shape[2], shape[1]]) - 1) / 2
    known = Geometry.from_ijk_affine(shape, affine, orientation_known=False)
    return replace(volume, geometry=known)
