"""DICOM files written by the tests: small stacks whose every voxel has a known place."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import (
    CTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEGBaseline8Bit,
    MRImageStorage,
    UID_dictionary,
    generate_uid,
)

from medview.domain.progress import Silent
from medview.domain.study import Catalogue, Series
from medview.domain.volume import Volume
from medview.io import readers

# reliability rules, 3.1: rows, columns and both spacings differ, so a transposition shows.
ROWS, COLUMNS, SLICES = 6, 9, 8
ROW_MM, COLUMN_MM, SLICE_MM = 0.7, 0.5, 2.5
FIRST = np.array([-100.0, -80.0, 40.0])
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def marked_slice(k: int) -> np.ndarray:
    """Pixels of slice k: dark, and 1000 + k at row 1, column 2."""
    pixels = np.zeros((ROWS, COLUMNS), np.int16)
    pixels[1, 2] = 1000 + k
    return pixels


def image(pixels: np.ndarray, **elements: object) -> Dataset:
    """One MR image of an invented patient; keywords replace elements, None takes one away."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = MRImageStorage
    ds.SOPInstanceUID = generate_uid()
    ds.StudyInstanceUID = "1.2.3"
    ds.SeriesInstanceUID = "1.2.3.4"
    ds.FrameOfReferenceUID = "1.2.3.5"
    ds.PatientID, ds.PatientName = "P1", "Test^Case"
    ds.StudyDate, ds.Modality = "20261121", "MR"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    ds.ImageOrientationPatient, ds.ImagePositionPatient = list(AXIAL), list(FIRST)
    ds.PixelSpacing = [ROW_MM, COLUMN_MM]
    ds.Rows, ds.Columns = pixels.shape[:2]
    ds.SamplesPerPixel = 1 if pixels.ndim == 2 else pixels.shape[2]
    ds.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    ds.BitsAllocated = ds.BitsStored = 8 * pixels.dtype.itemsize
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    if pixels.ndim == 3:
        ds.PlanarConfiguration = 0
    ds.PixelData = pixels.tobytes()
    for keyword, value in elements.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    return ds


def ct(pixels: np.ndarray, **elements: object) -> Dataset:
    """One CT image in Hounsfield units."""
    fields = {"SOPClassUID": CTImageStorage, "Modality": "CT", "KVP": 120}
    fields |= {"RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "HU"}
    return image(pixels, **(fields | elements))


def as_written(ds: Dataset, **texts: str) -> Dataset:
    """The same with elements of text as no careful writer would fill them."""
    for keyword, text in texts.items():
        value = text.encode() + b" " * (len(text) % 2)
        tag = Tag(keyword)
        ds[tag] = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)
    return ds


def positions(
    orientation: Iterable[float] = AXIAL, count: int = SLICES, step_mm: float = SLICE_MM
) -> list[np.ndarray]:
    """Centres of the first voxels of a regular stack, LPS mm."""
    r, c = np.array(list(orientation)).reshape(2, 3)
    normal = np.cross(r, c)
    return [FIRST + normal / np.linalg.norm(normal) * step_mm * k for k in range(count)]


def stack(orientation: Iterable[float] = AXIAL, **elements: object) -> list[Dataset]:
    """The marked stack of eight slices in an orientation."""
    orientation = list(orientation)
    return [
        image(
            marked_slice(k),
            ImageOrientationPatient=orientation,
            ImagePositionPatient=list(np.round(position, 6)),
            InstanceNumber=k + 1,
            **elements,
        )
        for k, position in enumerate(positions(orientation))
    ]


def save(datasets: Iterable[Dataset], folder: Path, names: Iterable[str] | None = None) -> Path:
    """Write images into a folder, under names that say nothing of their order."""
    folder.mkdir(parents=True, exist_ok=True)
    for n, ds in enumerate(datasets):
        name = f"IM{(n * 7 + 3) % 101:03d}_{n}"
        ds.save_as(folder / name, enforce_file_format=True)
    return folder


