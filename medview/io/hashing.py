"""One number that tells a volume or a file from any other."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from medview.domain.volume import Volume


def volume_sha256(volume: Volume) -> str:
    """SHA-256 over shape, affine (rounded to 1e-6) and values, as hex digits.

    Names, dates and the way of storage do not enter: the same pixels in the same place have
    the same number from DICOM and from NIfTI. Values are hashed little endian in their own
    type; the affine as it takes array indices (k, j, i) to LPS mm.
    """
    array = volume.array
    # Adding zero turns -0.0 into 0.0, which would differ in its bytes only.
    affine = np.round(volume.geometry.affine, 6) + 0.0
    digest = hashlib.sha256(f"{array.shape} {array.dtype.kind}{array.dtype.itemsize}".encode())
    digest.update(affine.astype("<f8").tobytes())
    for plane in array:
        digest.update(plane.astype(plane.dtype.newbyteorder("<"), copy=False).tobytes())
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of the bytes of a file, as hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
