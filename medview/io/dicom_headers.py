"""What one DICOM file says of itself: who, what, and where each of its frames lies.

What follows from several files together is decided in ``dicom_stack``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import ReadError
from medview.io import dicomdir
from medview.io.codes import Code
from medview.io.dicom_classes import MEDIA_DIRECTORY, MODALITY_OF_CLASS, SEGMENTATION, SLIDE
from medview.io.dicom_frames import Frames
from medview.io.dicom_keys import keys_of_file, keys_of_frame
from medview.io.dicom_loss import is_lossy
from medview.io.dicom_mosaic import Mosaic, is_mosaic, mosaic_of
from medview.io.dicom_outline import Outline
from medview.io.dicom_place import aspect_of, place_of, spacing_of
from medview.io.dicom_rescale import value_doubt
from medview.io.dicom_times import clock_words, frame_step_of, temporal_step_of
from medview.io.dicom_values import Header

MAX_FRAMES = 1_000_000
# How programs, scripts and archives begin; the preamble of an image may hold one (A12).
_PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"PK",
    b"\xfe\xed\xfa",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
)
MAX_SIDE = 65_535


@dataclass(frozen=True, slots=True, eq=False)
class FileInfo:
    """What is said once in a file. Dates are DICOM's own, texts are cleaned."""

    path: Path
    patient_id: str
    patient_name: str
    sex: str
    birth_date: str
    study_uid: str
    study_date: str
    study_description: str
    accession: str
    series_uid: str
    series_number: int | None
    series_description: str
    instance_uid: str
    instance_number: int
    sop_class: str
    modality: str
    modality_doubt: str
    syntax: str
    lossy: bool
    acquired: str
    scanner: str
    field_strength_t: float | None
    quantity: str
    laterality: str
    side_doubt: str
    value_doubt: str
    gantry_tilt: float
    begins_like_a_program: bool
    institution: str = ""
    referring: str = ""
    body_part: str = ""
    contrast: str = ""
    frame_step_s: float | None = None
    temporal_step_s: float | None = None


class StoredAs(NamedTuple):
    """How the pixels of a file are stored; each a tuple of the numbers that the header has."""

    allocated: tuple[float, ...]
    stored: tuple[float, ...]
    signed: tuple[float, ...]

    @property
    def words(self) -> str:
        """Such as "12 of 16 bits, without sign"."""
        bits = (f"{n[0]:.0f}" if n else "an unknown number" for n in (self.stored, self.allocated))
        return f"{' of '.join(bits)} bits, {'with' if any(self.signed) else 'without'} sign"


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """One frame: its place, and what tells it from frames in the same place.

    `position` is the centre of the first voxel in LPS mm, `orientation` (2, 3) the unit
    directions along a row and along a column, `spacing_mm` between rows and between columns.
    `kind` must agree within a stack (R6); `keys` may tell volumes apart (R14). `magnified` is by
    how much the spacing was made smaller than it is at the detector (R22).
    """

    info: FileInfo
    frame: int
    rows: int
    columns: int
    position: NDArray[np.float64] | None
    orientation: NDArray[np.float64] | None
    spacing_mm: tuple[float, float] | None
    pixel_aspect: tuple[float, float]
    at_detector: bool
    frame_of_reference: str
    kind: tuple[Hashable, ...]
    keys: dict[str, Hashable] = field(default_factory=dict)
    label: str = ""
    sparse: bool = False
    magnified: float = 1.0


def read_slices(path: Path, outline: Outline) -> list[Slice]:
    """Describe every frame of a file.

    Raises
    ------
    ReadError
        If the file holds no image, one that cannot be shown, or an impossible size.
    """
    header = Header(outline)
    _require_image(path, header, outline)
    rows, columns = _size(path, header)
    frames = Frames(header)
    if frames.count > MAX_FRAMES:
        raise ReadError(
            f"claims {frames.count} frames",
            code=Code.IMPOSSIBLE_SIZE,
            file=path.name,
            do="Export the file again.",
        )
    info = _file_info(path, header, outline)
    if is_mosaic(header) and frames.count == 1:
        return list(_tiles(info, frames, mosaic_of(path, header)))
    return list(_slices(info, frames, rows, columns))


def _require_image(path: Path, header: Header, outline: Outline) -> None:
    sop_class = header.word("SOPClassUID")
    if outline.pixels is None:
        if outline.cut:
            raise ReadError(
                "ends early, before its pixel data",
                code=Code.ENDS_EARLY,
                file=path.name,
                do="Copy the file again.",
            )
        if dicomdir.RECORDS in header or sop_class == MEDIA_DIRECTORY:
            raise dicomdir.refusal(path, header)
        raise ReadError(
            "DICOM without an image",
            code=Code.NO_PIXELS,
            file=path.name,
            do="Choose the folder or the images beside it.",
        )
    if sop_class.startswith(SLIDE) or "TotalPixelMatrixColumns" in header:
        raise ReadError(
            "whole-slide microscopy in tiles, which is not shown",
            code=Code.SLIDE,
            file=path.name,
            do="Open it with a slide viewer.",
        )


