"""Pixels, and what packs them without loss, by transfer syntax."""

from __future__ import annotations

import zlib

import imagecodecs
import numpy as np
from dicom_files import write

from medview.io.dicom_pixels import PixelFile

RAMP = (np.arange(32 * 24).reshape(32, 24) * 5).astype(np.uint16)
SIGNED = (np.arange(32 * 24).reshape(32, 24) - 300).astype(np.int16)
COLOUR = np.random.default_rng(1).integers(0, 256, (32, 24, 3), np.uint8)

LOSSLESS = {
    "1.2.840.10008.1.2.4.57": lambda a: imagecodecs.ljpeg_encode(a.view(np.uint16)),
    "1.2.840.10008.1.2.4.70": lambda a: imagecodecs.ljpeg_encode(a.view(np.uint16)),
    "1.2.840.10008.1.2.4.80": lambda a: imagecodecs.jpegls_encode(a.view(np.uint16)),
    "1.2.840.10008.1.2.4.90": lambda a: imagecodecs.jpeg2k_encode(
        a, codecformat="J2K", reversible=True
    ),
    "1.2.840.10008.1.2.4.201": lambda a: imagecodecs.htj2k_encode(a, reversible=True),
    "1.2.840.10008.1.2.4.110": lambda a: imagecodecs.jpegxl_encode(
        a.view(np.uint16), lossless=True
    ),
    "1.2.840.10008.1.2.8.1": lambda a: zlib.compress(a.tobytes(), wbits=-zlib.MAX_WBITS),
}


def values_of(ds, tmp_path, frame: int = 0) -> np.ndarray:
    return PixelFile(write(ds, tmp_path / "x.dcm")).stored_values(frame)
