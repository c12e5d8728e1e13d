"""Real files: every series in its place and with its values, as other readers see them.

The files lie beside the repository; without them these tests are skipped.
"""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from functools import cache
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK
from dicom_files import catalogue, codes
from services.stubs import seconds

from medview.domain.errors import MedviewError
from medview.domain.progress import Silent
from medview.domain.study import Series
from medview.domain.volume import Volume
from medview.io import readers

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "dicom"
pytestmark = [
    pytest.mark.skipif(not SHARED.is_dir(), reason="the shared DICOM files are not there"),
    pytest.mark.filterwarnings("ignore"),  # the other readers warn about odd files
]


@cache
def rows() -> list[dict[str, str]]:
    manifest = SHARED / "manifest.csv"
    if not manifest.is_file():
        return []
    with manifest.open(newline="") as file:
        return list(csv.DictReader(file))


def folders(top: str) -> list[str]:
    return sorted({"/".join(r["path"].split("/")[:2]) for r in rows() if r["path"].startswith(top)})


def load(series: Series, time: int = 0) -> Volume:
    return readers.load(Silent(), series, time)


# ------------------------------------------------------------------ what is in each series

# folder: size, times and warnings of its only stack
KNOWN: dict[str, tuple[tuple[int, int, int], int, list[str]]] = {
    "compressed_j2k_4": ((256, 256, 4), 1, []),
    "compressed_jpeg_4": ((256, 256, 4), 1, []),
    "compressed_jpegls_4": ((256, 256, 4), 1, []),
    "ct_2slice_with_rtstruct": ((512, 512, 2), 1, []),
    "ct_derived_from_nifti_30": ((122, 101, 30), 1, []),
    "mr_adc_b500_20": ((256, 256, 20), 1, []),
    "mr_brain_mistagged_as_ct_17": ((88, 128, 17), 1, ["MODALITY_DOUBTFUL"]),
    "mr_ge_anatomical_4": ((256, 256, 4), 1, []),
    "mr_ge_dti_16_noext": ((64, 64, 4), 4, []),
    "mr_ge_fse_pd_20": ((256, 256, 20), 1, []),
    "mr_hitachi_4_implicit": ((64, 64, 4), 1, []),
    "mr_hyperfine": ((112, 138, 8), 1, []),
    "mr_non_isotropic_4": ((64, 28, 4), 1, []),
    "mr_philips_dti_12": ((384, 384, 3), 4, []),
    "mr_philips_enhanced_anat": ((256, 256, 8), 1, []),
    "mr_philips_fmri_8": ((80, 80, 2), 4, []),
    "mr_siemens_anatomical_4": ((256, 256, 4), 1, []),
    "mr_siemens_mosaic_fmri_2": ((80, 80, 50), 2, []),
    "mr_siemens_multiframe": ((256, 256, 8), 1, []),
    "mr_siemens_trio_mprage_176": ((256, 256, 176), 1, []),
    "mr_tcia_512_3": ((512, 512, 3), 1, []),
    "rgb_4": ((52, 77, 4), 1, []),
}
SEVERAL = ("ct_3slice_with_liver_seg", "seg_23x38x3")


@pytest.mark.parametrize("name", KNOWN)
def test_each_series_is_one_stack_of_the_known_size(name):
    (series,) = catalogue(SHARED / "series" / name).all_series()
    assert (series.size, series.times, codes(series)) == KNOWN[name]


def test_every_series_of_the_manifest_is_looked_at():
    names = {folder.split("/")[1] for folder in folders("series/")}
    assert names == {*KNOWN, *SEVERAL}


# ------------------------------------------------------- voxels as another reader sees them


def some_voxels(volume: Volume) -> list[tuple[int, int, int]]:
    """Five voxels spread over the grid, all inside by some pixels."""
    k, j, i = volume.geometry.shape
    spots = ((0.0, 0.3, 0.6), (0.25, 0.7, 0.2), (0.5, 0.5, 0.5), (0.75, 0.2, 0.8), (1.0, 0.6, 0.4))
    return [(round(a * (k - 1)), round(b * (j - 1)), round(c * (i - 1))) for a, b, c in spots]


def itk_planes(folder: Path) -> list[tuple[Path, SimpleITK.Image]]:
    """Each file read by itself, so that nothing is averaged over the series."""
    planes = []
    for path in sorted(folder.iterdir()):
        modality = pydicom.dcmread(path, stop_before_pixels=True, force=True).get("Modality", "")
        if modality in ("CT", "MR"):
            planes.append((path, SimpleITK.ReadImage(str(path))))
    return planes