def _size(path: Path, header: Header) -> tuple[int, int]:
    rows, columns = header.numbers("Rows"), header.numbers("Columns")
    if not (len(rows) == len(columns) == 1 and 0 < rows[0] <= MAX_SIDE >= columns[0] > 0):
        raise ReadError(
            "has no usable number of rows and columns",
            code=Code.IMPOSSIBLE_SIZE,
            file=path.name,
            do="Export the file again.",
        )
    return int(rows[0]), int(columns[0])


def _file_info(path: Path, header: Header, outline: Outline) -> FileInfo:
    modality = header.word("Modality")
    doubt = _modality_doubt(header, modality)
    sides = _sides(header)
    return FileInfo(
        path=path,
        patient_id=header.text("PatientID"),
        patient_name=header.text("PatientName"),
        sex=header.word("PatientSex"),
        birth_date=header.word("PatientBirthDate"),
        study_uid=header.word("StudyInstanceUID"),
        study_date=header.word("StudyDate"),
        study_description=header.text("StudyDescription"),
        accession=header.text("AccessionNumber"),
        series_uid=header.word("SeriesInstanceUID"),
        series_number=header.whole("SeriesNumber"),
        series_description=header.text("SeriesDescription") or header.text("ProtocolName"),
        instance_uid=header.word("SOPInstanceUID"),
        instance_number=header.whole("InstanceNumber") or 0,
        sop_class=header.word("SOPClassUID"),
        modality=modality,
        modality_doubt=doubt,
        syntax=outline.syntax,
        lossy=is_lossy(header.word("LossyImageCompression"), outline.syntax),
        acquired=_acquired(header),
        scanner=_scanner(header),
        field_strength_t=header.number("MagneticFieldStrength"),
        quantity="a.u." if value_doubt(header) else _quantity(header, "" if doubt else modality),
        laterality=sides[0][1] if sides else "",
        side_doubt=_side_doubt(sides),
        value_doubt=value_doubt(header),
        gantry_tilt=header.number("GantryDetectorTilt") or 0.0,
        begins_like_a_program=outline.preamble.startswith(_PROGRAMS),
        institution=header.text("InstitutionName"),
        referring=header.text("ReferringPhysicianName"),
        body_part=header.word("BodyPartExamined"),
        contrast=header.text("ContrastBolusAgent"),
        frame_step_s=frame_step_of(header),
        temporal_step_s=temporal_step_of(header),
    )


SIDES = {"L": "left", "R": "right", "B": "both sides"}
# Modifiers of an anatomic region: SNOMED CT and the older SNOMED RT (PS3.16, CID 244).
_SIDE_CODES = {
    "7771000": "L", "24028007": "R", "51440002": "B",
    "G-A101": "L", "G-A100": "R", "G-A102": "B",
}  # fmt: skip


def _sides(header: Header) -> list[tuple[str, str]]:
    """Every side that a file says it shows, with where it says so; the first counts (R21)."""
    shared = header.item("SharedFunctionalGroupsSequence")
    anatomy = shared.item("FrameAnatomySequence") if shared else None
    region = (anatomy or header).item("AnatomicRegionSequence")
    modifier = region.item("AnatomicRegionModifierSequence") if region else None
    said = [
        ("ImageLaterality", header.word("ImageLaterality")),
        ("Laterality", header.word("Laterality")),
        ("FrameLaterality", anatomy.word("FrameLaterality") if anatomy else ""),
        ("region", _SIDE_CODES.get(modifier.word("CodeValue"), "") if modifier else ""),
    ]
    return [(where, side) for where, side in said if side in SIDES]


def _side_doubt(sides: list[tuple[str, str]]) -> str:
    """In words, that a file names different sides; or empty."""
    if len({side for _, side in sides}) < 2:
        return ""
    named = ", ".join(f"{SIDES[side]} ({where})" for where, side in sides)
    return f"the file names different sides: {named}"


