"""Volumes of gigabytes made in a moment: headers, and holes for pixels that are all zero."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import nibabel
import numpy as np
import pydicom

from medview.cli.benches.ct_series import slice_dataset
from medview.domain.progress import Progress

# Large enough to be written as a header with its pixels behind it.
_SMALL = 16


def dicom(job: Progress, folder: Path, count: int, side: int) -> None:
    """Write `count` slices of side x side 16-bit pixels, one file each."""
    folder.mkdir()
    for number in range(count):
        dataset = slice_dataset(number, _SMALL)
        dataset.Rows = dataset.Columns = side
        # Values as they are stored: 16-bit integers hold them.
        dataset.PixelData = bytes(2)
        out = BytesIO()
        pydicom.dcmwrite(out, dataset, enforce_file_format=True)
        size = 2 * side * side
        header = out.getvalue()[:-6] + size.to_bytes(4, "little")
        _with_hole(folder / f"IM{number * 7919 % 100003:06d}", header, size)
        job.report(number + 1, count)


def nifti(job: Progress, folder: Path, count: int, side: int) -> None:
    """Write one NIfTI file of `count` slices of side x side 16-bit pixels."""
    folder.mkdir()
    header = nibabel.Nifti1Header()
    header.set_data_shape((side, side, count))
    header.set_data_dtype(np.int16)
    header.set_sform(np.diag([0.4, 0.4, 0.5, 1.0]), 1)
    header["vox_offset"] = 352
    start = bytes(header.binaryblock).ljust(352, b"\0")
    _with_hole(folder / "huge.nii", start, 2 * side * side * count)
    job.report(1, 1)


def _with_hole(path: Path, start: bytes, size: int) -> None:
    """A file that begins so, with `size` zero bytes behind it that take no room on the disk."""
    with path.open("wb") as file:
        file.write(start)
        file.truncate(len(start) + size)