def distance(plane: SimpleITK.Image, point: np.ndarray) -> float:
    index = plane.TransformPhysicalPointToContinuousIndex(point.tolist())
    return abs(index[2]) * plane.GetSpacing()[2]


CLASSIC = [
    n for n in KNOWN if not any(w in n for w in ("enhanced", "mosaic", "multiframe", "hyper"))
]


@pytest.mark.parametrize("name", CLASSIC)
def test_five_points_have_the_values_that_single_files_have_there(name):
    folder = SHARED / "series" / name
    (series,) = catalogue(folder).all_series()
    planes = itk_planes(folder)
    for t in range(series.times):
        volume = load(series, t)
        for voxel in some_voxels(volume):
            point = volume.geometry.to_mm(voxel)
            nearest = min(distance(plane, point) for _, plane in planes)
            assert nearest < 0.1
            here = [plane for _, plane in planes if distance(plane, point) < nearest + 0.01]
            assert len(here) == series.times
            values = [plane[plane.TransformPhysicalPointToIndex(point.tolist())] for plane in here]
            mine = volume.array[voxel].tolist()
            near = [np.allclose(mine, value, rtol=1e-5, atol=1e-4) for value in values]
            assert any(near), f"{mine} at {point}, others have {values}"


ENHANCED = (
    "series/mr_philips_enhanced_anat/IM-0001-0170-0001.dcm",
    "series/mr_siemens_multiframe/IM-0001-0001-0001.dcm",
    "series/seg_23x38x3/mf.dcm",
    "enhanced/dcm_qa_enh/6_1.dcm",
)


@pytest.mark.parametrize("path", ENHANCED)
def test_five_points_of_an_enhanced_image_have_the_values_of_another_reader(path):
    (series,) = catalogue(SHARED / path).all_series()
    volume = load(series)
    ds = pydicom.dcmread(SHARED / path)
    ds.FrameOfReferenceUID = ds.get("FrameOfReferenceUID") or "1.2.3"  # it insists on one
    theirs = highdicom.Image.from_dataset(ds).get_volume(apply_real_world_transform=False)
    for voxel in some_voxels(volume):
        index = theirs.map_reference_to_indices(volume.geometry.to_mm(voxel)[None])[0]
        assert np.abs(index - np.rint(index)).max() < 0.02
        value = theirs.array[tuple(np.rint(index).astype(int))]
        assert volume.array[voxel] == pytest.approx(value, rel=1e-5, abs=1e-4)


