"""What one DICOM file says of itself: who, what, and where each of its frames lies.

Rules R3, R4, R6, R14, R16, R18 and R19 of the geometry rules are read here; what follows
from several files together is decided in ``dicom_stack``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import ReadError
from medview.io.codes import Code
from medview.io.dicom_mosaic import Mosaic, is_mosaic, mosaic_of
from medview.io.dicom_outline import Outline
from medview.io.dicom_values import Header

SEGMENTATION = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
MAX_FRAMES = 1_000_000
MAX_SIDE = 65_535

# Classes that carry one modality only, by the stem of their UID.
_MODALITY_OF_CLASS = {
    "1.2.840.10008.5.1.4.1.1.1": "CR",
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.2.1": "CT",
    "1.2.840.10008.5.1.4.1.1.2.2": "CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.4.1": "MR",
    "1.2.840.10008.5.1.4.1.1.4.3": "MR",
    "1.2.840.10008.5.1.4.1.1.4.4": "MR",
    "1.2.840.10008.5.1.4.1.1.128": "PT",
    "1.2.840.10008.5.1.4.1.1.128.1": "PT",
    "1.2.840.10008.5.1.4.1.1.130": "PT",
    "1.2.840.10008.5.1.4.1.1.20": "NM",
    "1.2.840.10008.5.1.4.1.1.6.1": "US",
    "1.2.840.10008.5.1.4.1.1.3.1": "US",
}


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
    cut_short: str


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """One frame: its place, and what tells it from frames in the same place.

    `position` is the centre of the first voxel in LPS mm, `orientation` (2, 3) the unit
    directions along a row and along a column, `spacing_mm` between rows and between columns.
    `kind` must agree within a stack (R6); `keys` may tell volumes apart (R14).
    """

    info: FileInfo
    frame: int
    rows: int
    columns: int
    position: NDArray[np.float64] | None
    orientation: NDArray[np.float64] | None
    spacing_mm: tuple[float, float] | None
    at_detector: bool
    frame_of_reference: str
    kind: tuple[Hashable, ...]
    keys: dict[str, Hashable] = field(default_factory=dict)
    label: str = ""
    sparse: bool = False


class Frames:
    """The frames of a file and the functional groups that describe them (R16)."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.count = max(1, header.whole("NumberOfFrames") or 1)
        self._per_frame = header.items("PerFrameFunctionalGroupsSequence")
        self._shared = header.item("SharedFunctionalGroupsSequence")
        self._shared_groups: dict[str, Header | None] = {}

    @property
    def is_enhanced(self) -> bool:
        """True when frames are described one by one."""
        return bool(self._per_frame)

    def group(self, frame: int, sequence: str) -> Header | None:
        """The functional group of a frame, its own before the shared one."""
        if frame < len(self._per_frame):
            own = self._per_frame[frame].item(sequence)
            if own is not None:
                return own
        if sequence not in self._shared_groups:
            self._shared_groups[sequence] = self._shared.item(sequence) if self._shared else None
        return self._shared_groups[sequence]

    def numbers(self, frame: int, sequence: str, keyword: str) -> tuple[float, ...]:
        """Numbers of a group; a file with a single frame may say them at the top."""
        group = self.group(frame, sequence)
        if group is not None and (values := group.numbers(keyword)):
            return values
        return self.header.numbers(keyword) if self.count == 1 else ()


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
        is_index = "DirectoryRecordSequence" in header or sop_class == MEDIA_DIRECTORY
        raise ReadError(
            "is the index of a DICOM medium" if is_index else "DICOM without an image",
            code=Code.DIRECTORY_RECORD if is_index else Code.NO_PIXELS,
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
        lossy=header.word("LossyImageCompression") == "01",
        acquired=_acquired(header),
        scanner=_scanner(header),
        field_strength_t=header.number("MagneticFieldStrength"),
        quantity=_quantity(header, "" if doubt else modality),
        cut_short="",
    )


def _modality_doubt(header: Header, modality: str) -> str:
    """Why the modality tag is not to be trusted, or empty."""
    expected = _MODALITY_OF_CLASS.get(header.word("SOPClassUID"), modality)
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
    date = header.word("AcquisitionDate") or header.word("SeriesDate") or header.word("StudyDate")
    time = header.word("AcquisitionTime") or header.word("SeriesTime")
    return f"{iso_date(date)} {time[:2]}:{time[2:4]}" if len(time) >= 4 else iso_date(date)


def iso_date(text: str) -> str:
    """Turn "20261121" into "2026-11-21"; anything else into ""."""
    digits = text.replace(".", "").replace("-", "")
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}" if digits.isdigit() else ""


def _scanner(header: Header) -> str:
    parts = (header.text("Manufacturer"), header.text("ManufacturerModelName"))
    return " ".join(part for part in parts if part)