def enhanced(
    frames: list[np.ndarray],
    groups: list[dict[str, object]],
    shared: dict[str, object] | None = None,
) -> Dataset:
    """An enhanced MR image: frames with the functional groups of each.

    A group is a keyword of a sequence and the elements of its one item.
    """
    ds = image(frames[0], ImagePositionPatient=None, ImageOrientationPatient=None)
    del ds.PixelSpacing
    ds.SOPClassUID = EnhancedMRImageStorage
    ds.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    ds.NumberOfFrames = len(frames)
    ds.PixelData = b"".join(frame.tobytes() for frame in frames)
    whole = {
        "PixelMeasuresSequence": {"PixelSpacing": [ROW_MM, COLUMN_MM]},
        "PlaneOrientationSequence": {"ImageOrientationPatient": list(AXIAL)},
    } | (shared or {})
    ds.SharedFunctionalGroupsSequence = [_groups(whole)]
    ds.PerFrameFunctionalGroupsSequence = [_groups(group) for group in groups]
    return ds


def _groups(sequences: dict[str, object]) -> Dataset:
    item = Dataset()
    for keyword, elements in sequences.items():
        inner = Dataset()
        for name, value in dict(elements).items():
            setattr(inner, name, value)
        setattr(item, keyword, [inner])
    return item


def compressed(ds: Dataset, uid: str, frames: list[bytes]) -> Dataset:
    """The same image with its frames encapsulated under another transfer syntax."""
    ds.file_meta.TransferSyntaxUID = uid
    ds.PixelData = encapsulate(frames)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return ds


def write(ds: Dataset, path: Path) -> Path:
    """Write one image, also under a transfer syntax that the writer does not know."""
    uid = ds.file_meta.TransferSyntaxUID
    if uid in UID_dictionary and uid.is_transfer_syntax:
        ds.save_as(path, enforce_file_format=True)
        return path
    # Written under a known one of the same padded length, which is then replaced.
    size = len(uid) + len(uid) % 2
    known = next(u for u in (JPEGBaseline8Bit, HTJ2KLossless) if len(u) + len(u) % 2 == size)
    ds.file_meta.TransferSyntaxUID = known
    ds.save_as(path, enforce_file_format=True)
    old, new = (text.encode().ljust(size, b"\0") for text in (known, uid))
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    ds.file_meta.TransferSyntaxUID = uid
    return path


def catalogue(*paths: Path) -> Catalogue:
    """What lies under the paths."""
    return readers.scan(Silent(), paths)


def only(path: Path) -> tuple[Series, Volume]:
    """The one series under a path, with its pixels."""
    (series,) = catalogue(path).all_series()
    return series, readers.load(Silent(), series)


def codes(series: Series) -> list[str]:
    """Codes of the warnings of a series."""
    return [note.code for note in series.warnings]


def slice_at(z_mm: float, value: int = 0, **elements: object) -> Dataset:
    """One axial slice at a height, with a value at row 1, column 2."""
    pixels = np.zeros((6, 9), np.int16)
    pixels[1, 2] = value
    return image(pixels, ImagePositionPatient=[-100.0, -80.0, z_mm], **elements)


def heights(*z_mm: float) -> list[Dataset]:
    """Axial slices at these heights; the n-th has the value 1000 + n at row 1, column 2."""
    return [slice_at(z, 1000 + n) for n, z in enumerate(z_mm)]


def spacing_of(series: Series) -> float:
    """Distance between slices, mm."""
    return series.geometry.spacing_mm[0]


def two_phases(keyword: str, values: tuple[object, object]) -> list[Dataset]:
    """The marked stack twice, the second 500 brighter; a keyword tells them apart."""
    datasets = []
    for n, value in enumerate(values):
        for k, ds in enumerate(stack()):
            pixels = marked_slice(k) + np.int16(500 * n)
            ds.PixelData = pixels.tobytes()
            ds.InstanceNumber = 8 * n + k + 1
            setattr(ds, keyword, value)
            datasets.append(ds)
    return datasets
