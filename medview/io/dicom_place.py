"""Where a frame lies and how large its pixels are, as far as the file says it (R3, R4, R19-R22)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medview.io.dicom_classes import RT_DOSE
from medview.io.dicom_frames import Frames
from medview.io.dicom_values import Header

Place = tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]

# More is no projection of a patient: the source would be within the body.
MOST_MAGNIFIED = 20.0
# Pixels are larger and places nearer, or the file is mistaken.
SMALLEST_MM, FURTHEST_MM = 1e-5, 1e7


def place_of(frames: Frames, frame: int) -> Place:
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
    if len(values) != size or max(map(abs, values)) > FURTHEST_MM:
        return None
    return np.array(values, dtype=np.float64)


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


def spacing_of(frames: Frames, frame: int) -> tuple[tuple[float, float] | None, bool, float]:
    """Spacing between rows and columns in mm, and whether it is that at a detector (R22).

    Where a file says how much it magnifies, the spacing at the detector is divided by it, an
    estimate of that in the patient; the last value is that magnification, else 1.
    """
    values, at_detector = _stated_spacing(frames, frame)
    if len(values) != 2 or not _is_size(*values):
        return None, False, 1.0
    times = magnification_of(frames.header) if at_detector else 1.0
    spacing = float(values[0]) / times, float(values[1]) / times
    return spacing, at_detector and times == 1, times


def _stated_spacing(frames: Frames, frame: int) -> tuple[Sequence[float], bool]:
    """The spacing as it is written, empty where there is none, and whether at a detector."""
    header = frames.header
    values = frames.numbers(frame, "PixelMeasuresSequence", "PixelSpacing")
    values = values or header.numbers("PixelSpacing")
    imager = header.numbers("ImagerPixelSpacing") or header.numbers("NominalScannedPixelSpacing")
    if values:
        return values, values == imager and "PixelSpacingCalibrationType" not in header
    if imager:
        return imager, True
    regions = "SequenceOfUltrasoundRegions" in header
    return (_ultrasound_spacing(header) if regions else values), False


def _is_size(rows_mm: float, columns_mm: float) -> bool:
    """Whether this can be the size of a pixel: of any picture from microscope to map."""
    return min(rows_mm, columns_mm) > SMALLEST_MM and max(rows_mm, columns_mm) < FURTHEST_MM


def magnification_of(header: Header) -> float:
    """How much larger than in the patient things are at the detector; 1 when it is not known."""
    said = header.number("EstimatedRadiographicMagnificationFactor")
    return said if said is not None and 1 < said <= MOST_MAGNIFIED else 1.0


def aspect_of(header: Header) -> tuple[float, float]:
    """Height and width of a pixel in relation, for pictures without a spacing (R22)."""
    ratio = header.numbers("PixelAspectRatio")
    if len(ratio) != 2 or min(ratio) <= 0 or max(ratio) > 100 * min(ratio):
        return 1.0, 1.0
    return ratio[0] / ratio[1], 1.0


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
