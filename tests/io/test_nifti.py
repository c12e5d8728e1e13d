"""NIfTI in and out: the same place and values, and headers that claim the impossible."""

from __future__ import annotations

import gzip
import math

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from dicom_files import catalogue, codes, only, save, stack
from nifti_files import OBLIQUE, VALUES, patched, written
from phantoms import ORIENTATIONS, geometry_of

from medview.domain.errors import ReadError, WriteError
from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.progress import Silent
from medview.domain.volume import Volume
from medview.io import nifti

# ----------------------------------------------------------------------------- orientation


@pytest.mark.parametrize("code", ORIENTATIONS)
def test_all_orientations_come_back_in_the_same_place(code, tmp_path):
    geometry = geometry_of(code, shape=(4, 5, 6))
    values = np.zeros(geometry.shape, np.int16)
    values[3, 2, 1] = 77
    path = tmp_path / "v.nii"
    nifti.write(Volume(values, geometry), path)
    series, volume = only(path)
    assert codes(series) == []
    assert volume.geometry.orientation_code == code
    assert volume.array[3, 2, 1] == 77
    np.testing.assert_allclose(
        volume.geometry.to_mm((3, 2, 1)), geometry.to_mm((3, 2, 1)), atol=1e-4
    )
    # Two other readers find it there, too; nibabel in RAS, SimpleITK in LPS.
    theirs = nib.load(path)
    ras = theirs.affine @ (1, 2, 3, 1)
    np.testing.assert_allclose(ras[:3] * (-1, -1, 1), geometry.to_mm((3, 2, 1)), atol=1e-4)
    itk = SimpleITK.ReadImage(str(path))
    assert itk[itk.TransformPhysicalPointToIndex(geometry.to_mm((3, 2, 1)).tolist())] == 77


def test_the_known_affine_of_an_axial_stack(tmp_path):
    _, volume = only(save(stack(), tmp_path / "dicom"))
    nifti.write(volume, tmp_path / "v.nii.gz")
    expected = [[-0.5, 0, 0, 100], [0, -0.7, 0, 80], [0, 0, 2.5, 40], [0, 0, 0, 1]]
    image = nib.load(tmp_path / "v.nii.gz")
    np.testing.assert_allclose(image.affine, expected, atol=1e-5)
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (1, 1)
    np.testing.assert_allclose(image.header.get_qform(), expected, atol=1e-5)
    assert image.get_data_dtype() == np.int16
    np.testing.assert_array_equal(np.asarray(image.dataobj).T, volume.array)


def test_data_keep_their_order_on_disk(tmp_path):
    _, volume = only(written(tmp_path / "v.nii"))
    np.testing.assert_array_equal(volume.array, VALUES)


# ----------------------------------------------------------------------- two forms, or none


def test_a_sheared_grid_is_kept_and_said_and_written_into_the_sform_only(tmp_path):
    sheared = np.array([[2.0, 0, 0, 0], [0, 2, 0.7, 0], [0, 0, 2.5, 0], [0, 0, 0, 1]])
    series, volume = only(written(tmp_path / "v.nii", affine=sheared))
    assert codes(series) == ["TILTED"]
    nifti.write(volume, tmp_path / "again.nii")
    header = nib.load(tmp_path / "again.nii").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 0)
    np.testing.assert_allclose(header.get_sform(), sheared, atol=1e-5)


# ---------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (VALUES, np.int16),
        (VALUES.astype(np.uint8), np.int16),
        (VALUES.astype(np.uint16), np.int16),
        (VALUES.astype(np.int32), np.int16),
        (VALUES.astype(np.uint16) + 60000, np.float32),
        (VALUES.astype(np.float32) / 3, np.float32),
        (VALUES.astype(np.float64) / 3, np.float32),
    ],
)
def test_whole_numbers_stay_whole_while_they_fit(values, kept, tmp_path):
    _, volume = only(written(tmp_path / "v.nii.gz", values))
    assert volume.array.dtype == kept
    np.testing.assert_allclose(volume.array, values, rtol=1e-6)


