"""Make the demo study: the Colin27 brain as a DICOM series with one synthetic lesion.

    python packaging/make_demo_study.py ch2bet.nii.gz resources/demo

The source is ``ch2bet.nii.gz``, skull-stripped, of Debian's package mricron-data; it is in no
training set. The same source gives the same bytes. Where the lesion is, how large and how dark
is written to ``lesion.json``; every header says that it is synthetic.
"""

from __future__ import annotations

import json
import sys
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

import imagecodecs
import nibabel
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLSLossless, MRImageStorage
from scipy import ndimage

from medview.domain.geometry import Geometry
from medview.learning.grid import resampling_matrix

SLICE_MM = 1.5
# Values of the template are small whole numbers; between slices they are not whole.
SCALE = 8
MARGIN_MM = 4
COMMENT = (
    "Colin27 average brain (McConnell Brain Imaging Centre, MNI, McGill University) "
    "with a synthetic lesion. Not a patient."
)


@dataclass(frozen=True)
class Lesion:
    """A dark blob with a soft edge and a faint halo.

    `contrast` and `halo` are added to the brain, in units of its 2nd to 98th percentile range;
    `edge_mm` is the standard deviation of the blur at the edge, `bumps` how far the outline
    leaves the sphere, as a part of the radius.
    """

    centre_lps: tuple[float, float, float] = (-28.0, 22.0, 33.0)
    radius_mm: float = 10.0
    contrast: float = -0.45
    edge_mm: float = 1.2
    bumps: float = 0.15
    halo_mm: float = 4.0
    halo: float = -0.10
    seed: int = 27


@dataclass(frozen=True)
class Brain:
    """Values (k, j, i) growing to head, posterior and left, and the LPS mm of its voxels."""

    values: NDArray[np.float64]
    geometry: Geometry


def read_brain(path: Path) -> Brain:
    """Read the template and turn it from RAS to LPS."""
    image = nibabel.load(path)
    ras = np.asarray(image.dataobj, dtype=np.float64)
    if not np.allclose(image.affine[:3, :3], np.eye(3)):
        raise SystemExit(f"{path.name}: expected a template with 1 mm voxels in RAS order")
    last = np.array(ras.shape) - 1
    right_front_foot = image.affine[:3, 3] + (last[0], last[1], 0)
    affine = np.eye(4)[:, [2, 1, 0, 3]]
    affine[:3, 3] = right_front_foot * (-1, -1, 1)
    values = np.ascontiguousarray(ras[::-1, ::-1].transpose(2, 1, 0))
    return Brain(values, Geometry(values.shape, affine))


def with_lesion(brain: Brain, lesion: Lesion) -> tuple[Brain, NDArray[np.bool_]]:
    """Add the lesion inside the brain; also the voxels that belong to it."""
    inside = brain.values > 0
    low, high = np.percentile(brain.values[inside], (2, 98))
    core = blob(brain.geometry, lesion, lesion.radius_mm)
    halo = blob(brain.geometry, lesion, lesion.radius_mm + lesion.halo_mm)
    halo = ndimage.gaussian_filter(halo, lesion.halo_mm / 2)
    rng = np.random.default_rng(lesion.seed)
    grain = ndimage.gaussian_filter(rng.normal(size=core.shape), 2.5)
    uneven = 1 + 0.12 * grain / grain.std()
    change = (core * lesion.contrast * uneven + halo * lesion.halo) * (high - low)
    changed = np.where(inside, np.clip(brain.values + change, 1, None), 0)
    return Brain(changed, brain.geometry), core > 0.5


def blob(geometry: Geometry, lesion: Lesion, radius_mm: float) -> NDArray[np.float64]:
    """A bumpy ball, 0..1 with a soft edge, on a grid of 1 mm."""
    index = np.moveaxis(np.indices(geometry.shape), 0, -1)
    away = geometry.to_mm(index) - np.array(lesion.centre_lps)
    distance = np.linalg.norm(away, axis=-1)
    direction = away / np.maximum(distance, 1e-6)[..., None]
    rng = np.random.default_rng(lesion.seed)
    outline = np.full(geometry.shape, radius_mm)
    for wave in (2, 3, 4):
        axis = rng.normal(size=3)
        phase = rng.uniform(0, 2 * np.pi)
        along = direction @ (axis / np.linalg.norm(axis))
        outline += radius_mm * lesion.bumps * np.cos(wave * np.pi / 2 * along + phase) / 1.5
    filled = (distance <= outline).astype(np.float64)
    return np.asarray(ndimage.gaussian_filter(filled, lesion.edge_mm), dtype=np.float64)