def _slices(info: FileInfo, frames: Frames, rows: int, columns: int) -> Iterator[Slice]:
    header = frames.header
    of_file = _kind_of_file(header)
    keys_of_file = {} if frames.is_enhanced else _keys_of_file(header)
    reference = header.word("FrameOfReferenceUID")
    labels = _segment_labels(header) if info.sop_class in SEGMENTATION else {}
    for frame in range(frames.count):
        position, orientation = _place(frames, frame)
        spacing, at_detector = _spacing(frames, frame)
        segment = _segment(frames, frame) if labels else None
        yield Slice(
            info=info,
            frame=frame,
            rows=rows,
            columns=columns,
            position=position,
            orientation=orientation,
            spacing_mm=spacing,
            at_detector=at_detector,
            frame_of_reference=reference,
            kind=(*of_file, *_kind_of_frame(frames, frame), segment),
            keys=_keys_of_frame(frames, frame) if frames.is_enhanced else keys_of_file,
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
            keys=_keys_of_file(header),
        )


def _kind_of_file(header: Header) -> tuple[Hashable, ...]:
    return (
        header.word("SOPClassUID"),
        header.words("ImageType"),
        header.word("PhotometricInterpretation"),
        *(header.numbers(word) for word in ("BitsAllocated", "BitsStored", "SamplesPerPixel")),
        header.numbers("PixelRepresentation"),
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


Place = tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]


def _place(frames: Frames, frame: int) -> Place:
    """Position and orientation of a frame, None where the file does not say (R3, R16, R19)."""
    position = _vector(
        frames.numbers(frame, "PlanePositionSequence", "ImagePositionPatient")
        or frames.numbers(frame, "PlanePositionVolumeSequence", "ImagePositionVolume"),
        3,
    )
    orientation = _unit_directions(
        frames.numbers(frame, "PlaneOrientationSequence", "ImageOrientationPatient")
        or frames.numbers(frame, "PlaneOrientationVolumeSequence", "ImageOrientationVolume")
    )
    if position is None and frames.count > 1 and not frames.is_enhanced:
        return _place_in_series(frames.header, frame)
    if orientation is None and position is None:
        orientation = _letters_to_directions(frames.header.words("PatientOrientation"))
    return position, orientation


def _place_in_series(header: Header, frame: int) -> Place:
    """Place of a frame of a classic multi-frame image: a dose grid or a tomogram."""
    if header.word("SOPClassUID") == RT_DOSE:
        return _dose_place(header, frame)
    return _nuclear_place(header, frame)


def _dose_place(header: Header, frame: int) -> Place:
    """Place of a dose plane: (3004,000C) counts along the normal, from the first plane."""
    first = _vector(header.numbers("ImagePositionPatient"), 3)
    directions = _unit_directions(header.numbers("ImageOrientationPatient"))
    offsets = header.numbers("GridFrameOffsetVector")
    if first is None or directions is None or frame >= len(offsets):
        return None, None
    return first + np.cross(*directions) * (offsets[frame] - offsets[0]), directions


_TOWARD = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0),
           "H": (0, 0, 1), "F": (0, 0, -1)}  # fmt: skip


def _letters_to_directions(words: tuple[str, ...]) -> NDArray[np.float64] | None:
    """Directions of a film from letters such as A and F (R20); only the main one of each counts."""
    if len(words) != 2 or not all(word[:1] in _TOWARD for word in words):
        return None
    return _unit_directions((*_TOWARD[words[0][0]], *_TOWARD[words[1][0]]))


def _nuclear_place(header: Header, frame: int) -> Place:
    """Place of a reconstructed NM frame (PS3.3 C.8.4.15): SpacingBetweenSlices has a sign."""
    detector = header.item("DetectorInformationSequence")
    step = header.number("SpacingBetweenSlices")
    if detector is None or step is None or "RECON TOMO" not in header.words("ImageType"):
        return None, None
    first = _vector(detector.numbers("ImagePositionPatient"), 3)
    directions = _unit_directions(detector.numbers("ImageOrientationPatient"))
    if first is None or directions is None:
        return None, None
    order = header.numbers("SliceVector")
    k = order[frame] - 1 if len(order) > frame else frame
    return first + np.cross(*directions) * step * k, directions


def _vector(values: tuple[float, ...], size: int) -> NDArray[np.float64] | None:
    return np.array(values, dtype=np.float64) if len(values) == size else None


def _unit_directions(values: tuple[float, ...]) -> NDArray[np.float64] | None:
    """Directions (2, 3) along a row and a column, made unit; None when they are no plane."""
    if len(values) != 6:
        return None
    directions = np.array(values, dtype=np.float64).reshape(2, 3)
    lengths = np.linalg.norm(directions, axis=1)
    if (lengths < 0.5).any() or (lengths > 2).any():
        return None
    directions /= lengths[:, None]
    return directions if abs(directions[0] @ directions[1]) < 0.5 else None