@pytest.mark.parametrize(
    ("slope", "intercept", "expected"),
    [
        (2.5, 10, VALUES * 2.5 + 10),
        (2, -1000, VALUES * 2 - 1000),
        (0, 10, VALUES),
        (math.nan, 10, VALUES),
        (math.inf, 10, VALUES),
        (2, math.nan, VALUES * 2),
    ],
)
def test_scaling_follows_the_rules(slope, intercept, expected, tmp_path):
    path = patched(written(tmp_path / "v.nii"), scl_slope=slope, scl_inter=intercept)
    _, volume = only(path)
    np.testing.assert_allclose(volume.array, expected)


def test_big_endian_files_are_read(tmp_path):
    header = nib.Nifti1Header(endianness=">")
    header.set_data_shape((4, 3, 2))
    image = nib.Nifti1Image(VALUES.T, OBLIQUE, header)
    nib.save(image, tmp_path / "v.nii")
    _, volume = only(tmp_path / "v.nii")
    np.testing.assert_array_equal(volume.array, VALUES)


def test_nifti_2_is_read(tmp_path):
    nib.save(nib.Nifti2Image(VALUES.T, OBLIQUE), tmp_path / "v.nii.gz")
    _, volume = only(tmp_path / "v.nii.gz")
    np.testing.assert_array_equal(volume.array, VALUES)


def test_colours_are_read_and_written(tmp_path):
    colours = np.random.default_rng(3).integers(0, 256, (2, 3, 4, 3), np.uint8)
    nifti.write(Volume(colours, Geometry((2, 3, 4), np.eye(4))), tmp_path / "v.nii")
    _, volume = only(tmp_path / "v.nii")
    np.testing.assert_array_equal(volume.array, colours)


@pytest.mark.parametrize("names", ["RGB", "RGBA"])
def test_colours_of_another_writer_are_read_without_what_is_seen_through(names, tmp_path):
    colours = np.random.default_rng(3).integers(0, 256, (2, 3, 4, len(names)), np.uint8)
    voxels = colours.view(np.dtype([(name, "u1") for name in names]))[..., 0]
    _, volume = only(written(tmp_path / "v.nii.gz", voxels))
    np.testing.assert_array_equal(volume.array, colours[..., :3])


def test_a_picture_of_two_dimensions_is_one_slice(tmp_path):
    series, volume = only(written(tmp_path / "v.nii", VALUES[0]))
    assert (series.size, series.times) == ((4, 3, 1), 1)
    np.testing.assert_array_equal(volume.array, VALUES[:1])


def test_each_time_of_four_dimensions_is_read_by_itself(tmp_path):
    values = np.arange(5 * 24, dtype=np.int16).reshape(5, 2, 3, 4)
    series, _ = only(written(tmp_path / "v.nii.gz", values))
    assert (series.times, series.split_by, series.size) == (5, "time", (4, 3, 2))
    np.testing.assert_array_equal(nifti.load(Silent(), series, 3).array, values[3])


@pytest.mark.parametrize(
    ("shape", "intent", "split_by"),
    [
        ((3, 1), 1007, "component"),
        ((3, 1), 0, "component"),
        ((3,), 1007, "component"),
        ((6, 1), 1005, "component"),
        ((3, 2), 0, "component"),
        ((3,), 0, "time"),
        ((1, 3), 0, "time"),
        ((1, 1), 1007, None),
    ],
)
def test_values_that_each_voxel_has_several_of_are_no_times(shape, intent, split_by, tmp_path):
    values = np.arange(math.prod(shape) * 24, dtype=np.int16).reshape(*shape, 2, 3, 4)
    path = written(tmp_path / "v.nii", values, intent_code=intent, xyzt_units=10)
    patched(path, pixdim=[1, 2, 2, 2, 2.5, 1, 1, 1])
    series, _ = only(path)
    assert (series.times, series.split_by) == (math.prod(shape), split_by)
    assert series.time_step_s == (2.5 if split_by == "time" else None)
    last = nifti.load(Silent(), series, series.times - 1).array
    np.testing.assert_array_equal(last, values.reshape(-1, 2, 3, 4)[-1])


