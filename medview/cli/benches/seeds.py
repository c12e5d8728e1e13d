"""Small valid files of every kind that medview reads: what the fuzzer starts from."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import imagecodecs
import nibabel
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID

from medview.cli.benches.ct_series import SYNTAXES, slice_dataset

# Larger files make rounds slower without reaching other code.
LARGEST_BORROWED = 64 * 1024
_SIZE = 24


def dicom_seeds() -> list[bytes]:
    """DICOM files made here, and the small ones that pydicom brings along."""
    made = [_stored(make()) for make in _MADE]
    made += [_stored(slice_dataset(3, _SIZE, syntax)) for syntax in SYNTAXES]
    return made + _borrowed()


def nifti_seeds() -> list[bytes]:
    """NIfTI files of both versions and of several types, plain and compressed."""
    plain = [
        _nifti(nibabel.Nifti1Image, "<i2", (6, 5, 4)),
        _nifti(nibabel.Nifti1Image, ">f4", (6, 5, 4)),
        _nifti(nibabel.Nifti1Image, "<u1", (6, 5, 4, 2)),
        _nifti(nibabel.Nifti2Image, "<f8", (6, 5, 4)),
    ]
    return plain + [gzip.compress(data, mtime=0) for data in plain]


@lru_cache(maxsize=1)
def _borrowed() -> list[bytes]:
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    files = sorted(folder.glob("*.dcm"))
    return [f.read_bytes() for f in files if f.stat().st_size <= LARGEST_BORROWED]


def _stored(dataset: Dataset) -> bytes:
    out = BytesIO()
    pydicom.dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


def _as_syntax(uid: str) -> Dataset:
    dataset = slice_dataset(5, _SIZE)
    dataset.file_meta.TransferSyntaxUID = UID(uid)
    return dataset


def _big_endian() -> Dataset:
    dataset = _as_syntax("1.2.840.10008.1.2.2")
    dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    return dataset


def _colour() -> Dataset:
    dataset = _as_syntax("1.2.840.10008.1.2.4.50")
    picture = np.random.default_rng(1).integers(0, 255, (_SIZE, _SIZE, 3), dtype=np.uint8)
    dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, 0
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelData = encapsulate([bytes(imagecodecs.jpeg8_encode(picture))])
    dataset["PixelData"].VR = "OB"
    return dataset


def _palette() -> Dataset:
    dataset = _as_syntax("1.2.840.10008.1.2.1")
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelData = (np.arange(_SIZE * _SIZE) % 256).astype(np.uint8).tobytes()
    dataset["PixelData"].VR = "OW"
    table = (np.arange(256) * 257).astype("<u2").tobytes()
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", table)
    return dataset


def _film() -> Dataset:
    """A film with a VOI table, an overlay plane and nested private sequences."""
    dataset = _as_syntax("1.2.840.10008.1.2.1")
    dataset.Modality, dataset.PhotometricInterpretation = "DX", "MONOCHROME1"
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [256, 0, 12], struct.pack("<256H", *range(0, 4096, 16))
    dataset.VOILUTSequence = Sequence([table])
    dataset.add_new(0x60000010, "US", _SIZE)
    dataset.add_new(0x60000011, "US", _SIZE)
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60003000, "OW", bytes(_SIZE * _SIZE // 8))
    inner = Dataset()
    inner.add_new(0x00090010, "LO", "MEDVIEW BENCH")
    inner.add_new(0x00091001, "SQ", Sequence([Dataset(), Dataset()]))
    dataset.add_new(0x00090010, "LO", "MEDVIEW BENCH")
    dataset.add_new(0x00091002, "SQ", Sequence([inner]))
    return dataset


def _enhanced() -> Dataset:
    """An enhanced multi-frame CT with shared and per-frame groups."""
    dataset = _as_syntax("1.2.840.10008.1.2.1")
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    frame = dataset.PixelData
    frames = 3
    dataset.NumberOfFrames, dataset.PixelData = frames, frame * frames
    shared = Dataset()
    shared.PlaneOrientationSequence = Sequence(
        [_with("ImageOrientationPatient", [1, 0, 0, 0, 1, 0])]
    )
    measures = _with("PixelSpacing", [0.75, 0.75])
    measures.SliceThickness = 1.25
    shared.PixelMeasuresSequence = Sequence([measures])
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    places = ([-9.0, -9.0, 1.25 * n] for n in range(frames))
    groups = []
    for place in places:
        group = Dataset()
        group.PlanePositionSequence = Sequence([_with("ImagePositionPatient", place)])
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    return dataset


def _with(name: str, value: object) -> Dataset:
    dataset = Dataset()
    setattr(dataset, name, value)
    return dataset


def _nameless() -> Dataset:
    """The least that is still an image: no position, no spacing, no names."""
    whole = slice_dataset(1, _SIZE)
    kept = Dataset()
    kept.file_meta = FileMetaDataset()
    kept.file_meta.TransferSyntaxUID = whole.file_meta.TransferSyntaxUID
    for name in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        setattr(kept, name, getattr(whole, name))
    for name in ("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation"):
        setattr(kept, name, getattr(whole, name))
    for name in ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelData"):
        setattr(kept, name, getattr(whole, name))
    return kept


_MADE: tuple[Callable[[], Dataset], ...] = (
    lambda: _as_syntax("1.2.840.10008.1.2"),
    lambda: _as_syntax("1.2.840.10008.1.2.1.99"),
    _big_endian,
    _colour,
    _palette,
    _film,
    _enhanced,
    _nameless,
)


def _nifti(kind: Any, dtype: str, shape: tuple[int, ...]) -> bytes:
    values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    image = kind(values, np.diag([1.0, 1.0, 2.0, 1.0]), kind.header_class(endianness=dtype[0]))
    image.header.set_data_dtype(dtype)
    image.header.set_slope_inter(2.0, 1.0)
    image.header.set_xyzt_units("mm", "sec")
    data: bytes = image.to_bytes()
    return data
