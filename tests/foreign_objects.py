"""Segmentations and parametric maps as another program might write them, on grids of their own."""

from __future__ import annotations

from pathlib import Path

import highdicom as hd
import numpy as np
from dicom_files import image
from highdicom.pm import ParametricMap, RealWorldValueMapping
from highdicom.seg import Segmentation, SegmentDescription
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset

FRAME = "1.2.3.5"
_CODE = CodedConcept("49755003", "SCT", "Morphologically abnormal structure")
_COMMON = {
    "series_number": 9,
    "instance_number": 1,
    "manufacturer": "Another",
    "manufacturer_model_name": "Program",
    "software_versions": "1",
    "device_serial_number": "1",
}


def turned(degrees: tuple[float, float], steps: tuple[float, float, float]) -> np.ndarray:
    """Steps of slice, row and column in LPS mm, (3, 3), turned about z and then about x."""
    z, x = np.radians(degrees)
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    straight = np.array([[0, 0, 1.0], [0, 1.0, 0], [1.0, 0, 0]])
    return about_x @ about_z @ straight @ np.diag(steps)


def affine_about(centre: tuple[float, ...], axes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The affine from (k, j, i) to LPS mm whose grid has its middle at `centre`."""
    made = np.eye(4)
    made[:3, :3] = axes
    made[:3, 3] = np.array(centre) - axes @ ((np.array(shape) - 1) / 2)
    return made


def places(affine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """LPS mm of every voxel, (k, j, i, 3)."""
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    return index @ affine[:3, :3].T + affine[:3, 3]


def segmentation(
    masks: dict[str, np.ndarray], affine: np.ndarray, path: Path, *, fractional: bool = False
) -> Path:
    """Write masks (k, j, i) by their label; frames without anything in them are left out."""
    array = np.stack(list(masks.values()), axis=-1)
    made = Segmentation(
        source_images=[_source()],
        pixel_array=_block(array if fractional else array.astype(np.uint8), affine),
        segmentation_type="FRACTIONAL" if fractional else "BINARY",
        segment_descriptions=[
            SegmentDescription(number, label, _CODE, _CODE, "MANUAL")
            for number, label in enumerate(masks, 1)
        ],
        series_instance_uid=hd.UID(),
        sop_instance_uid=hd.UID(),
        omit_empty_frames=True,
        **_COMMON,
    )
    made.save_as(path)
    return path


def parametric_map(values: np.ndarray, affine: np.ndarray, path: Path) -> Path:
    """Write values (k, j, i) in mm2/s."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    made = ParametricMap(
        source_images=[_source()],
        pixel_array=_block(values.astype(np.float32)[..., None], affine),
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[
            RealWorldValueMapping(
                lut_label="ADC",
                lut_explanation="diffusion",
                unit=CodedConcept("mm2/s", "UCUM", "mm2/s"),
                value_range=(low, high),
                slope=1.0,
                intercept=0.0,
            )
        ],
        voi_lut_transformations=[
            hd.VOILUTTransformation(0.0, 1.0, voi_lut_function="LINEAR_EXACT")
        ],
        content_label="ADC",
        series_instance_uid=hd.UID(),
        sop_instance_uid=hd.UID(),
        **_COMMON,
    )
    made.save_as(path)
    return path


def _block(array: np.ndarray, affine: np.ndarray) -> hd.Volume:
    channels = {"SegmentNumber": range(1, array.shape[-1] + 1)}
    if array.shape[-1] == 1:
        array, channels = array[..., 0], None
    return hd.Volume(
        array, affine, coordinate_system="PATIENT", frame_of_reference_uid=FRAME, channels=channels
    )


def _source() -> Dataset:
    """One image of the study that the object is of."""
    empty = (
        *("PatientBirthDate", "PatientSex", "StudyID", "AccessionNumber", "StudyTime"),
        *("ReferringPhysicianName", "PositionReferenceIndicator"),
    )
    blank = dict.fromkeys(empty, "")
    return image(np.zeros((4, 4), np.int16), FrameOfReferenceUID=FRAME, SliceThickness=1, **blank)