def _spacing(frames: Frames, frame: int) -> tuple[tuple[float, float] | None, bool]:
    """Spacing between rows and columns in mm, and whether it is that at a detector (R22)."""
    values = frames.numbers(frame, "PixelMeasuresSequence", "PixelSpacing")
    header = frames.header
    values = values or header.numbers("PixelSpacing")
    at_detector = False
    imager = header.numbers("ImagerPixelSpacing") or header.numbers("NominalScannedPixelSpacing")
    if not values and imager:
        values, at_detector = imager, True
    elif values and imager and values == imager:
        at_detector = "PixelSpacingCalibrationType" not in header
    if not values and "SequenceOfUltrasoundRegions" in header:
        values = _ultrasound_spacing(header)
    if len(values) != 2 or min(values) <= 0:
        return None, False
    return (float(values[0]), float(values[1])), at_detector


def _ultrasound_spacing(header: Header) -> tuple[float, ...]:
    """Spacing of the regions measured in cm, if they agree (PS3.3 C.8.5.5)."""
    found = {
        (
            abs(region.number("PhysicalDeltaY") or 0) * 10,
            abs(region.number("PhysicalDeltaX") or 0) * 10,
        )
        for region in header.items("SequenceOfUltrasoundRegions")
        if region.whole("PhysicalUnitsXDirection") == region.whole("PhysicalUnitsYDirection") == 3
    }
    return found.pop() if len(found) == 1 else ()


# Candidates that tell volumes apart in the order in which they are tried (R14): name, keywords.
_CLASSIC_KEYS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("TemporalPositionIdentifier", ("TemporalPositionIdentifier",)),
    ("AcquisitionNumber", ("AcquisitionNumber",)),
    ("EchoTime", ("EchoTime",)),
    ("EchoNumbers", ("EchoNumbers",)),
    ("InversionTime", ("InversionTime",)),
    ("FlipAngle", ("FlipAngle",)),
    ("DiffusionBValue", ("DiffusionBValue", "DiffusionGradientOrientation")),
    ("TriggerTime", ("TriggerTime",)),
    ("ContrastBolusAgent", ("ContrastBolusAgent",)),
    ("KVP", ("KVP",)),
    ("AcquisitionTime", ("AcquisitionTime",)),
    ("ContentTime", ("ContentTime",)),
)


def _keys_of_file(header: Header) -> dict[str, Hashable]:
    found: dict[str, Hashable] = {}
    for name, keywords in _CLASSIC_KEYS:
        values = tuple(_key_value(header, word) for word in keywords if word in header)
        if values:
            found[name] = values
    return found


def _key_value(header: Header, keyword: str) -> Hashable:
    return header.numbers(keyword) or header.word(keyword)


# The same for frames of an enhanced file: name, functional group, keywords.
_ENHANCED_KEYS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("TemporalPositionIndex", "FrameContentSequence", ("TemporalPositionIndex",)),
    ("AcquisitionNumber", "FrameContentSequence", ("FrameAcquisitionNumber",)),
    ("EchoTime", "MREchoSequence", ("EffectiveEchoTime",)),
    ("InversionTime", "MRModifierSequence", ("InversionTimes",)),
    ("FlipAngle", "MRTimingAndRelatedParametersSequence", ("FlipAngle",)),
    ("DiffusionBValue", "MRDiffusionSequence", ("DiffusionBValue", "DiffusionDirectionality")),
    (
        "TriggerTime",
        "CardiacSynchronizationSequence",
        ("NominalCardiacTriggerDelayTime",),
    ),
    ("KVP", "CTXRayDetailsSequence", ("KVP",)),
    ("AcquisitionTime", "FrameContentSequence", ("FrameAcquisitionDateTime",)),
)


def _keys_of_frame(frames: Frames, frame: int) -> dict[str, Hashable]:
    found: dict[str, Hashable] = {}
    for name, sequence, keywords in _ENHANCED_KEYS:
        group = frames.group(frame, sequence)
        if group is None:
            continue
        values = tuple(_key_value(group, word) for word in keywords if word in group)
        if name == "DiffusionBValue":
            gradient = group.item("DiffusionGradientDirectionSequence")
            values += gradient.numbers("DiffusionGradientOrientation") if gradient else ()
        if values:
            found[name] = values
    content = frames.group(frame, "FrameContentSequence")
    for n, value in enumerate(content.numbers("DimensionIndexValues") if content else ()):
        found[f"DimensionIndexValues[{n}]"] = value
    return found