def test_components_stay_components_when_they_are_written(tmp_path):
    volumes = [Volume(VALUES + n, Geometry((2, 3, 4), np.eye(4))) for n in range(3)]
    nifti.write_times(volumes, tmp_path / "v.nii.gz", split_by="component")
    header = nib.load(tmp_path / "v.nii.gz").header
    assert header.get_data_shape() == (4, 3, 2, 1, 3)
    assert header.get_intent()[0] == "vector"
    series, _ = only(tmp_path / "v.nii.gz")
    assert (series.times, series.split_by) == (3, "component")
    np.testing.assert_array_equal(nifti.load(Silent(), series, 2).array, VALUES + 2)


def test_a_header_with_its_pixels_in_a_second_file_is_one_image(tmp_path):
    nib.save(nib.Nifti1Pair(VALUES.T, OBLIQUE), tmp_path / "v.img")
    series, volume = only(tmp_path)
    assert [path.name for path in series.files] == ["v.hdr", "v.img"]
    np.testing.assert_array_equal(volume.array, VALUES)
    (tmp_path / "v.img").unlink()
    with pytest.raises(ReadError, match="are not there"):
        only(tmp_path / "v.hdr")


def test_the_window_of_the_file_is_proposed(tmp_path):
    _, volume = only(written(tmp_path / "v.nii", cal_min=-100, cal_max=300))
    assert (volume.windows[0].width, volume.windows[0].level) == (400, 100)


@pytest.mark.parametrize(
    ("low", "high"), [(5, 5), (300, -100), (math.nan, 300), (-100, math.nan), (-math.inf, 300)]
)
def test_a_window_that_cannot_be_is_not_proposed(low, high, tmp_path):
    path = patched(written(tmp_path / "v.nii"), cal_min=low, cal_max=high)
    assert only(path)[1].windows == ()


def test_of_complex_values_the_magnitude_is_shown_and_said(tmp_path):
    values = np.full((2, 3, 4), 3 - 4j, np.complex64)
    series, volume = only(written(tmp_path / "v.nii", values))
    np.testing.assert_allclose(volume.array, 5.0)
    assert "MAGNITUDE" in codes(series)
    assert [note.code for note in volume.warnings] == codes(series)


@pytest.mark.parametrize("name", ["head.nii", "head.nii.gz"])
def test_an_image_is_called_as_its_file(name, tmp_path):
    assert only(written(tmp_path / name))[0].description == "head"


@pytest.mark.parametrize("name", ["HEAD.NII", "HEAD.NII.GZ", "head.nii.gz"])
def test_what_is_called_packed_is_packed_whatever_its_letters(name, tmp_path):
    volume = Volume(VALUES, Geometry.from_ijk_affine((2, 3, 4), OBLIQUE))
    nifti.write(volume, tmp_path / name)
    packed = (tmp_path / name).read_bytes().startswith(b"\x1f\x8b")
    assert packed is name.lower().endswith(".gz")
    series, again = only(tmp_path / name)
    np.testing.assert_array_equal(again.array, VALUES)
    assert series.description.lower() == "head"


@pytest.mark.parametrize(("step_s", "found"), [(2.5, 2.5), (None, None)])
def test_times_are_written_with_the_step_between_them(step_s, found, tmp_path):
    grid = Geometry.from_ijk_affine((2, 3, 4), OBLIQUE)
    volumes = [Volume(VALUES + 100 * n, grid) for n in range(3)]
    nifti.write_times(volumes, tmp_path / "v.nii", step_s=step_s)
    assert nib.load(tmp_path / "v.nii").shape == (4, 3, 2, 3)
    series, _ = only(tmp_path / "v.nii")
    assert (series.times, series.time_step_s) == (3, found)
    for n in range(3):
        np.testing.assert_array_equal(nifti.load(Silent(), series, n).array, VALUES + 100 * n)


# ------------------------------------------------------------------------------- lies (A16)


def test_a_packed_file_that_is_cut_short_says_how_much_is_there(tmp_path):
    noise = np.random.default_rng(5).integers(0, 30000, (20, 30, 40), np.int16)
    path = written(tmp_path / "v.nii.gz", noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ReadError, match=r"ends early: [1-5]\d %"):
        only(path)