def thick_slices(brain: Brain) -> Brain:
    """The same brain in slices of `SLICE_MM`, cut off above and below it."""
    heights = brain.geometry.to_mm([(k, 0, 0) for k in range(brain.values.shape[0])])[:, 2]
    filled = heights[brain.values.any(axis=(1, 2))]
    wanted = np.arange(filled[0] - MARGIN_MM, filled[-1] + MARGIN_MM, SLICE_MM)
    weights = resampling_matrix(heights, 1.0, wanted, SLICE_MM)
    values = np.tensordot(weights, brain.values, axes=1)
    affine = brain.geometry.affine.copy()
    affine[2, 0], affine[2, 3] = SLICE_MM, wanted[0]
    return Brain(values, Geometry(values.shape, affine))


def slice_header(brain: Brain, k: int) -> Dataset:
    """Everything a DICOM MR image must say, but the pixels."""
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, uid(f"image {k}")
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid("study"), uid("series")
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = uid("frame"), ""
    ds.PatientName, ds.PatientID = "DEMO", "DEMO"
    ds.PatientBirthDate, ds.PatientSex = "", ""
    ds.StudyDate, ds.StudyTime = "20260101", "120000"
    ds.StudyID, ds.AccessionNumber, ds.ReferringPhysicianName = "1", "", ""
    ds.StudyDescription = "Demo, synthetic lesion"
    ds.SeriesDescription, ds.SeriesNumber = "T1, synthetic lesion", 1
    ds.ImageComments = COMMENT
    ds.Modality, ds.Manufacturer, ds.BodyPartExamined = "MR", "", "BRAIN"
    ds.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    ds.DerivationDescription = COMMENT
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "GR", "NONE", ""
    ds.MRAcquisitionType, ds.RepetitionTime, ds.EchoTime = "3D", None, None
    ds.EchoTrainLength = None
    ds.InstanceNumber = k + 1
    place = brain.geometry.to_mm((k, 0, 0))
    ds.ImagePositionPatient = [float(mm) for mm in place]
    ds.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    ds.PixelSpacing, ds.SliceThickness = [1.0, 1.0], SLICE_MM
    ds.SpacingBetweenSlices, ds.SliceLocation = SLICE_MM, float(place[2])
    return ds


def put_pixels(ds: Dataset, pixels: NDArray[np.uint16]) -> None:
    """Add pixels, packed without loss."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = JPEGLSLossless
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.Rows, ds.Columns = pixels.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.PixelData = encapsulate([imagecodecs.jpegls_encode(pixels)])
    ds["PixelData"].is_undefined_length = True


def uid(name: str) -> str:
    """A UID that is the same each time."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, f'medview demo study {name}').int}"


def main(source: Path, out: Path) -> None:
    """Write the series and the place of its lesion."""
    lesion = Lesion()
    brain, belongs = with_lesion(read_brain(source), lesion)
    stack = thick_slices(brain)
    pixels = np.round(stack.values * SCALE).astype(np.uint16)
    # White matter a little below white, ventricles a little above black.
    brightest = float(np.percentile(pixels[pixels > 0], 99))
    folder = out / "study"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.dcm"):
        old.unlink()
    for k, picture in enumerate(pixels):
        ds = slice_header(stack, k)
        ds.WindowCenter, ds.WindowWidth = round(0.58 * brightest), round(0.95 * brightest)
        put_pixels(ds, np.ascontiguousarray(picture))
        ds.save_as(folder / f"{k + 1:03d}.dcm", enforce_file_format=True)
    middle = brain.geometry.to_mm(np.argwhere(belongs)).mean(axis=0)
    told = {
        "schema": "medview.demo-lesion/1",
        "synthetic": True,
        **asdict(lesion),
        "centre_of_mass_lps": [round(float(mm), 1) for mm in middle],
        "volume_ml": round(float(belongs.sum()) * brain.geometry.voxel_ml, 2),
        "words": "Contrast and halo are added, in units of the brain's 2nd to 98th percentile.",
    }
    (out / "lesion.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
