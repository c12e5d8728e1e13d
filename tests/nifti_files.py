"""NIfTI files by another writer, and files whose headers were changed afterwards."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

VALUES = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4)  # (k, j, i)

OBLIQUE = np.array(
    [[-1.9, 0.3, 0.2, 80], [0.2, 2.4, -0.4, -90], [0.3, 0.5, 2.9, -60], [0, 0, 0, 1.0]]
)


def written(
    path: Path, values: np.ndarray = VALUES, affine: np.ndarray = OBLIQUE, **header
) -> Path:
    """A NIfTI by another writer; keywords set header fields. `affine` is RAS."""
    image = nib.Nifti1Image(values.T, affine)
    for name, value in header.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def patched(path: Path, **fields) -> Path:
    """Change header fields in a file that stands, without any check."""
    raw = bytearray(path.read_bytes())
    head = np.frombuffer(raw, nib.Nifti1Header.template_dtype, 1).copy()
    for name, value in fields.items():
        head[name] = value
    raw[:348] = head.tobytes()
    path.write_bytes(bytes(raw))
    return path
