"""Formats of images and tables: what each is called, and how the names of its files end.

Readers go by what is in a file. Endings tell what is offered to be opened, and what is meant to
be an image or a table although it cannot be read.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class ImageFormat(NamedTuple):
    """A format as those who made it write it, and the endings of its files.

    Of an image in two files the ending is that of its header.
    """

    title: str
    endings: tuple[str, ...]


# By the name that a series has as its format.
IMAGE_FORMATS: dict[str, ImageFormat] = {
    "dicom": ImageFormat("DICOM", (".dcm", ".dicom", ".ima")),
    "nifti": ImageFormat("NIfTI", (".nii", ".nii.gz", ".hdr")),
    "nrrd": ImageFormat("NRRD", (".nrrd", ".nhdr")),
    "metaimage": ImageFormat("MetaImage", (".mha", ".mhd")),
    "film": ImageFormat(
        "picture",
        (*(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".jp2", ".j2k"), *(".bmp", ".gif", ".webp")),
    ),
}
ENDINGS = tuple(ending for each in IMAGE_FORMATS.values() for ending in each.endings)
"""Of all formats, in lower case."""
_TABLES = (".csv", ".csv.gz", ".npy")


def is_table(path: Path) -> bool:
    """True for a feature file or a time series, by the end of its name."""
    return path.name.lower().endswith(_TABLES)