def test_masks_lie_where_another_reader_puts_them():
    for path in (
        "series/seg_23x38x3/label.seg",
        "series/ct_3slice_with_liver_seg/liver.dcm",
        "derived_objects/dcmqi/seg.dcm",
    ):
        (series,) = catalogue(SHARED / path).all_series()
        volume = load(series)
        theirs = highdicom.seg.segread(SHARED / path).get_volume(combine_segments=True)
        assert int((volume.array > 0).sum()) == int((theirs.array > 0).sum())
        inside = np.argwhere(volume.array > 0)
        for voxel in inside[:: max(1, len(inside) // 50)]:
            place = volume.geometry.to_mm(voxel)[None]
            index = np.rint(theirs.map_reference_to_indices(place)[0]).astype(int)
            assert theirs.array[tuple(index)] > 0


def test_tiles_of_a_mosaic_lie_where_the_protocol_says():
    folder = SHARED / "series" / "mr_siemens_mosaic_fmri_2"
    (series,) = catalogue(folder).all_series()
    picture = pydicom.dcmread(sorted(folder.iterdir())[0])
    volume = load(series)
    text = picture[0x0029, 0x1020].value.decode("latin-1")
    # The protocol numbers images from head to feet, against its own list of positions.
    assert "sSliceArray.ucImageNumbTra" in text
    for k in (0, 11, 25, 49):
        down, right = divmod(49 - k, 8)
        tile = picture.pixel_array[80 * down :, 80 * right :][:80, :80]
        np.testing.assert_array_equal(volume.array[k], tile)
        start = f"sSliceArray.asSlice[{k}].sPosition.d"
        centre = [
            float(text.split(f"{start}{axis}")[1].split()[1]) for axis in ("Sag", "Cor", "Tra")
        ]
        # The protocol counts from the corner of the voxel behind the middle.
        np.testing.assert_allclose(volume.geometry.to_mm((k, 40, 40)), centre, atol=0.01)


def test_a_series_made_from_a_nifti_equals_that_nifti():
    source = SHARED.parent / "ct3d" / "nnunet_example_ct_sm.nii.gz"
    (a,) = catalogue(SHARED / "series" / "ct_derived_from_nifti_30").all_series()
    (b,) = catalogue(source).all_series()
    one, other = load(a), load(b)
    for voxel in some_voxels(one):
        index = other.geometry.to_index(one.geometry.to_mm(voxel))
        assert np.abs(index - np.rint(index)).max() < 0.01
        value = other.array[tuple(np.rint(index).astype(int))]
        assert one.array[voxel] == max(value, -1024)


# ------------------------------------------------------------------------- bad geometry


def test_a_tilted_gantry_is_kept_and_said():
    (series,) = catalogue(SHARED / "series_bad_geometry" / "gantry_tilting").all_series()
    assert codes(series) == ["TILTED"]
    assert series.geometry.shear_degrees == pytest.approx(14, abs=0.1)


def test_a_missing_slice_is_a_gap():
    (series,) = catalogue(SHARED / "series_bad_geometry" / "slice_increment").all_series()
    assert (codes(series), series.missing_slices) == (["INCOMPLETE"], (3,))
    assert series.geometry.spacing_mm[0] == pytest.approx(5)


def test_two_orientations_are_two_stacks():
    found = catalogue(SHARED / "series_bad_geometry" / "slice_orientation").all_series()
    assert sorted(s.geometry.orientation_code for s in found) == ["LPS", "PIR"]


def test_two_slices_are_a_stack():
    (series,) = catalogue(SHARED / "series_bad_geometry" / "slice_count").all_series()
    assert series.size == (256, 256, 2)


# ---------------------------------------------------------------------- transfer syntaxes


def values_of(path: Path) -> np.ndarray:
    (series,) = catalogue(path).all_series()
    return load(series).array


def test_one_slice_in_nine_encodings_has_the_same_values():
    folder = SHARED / "transfer_syntax" / "dcm_qa_ts"
    first, *others = [values_of(path) for path in sorted(folder.glob("*.dcm"))]
    assert len(others) >= 7
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_lossless_encodings_of_a_picture_agree_and_lossy_ones_come_close():
    groups: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
    for path in sorted((SHARED / "transfer_syntax" / "nema_wg04").glob("*/*")):
        groups[path.name.split("_")[0]][path.parent.name] = values_of(path)
    compared = 0
    for pictures in groups.values():
        exact = [pictures[n] for n in ("REF", "J2KR", "JLSL", "JPLL", "RLE") if n in pictures]
        for other in exact[1:]:
            np.testing.assert_array_equal(exact[0], other)
            compared += 1
        for name in ("J2KI", "JLSN", "JPLY"):
            if exact and name in pictures:
                span = float(np.ptp(exact[0].astype(float)))
                error = np.abs(exact[0].astype(float) - pictures[name]).mean()
                assert error < 0.02 * span, name
                compared += 1
    assert compared >= 20


VALID = [
    r["path"] for r in rows() if r["category"] in ("valid", "same_pixels") and r["pixel_shape"]
]


@pytest.mark.parametrize("top", sorted({p.split("/")[0] for p in VALID}))
def test_every_valid_image_is_found(top):
    missing = []
    for path in (p for p in VALID if p.split("/")[0] == top):
        try:
            found = catalogue(SHARED / path).all_series()
            load(found[0])
        except MedviewError as error:
            missing.append((path, error.code))
    # Whole slides and mosaics without their private header are refused by name.
    assert {code for _, code in missing} <= {"MV-IO-021", "MV-IO-109", "MV-IO-020"}, missing


# --------------------------------------------------------------------------- hostile files


def refusal(path: Path) -> MedviewError | None:
    """Why a file does not load; anything else than a refusal is an error of the test."""
    try:
        for series in catalogue(path).all_series():
            for t in range(min(series.times, 3)):
                load(series, t)
    except MedviewError as error:
        return error
    return None


@pytest.mark.parametrize(
    "path",
    [r["path"] for r in rows() if r["category"] in ("odd_or_malformed", "generated_malformed")],
)
def test_a_malformed_file_loads_or_is_refused_in_plain_words(path):
    started = time.monotonic()
    error = refusal(SHARED / path)
    if error is not None:
        assert error.code.startswith("MV-IO-")
        assert error.file == Path(path).name
        assert error.what
        assert error.do
    assert time.monotonic() - started < seconds(30)


def test_every_file_of_the_malformed_folder_leaves_the_others_readable():
    found = catalogue(SHARED / "malformed")
    assert found.files == found.read + len(found.skipped)
    assert found.read >= 20


def test_a_medium_opens_by_its_index_and_by_its_damaged_ones():
    for name in ("DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-nooffset", "DICOMDIR-reordered"):
        found = catalogue(SHARED / "dicomdir" / name)
        assert sum(len(series.files) for series in found.all_series()) == 31, name
        assert len(found.patients) == 2, name