def _modality_doubt(header: Header, modality: str) -> str:
    """Why the modality tag is not to be trusted, or empty."""
    expected = MODALITY_OF_CLASS.get(header.word("SOPClassUID"), modality)
    if modality and expected != modality:
        return f"the file calls itself {modality} but is stored as {expected}"
    if modality != "CT" or "KVP" in header:
        return ""
    if "EchoTime" in header or "MagneticFieldStrength" in header:
        return "the file calls itself CT but describes an MR acquisition"
    # A CT's values are Hounsfield units unless it says otherwise (PS3.3 C.11.1.1.2).
    if header.word("RescaleType") == "US" and not header.number("RescaleIntercept"):
        return "the file calls itself CT but neither its values nor its header are those of a CT"
    return ""


def _quantity(header: Header, modality: str) -> str:
    kind = header.word("RescaleType")
    if kind in ("HU", "HU_MOD") or (modality == "CT" and kind in ("", "HU")):
        return "HU" if modality == "CT" else kind
    if modality == "RTDOSE":
        return {"GY": "Gy"}.get(header.word("DoseUnits"), "a.u.")
    if modality == "PT":
        return {"BQML": "Bq/ml", "CNTS": "counts", "GML": "g/ml"}.get(
            header.word("Units"), header.word("Units") or "a.u."
        )
    return "a.u."


def _acquired(header: Header) -> str:
    day = header.word("AcquisitionDate") or header.word("SeriesDate") or header.word("StudyDate")
    time = header.word("AcquisitionTime") or header.word("SeriesTime")
    return f"{iso_date(day)} {clock_words(time)}".strip()


def iso_date(text: str) -> str:
    """Turn "20261121" and the older "2026.11.21" into "2026-11-21"; anything else into ""."""
    digits = text.replace(".", "").replace("-", "")[:8]
    if len(digits) < 8 or not (digits.isascii() and digits.isdecimal()):
        return ""
    iso = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    try:
        return date.fromisoformat(iso).isoformat()
    except ValueError:  # a month or day that no calendar has
        return ""


def _scanner(header: Header) -> str:
    parts = (header.text("Manufacturer"), header.text("ManufacturerModelName"))
    return " ".join(part for part in parts if part)


def _slices(info: FileInfo, frames: Frames, rows: int, columns: int) -> Iterator[Slice]:
    header = frames.header
    of_file = _kind_of_file(header)
    keys = {} if frames.is_enhanced else keys_of_file(header)
    reference = header.word("FrameOfReferenceUID")
    labels = _segment_labels(header) if info.sop_class in SEGMENTATION else {}
    for frame in range(frames.count):
        position, orientation = place_of(frames, frame)
        spacing, at_detector, magnified = spacing_of(frames, frame)
        segment = _segment(frames, frame) if labels else None
        yield Slice(
            info=info,
            frame=frame,
            rows=rows,
            columns=columns,
            position=position,
            orientation=orientation,
            spacing_mm=spacing,
            pixel_aspect=aspect_of(header),
            at_detector=at_detector,
            magnified=magnified,
            frame_of_reference=reference,
            kind=(*of_file, *_kind_of_frame(frames, frame), segment),
            keys=keys_of_frame(frames, frame) if frames.is_enhanced else keys,
            label=labels.get(segment, "") if segment is not None else "",
            sparse=bool(labels),
        )


def _tiles(info: FileInfo, frames: Frames, mosaic: Mosaic) -> Iterator[Slice]:
    header = frames.header
    (whole,) = _slices(info, frames, mosaic.rows, mosaic.columns)
    for tile in range(mosaic.tiles):
        yield replace(
            whole,
            frame=tile,
            position=mosaic.first + mosaic.step * tile,
            kind=(*whole.kind, mosaic.tiles),
            keys=keys_of_file(header),
        )


def _kind_of_file(header: Header) -> tuple[Hashable, ...]:
    allocated, stored, signed = (
        header.numbers(word) for word in ("BitsAllocated", "BitsStored", "PixelRepresentation")
    )
    return (
        header.word("SOPClassUID"),
        header.words("ImageType"),
        header.word("PhotometricInterpretation"),
        StoredAs(allocated, stored, signed),
        header.numbers("SamplesPerPixel"),
    )


def _kind_of_frame(frames: Frames, frame: int) -> tuple[Hashable, ...]:
    """What splits the frames of one file: their type and their stack."""
    if not frames.is_enhanced:
        return ()
    for sequence in ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence"):
        group = frames.group(frame, sequence)
        if group is not None:
            return (*group.words("FrameType"), group.word("ComplexImageComponent"))
    return ()


def _segment(frames: Frames, frame: int) -> int | None:
    values = frames.numbers(frame, "SegmentIdentificationSequence", "ReferencedSegmentNumber")
    return int(values[0]) if values else None


def _segment_labels(header: Header) -> dict[int, str]:
    segments = header.items("SegmentSequence")
    return {item.whole("SegmentNumber") or 0: item.text("SegmentLabel") for item in segments}