def test_a_packed_file_that_is_damaged_within_is_refused(tmp_path):
    path = written(
        tmp_path / "v.nii.gz", np.random.default_rng(5).integers(0, 99, (9, 9, 99), "i2")
    )
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 :] = b"\xaa" * (len(raw) - len(raw) // 2)
    path.write_bytes(bytes(raw))
    with pytest.raises(ReadError):
        only(path)


def test_what_follows_the_pixels_of_a_packed_file_is_not_unpacked(tmp_path):
    path = written(tmp_path / "v.nii")
    swollen = tmp_path / "b.nii.gz"
    swollen.write_bytes(gzip.compress(path.read_bytes() + b"\0" * 2**24))
    _, volume = only(swollen)
    np.testing.assert_array_equal(volume.array, VALUES)


# ---------------------------------------------------------------------------------- writing


def test_equal_images_make_equal_files(tmp_path):
    volume = Volume(VALUES.copy(), Geometry.from_ijk_affine((2, 3, 4), OBLIQUE))
    one, other = tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"
    nifti.write(volume, one)
    nifti.write(volume, other)
    assert one.read_bytes() == other.read_bytes()


def test_a_map_is_written_in_its_own_type_with_its_gaps(tmp_path):
    geometry = Geometry.from_ijk_affine((2, 3, 4), OBLIQUE)
    values = np.full((2, 3, 4), np.nan, np.float32)
    values[1, 2, 3] = 1.5
    nifti.write(ScalarMap("score", values, geometry), tmp_path / "score.nii.gz")
    image = nib.load(tmp_path / "score.nii.gz")
    assert image.get_data_dtype() == np.float32
    np.testing.assert_array_equal(np.asarray(image.dataobj).T, values)
    mask = ScalarMap("brain", np.ones((2, 3, 4), np.uint8), geometry, kind="mask")
    nifti.write(mask, tmp_path / "brain.nii.gz")
    assert nib.load(tmp_path / "brain.nii.gz").get_data_dtype() == np.uint8


def test_an_unknown_orientation_stays_unknown(tmp_path):
    geometry = Geometry((2, 3, 4), np.eye(4), orientation_known=False, spacing_kind=None)
    nifti.write(Volume(VALUES.copy(), geometry), tmp_path / "v.nii")
    header = nib.load(tmp_path / "v.nii").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (0, 0)


def test_nothing_is_left_where_nothing_can_be_written(tmp_path):
    volume = Volume(VALUES.copy(), Geometry((2, 3, 4), np.eye(4)))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WriteError):
        nifti.write(volume, tmp_path / "file" / "v.nii.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


class Rooms(Silent):
    """A job whose arrays lie in memory that the other side sees."""

    def __init__(self):
        self.made = []

    def room(self, size):
        self.made.append(np.zeros(size, np.uint8))
        return memoryview(self.made[-1])


@pytest.mark.parametrize(("kind", "is_copied"), [("<i2", False), ("<f4", False), ("<u1", True)])
def test_values_that_mean_what_is_stored_are_not_copied(kind, is_copied, tmp_path):
    values = np.arange(24).reshape(4, 3, 2).astype(kind)
    path = written(tmp_path / "x.nii", values, np.eye(4))
    (series,) = catalogue(path).all_series()
    job = Rooms()
    volume = nifti.load(job, series)
    np.testing.assert_array_equal(volume.array, values)
    assert np.shares_memory(volume.array, job.made[0]) != is_copied


def test_a_checksum_that_does_not_fit_is_said(tmp_path):
    path = written(tmp_path / "x.nii.gz", VALUES, np.eye(4))
    whole = bytearray(path.read_bytes())
    assert codes(only(path)[1]) == []
    whole[-6] ^= 255
    path.write_bytes(whole)
    _, volume = only(path)
    assert codes(volume) == ["DAMAGED"]
    np.testing.assert_array_equal(volume.array, VALUES)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0, np.nan, np.inf, 4], ["2 of 4 values are not numbers or infinite"]),
        ([0, 1e300, 2, 3], ["1 of 4 values are not numbers or infinite"]),
        ([0, 1, 2, 3], []),
    ],
)
def test_values_that_are_no_numbers_are_counted(values, said, tmp_path):
    path = written(tmp_path / "x.nii", np.array(values, "<f8").reshape(2, 2, 1), np.eye(4))
    _, volume = only(path)
    assert [note.text for note in volume.warnings] == said
    assert {note.code for note in volume.warnings} <= {"NOT_FINITE"}
