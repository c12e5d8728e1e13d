"""Segmentations and parametric maps of any program, as maps on the grid they were made on.

Read from their own geometry (PS3.3 A.51, A.75), never from the order or number of their frames:
frames without anything in them may be missing, and slices may run either way.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from highdicom import Volume as Block
from highdicom.pm import ParametricMap
from highdicom.seg import Segmentation
from numpy.typing import NDArray

from medview.domain.errors import MedviewError, ReadError
from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.io.codes import Code
from medview.io.dicom_classes import PARAMETRIC_MAP, SEGMENTATION
from medview.io.limits import is_too_large
from medview.io.sources import open_binary

MOST_MASKS = 8
"""Segments that are maps of their own; more become one map of labels."""


def read_object(path: Path) -> tuple[ScalarMap, ...]:
    """Read the segments or the values of an object, each on its own grid.

    A segment is a mask of 0 and 1 (uint8), of a fractional segmentation a share from 0 to 1
    (float32); the values of a parametric map are float32, NaN where there is none.

    Raises
    ------
    ReadError
        If it is no such object, damaged, too large, or lies on no regular grid in the patient.
    """
    with open_binary(path) as file:
        raw = file.read()
    try:
        dataset = pydicom.dcmread(io.BytesIO(raw))
        made = _maps_of(dataset, path.name)
    except (MedviewError, MemoryError):
        raise
    except Exception as error:  # what readers of foreign objects raise is without number
        raise ReadError(
            "this object cannot be placed: its frames lie on no regular grid in the patient, or it "
            "is damaged",
            code=Code.HEADER_DAMAGED,
            file=path.name,
            do="Write it again with the program that it comes from.",
        ) from error
    return made


def _maps_of(dataset: pydicom.Dataset, file: str) -> tuple[ScalarMap, ...]:
    kind = str(dataset.get("SOPClassUID", ""))
    if kind not in (*SEGMENTATION, PARAMETRIC_MAP):
        raise ReadError(
            "this is no segmentation and no parametric map",
            code=Code.NO_PIXELS,
            file=file,
            do="Choose an object of one of these kinds.",
        )
    if not str(dataset.get("FrameOfReferenceUID", "")):
        raise ReadError(
            "this object names no frame of reference, so its place in the patient is not known",
            code=Code.HEADER_DAMAGED,
            file=file,
            do="Open it as a series of its own.",
        )
    voxels = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("NumberOfFrames", 1))
    if is_too_large(8 * voxels):
        raise ReadError(
            "this object needs more memory than may be used here",
            code=Code.TOO_LARGE,
            file=file,
            do="Close other programs and try again.",
        )
    name = f"object-{hashlib.sha256(str(dataset.SOPInstanceUID).encode()).hexdigest()[:6]}"
    if kind == PARAMETRIC_MAP:
        return (_values(ParametricMap.from_dataset(dataset, copy=False), name),)
    made = _segments(Segmentation.from_dataset(dataset, copy=False), name)
    if not made:
        raise ReadError(
            "this segmentation holds no segments",
            code=Code.NO_PIXELS,
            file=file,
            do="Write it again with the program that it comes from.",
        )
    return made


def _segments(found: Segmentation, name: str) -> tuple[ScalarMap, ...]:
    numbers = list(found.segment_numbers)
    frame = str(found.FrameOfReferenceUID)
    if len(numbers) > MOST_MASKS:
        return (_labels(found, numbers, frame, name),)
    made = []
    for number in numbers:
        block, array = _segment(found, number)
        made.append(
            ScalarMap(
                f"{name}-{number}",
                array,
                _geometry(block, frame),
                kind="mask" if array.dtype == np.uint8 else "evidence",
                title=_label(found, number),
            )
        )
    return tuple(made)


def _segment(found: Segmentation, number: int) -> tuple[Block, NDArray[Any]]:
    block = found.get_volume(segment_numbers=[number], combine_segments=False)
    array = np.asarray(block.array)[..., 0]
    is_share = np.issubdtype(array.dtype, np.floating)
    return block, array.astype(np.float32 if is_share else np.uint8)


def _labels(found: Segmentation, numbers: list[int], frame: str, name: str) -> ScalarMap:
    """All segments in one map of their numbers; where two overlap, the later one is seen."""
    labels: NDArray[np.float32] | None = None
    for number in numbers:
        block, array = _segment(found, number)
        if labels is None:
            labels = np.zeros(array.shape, np.float32)
        labels[array >= 0.5] = number
    assert labels is not None  # there are more than a few
    return ScalarMap(
        name,
        labels,
        _geometry(block, frame),
        kind="labels",
        range=(0.0, float(max(numbers))),
        title=f"{len(numbers)} segments",
    )


def _label(found: Segmentation, number: int) -> str:
    return str(found.get_segment_description(number).segment_label).strip() or f"segment {number}"


def _values(found: ParametricMap, name: str) -> ScalarMap:
    block = found.get_volume(dtype=np.float32)
    array = np.array(block.array, dtype=np.float32)
    known = array[np.isfinite(array)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    title = str(found.get("ContentDescription", "") or found.get("ContentLabel", "")).strip()
    return ScalarMap(
        name,
        array,
        _geometry(block, str(found.FrameOfReferenceUID)),
        kind="evidence",
        unit=_unit(found),
        range=(low, high if high > low else low + 1.0),
        title=title or "parametric map",
    )


def _unit(found: ParametricMap) -> str:
    """The code of the unit, as UCUM writes it; "1" where none is told."""
    shared = found.SharedFunctionalGroupsSequence[0]
    items = [shared, found.PerFrameFunctionalGroupsSequence[0]]
    for item in items:
        for mapping in item.get("RealWorldValueMappingSequence", ()):
            for code in mapping.get("MeasurementUnitsCodeSequence", ()):
                return str(code.get("CodeValue", "1"))
    return "1"


def _geometry(block: Block, frame: str) -> Geometry:
    """The grid of a block: its axes already are slice, row and column, its affine is LPS."""
    k, j, i = block.spatial_shape
    return Geometry((k, j, i), block.affine, frame)
