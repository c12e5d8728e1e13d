"""A CT series made on the spot, in any of the usual transfer syntaxes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian
from scipy.ndimage import gaussian_filter

from medview.domain.progress import Progress, Silent

Pixels = NDArray[np.uint16]

SPACING_MM = (0.75, 0.75)
THICKNESS_MM = 1.25
INTERCEPT_HU = -1024


def slice_pixels(number: int, size: int) -> Pixels:
    """Stored values (size, size) of one slice: a body with organs, bone and scanner noise.

    Noise of 20 HU lets lossless codecs reach what they reach on real scans, about 2 to 1.
    """
    dice = np.random.default_rng(number)
    noise = gaussian_filter(dice.normal(size=(size, size)), 0.6) * 45
    stored = _anatomy(size) + noise - INTERCEPT_HU
    return np.asarray(np.clip(stored, 0, 4095), dtype=np.uint16)


@lru_cache(maxsize=2)
def _anatomy(size: int) -> NDArray[np.float64]:
    """HU (size, size) without noise."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    body = (x / 0.46) ** 2 + (y / 0.34) ** 2 <= 1
    lungs = ((np.abs(x) - 0.2) / 0.14) ** 2 + (y / 0.2) ** 2 <= 1
    spine = x**2 + (y - 0.2) ** 2 <= 0.06**2
    return np.select([spine, lungs, body], [400.0, -850.0, 45.0], -1000.0)


def _packed_rows(plane: NDArray[np.uint8]) -> bytes:
    """PS3.5 G.3: each row of a byte plane is packed by itself; segments have even length."""
    packed = b"".join(imagecodecs.packbits_encode(row.tobytes()) for row in plane)
    return packed + b"\0" * (len(packed) % 2)


def run_length(pixels: Pixels) -> bytes:
    """Encode a frame as RLE: high bytes first, then low ones (PS3.5 G.2)."""
    planes = (pixels >> 8).astype(np.uint8), (pixels & 255).astype(np.uint8)
    segments = [_packed_rows(plane) for plane in planes]
    offsets = [64, 64 + len(segments[0])]
    return struct.pack("<16I", 2, *offsets, *[0] * 13) + b"".join(segments)


# Name -> (transfer syntax, what encodes a frame; None for pixels as they are).
SYNTAXES: dict[str, tuple[str, Callable[[Pixels], bytes | bytearray] | None]] = {
    "raw": (str(ExplicitVRLittleEndian), None),
    "JPEG 2000": (
        "1.2.840.10008.1.2.4.90",
        partial(imagecodecs.jpeg2k_encode, codecformat="J2K", reversible=True, level=0),
    ),
    "JPEG-LS": ("1.2.840.10008.1.2.4.80", imagecodecs.jpegls_encode),
    "RLE": ("1.2.840.10008.1.2.5", run_length),
    "JPEG lossless": (
        "1.2.840.10008.1.2.4.70",
        partial(imagecodecs.ljpeg_encode, bitspersample=12),
    ),
    "HTJ2K": ("1.2.840.10008.1.2.4.201", partial(imagecodecs.htj2k_encode, reversible=True)),
}


def slice_dataset(number: int, size: int, syntax: str = "raw") -> Dataset:
    """Make one slice, ready to be written; slices with rising `number` go toward the head."""
    uid, encode = SYNTAXES[syntax]
    pixels = slice_pixels(number, size)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(uid)
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = f"2.25.1000.{number + 1}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "2.25.1001", "2.25.1002"
    dataset.FrameOfReferenceUID = "2.25.1003"
    dataset.Modality, dataset.PatientID, dataset.PatientName = "CT", "BENCH", "Bench^Mark"
    dataset.StudyDate, dataset.StudyTime = "20261121", "080000"
    dataset.SeriesNumber, dataset.InstanceNumber = 1, number + 1
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.ImagePositionPatient = [-192.0, -192.0, number * THICKNESS_MM]
    dataset.PixelSpacing, dataset.SliceThickness = list(SPACING_MM), THICKNESS_MM
    dataset.Rows = dataset.Columns = size
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = INTERCEPT_HU, 1, "HU"
    dataset.WindowCenter, dataset.WindowWidth = 40, 400
    dataset.PixelData = encapsulate([bytes(encode(pixels))]) if encode else pixels.tobytes()
    dataset["PixelData"].VR = "OB" if encode else "OW"
    return dataset


def write_slice(folder: Path, number: int, size: int, syntax: str) -> Path:
    """Write one slice under a name that says nothing about its place."""
    path = folder / f"IM{number * 7919 % 100003:06d}"
    pydicom.dcmwrite(path, slice_dataset(number, size, syntax), enforce_file_format=True)
    return path


def write_series(folder: Path, count: int, *, size: int = 512, syntax: str = "raw") -> None:
    """Write a series of `count` slices into a folder that is made for it."""
    make(Silent(), folder, count, size, syntax)


def make(job: Progress, folder: Path, count: int, size: int, syntax: str) -> None:
    """Work for a child: the same, with progress."""
    folder.mkdir()
    with ThreadPoolExecutor() as pool:
        written = pool.map(lambda n: write_slice(folder, n, size, syntax), range(count))
        for number, _ in enumerate(written):
            job.report(number + 1, count, f"making {syntax} slices")
