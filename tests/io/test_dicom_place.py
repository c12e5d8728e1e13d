"""Eleven stacks in known orientations: every one of their marked voxels at its known place.

The table is worked out by hand from P = IPP + r * PS[1] * i + c * PS[0] * j; SimpleITK and
highdicom must say the same.
"""

from __future__ import annotations

import random

import highdicom
import numpy as np
import pytest
import SimpleITK
from dicom_files import as_written, catalogue, codes, image, marked_slice, only, save, stack, write
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset

from medview.domain.geometry import Geometry
from medview.io.dicom_classes import RT_DOSE
from medview.io.dicom_frames import Frames
from medview.io.dicom_outline import read_outline
from medview.io.dicom_place import aspect_of, place_of, spacing_of
from medview.io.dicom_values import Header

# case: orientation, index axes (column, row, slice), place of voxel (1, 2) on slice 3.
CASES = {
    "G1 axial": ((1, 0, 0, 0, 1, 0), "LPS", (-99.0, -79.3, 47.5)),
    "G2 axial, rotated 180": ((-1, 0, 0, 0, -1, 0), "RAS", (-101.0, -80.7, 47.5)),
    "G3 axial, mirrored L-R": ((-1, 0, 0, 0, 1, 0), "RPI", (-101.0, -79.3, 32.5)),
    "G4 axial, mirrored A-P": ((1, 0, 0, 0, -1, 0), "LAI", (-99.0, -80.7, 32.5)),
    "G5 axial, rotated 90": ((0, 1, 0, -1, 0, 0), "PRS", (-100.7, -79.0, 47.5)),
    "G6 coronal": ((1, 0, 0, 0, 0, -1), "LIP", (-99.0, -72.5, 39.3)),
    "G7 coronal, mirrored": ((-1, 0, 0, 0, 0, -1), "RIA", (-101.0, -87.5, 39.3)),
    "G8 sagittal": ((0, 1, 0, 0, 0, -1), "PIR", (-107.5, -79.0, 39.3)),
    "G9 sagittal, nose right": ((0, -1, 0, 0, 0, -1), "AIL", (-92.5, -81.0, 39.3)),
    "G10 oblique about y": (
        (0.9396926, 0, -0.3420201, 0, 1, 0),
        "LPS",
        (-96.4952, -79.3, 46.7057),
    ),
    "G11 oblique about two axes": (
        (0.9396926, 0.0593912, -0.3368241, 0, 0.9848078, 0.1736482),
        "LPS",
        (-96.4952, -80.4751, 46.7254),
    ),
}


def shuffled(datasets: list) -> list:
    mixed = list(datasets)
    random.Random(3).shuffle(mixed)
    return mixed


@pytest.mark.parametrize("case", CASES)
def test_the_marked_voxel_lies_where_the_table_says(case, tmp_path):
    orientation, letters, place = CASES[case]
    series, volume = only(save(shuffled(stack(orientation)), tmp_path))
    assert codes(series) == []
    assert series.size == (9, 6, 8)
    assert volume.geometry.orientation_code == letters
    assert volume.array[3, 1, 2] == 1003
    np.testing.assert_allclose(volume.geometry.to_mm((3, 1, 2)), place, atol=1e-4)
    np.testing.assert_allclose(volume.geometry.spacing_mm, (2.5, 0.7, 0.5), atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_two_other_programs_put_every_voxel_in_the_same_place(case, tmp_path):
    save(shuffled(stack(CASES[case][0])), tmp_path)
    _, volume = only(tmp_path)
    files = sorted(str(path) for path in tmp_path.iterdir())
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path)))
    itk = reader.Execute()
    theirs = highdicom.get_volume_from_series([dcmread(file) for file in files])
    for k, j, i in ((0, 0, 0), (3, 1, 2), (7, 5, 8), (2, 5, 0), (6, 0, 8)):
        place = volume.geometry.to_mm((k, j, i))
        index = itk.TransformPhysicalPointToIndex(place.tolist())
        assert itk[index] == volume.array[k, j, i]
        other = np.rint(theirs.map_reference_to_indices(place[None])[0]).astype(int)
        assert theirs.array[tuple(other)] == volume.array[k, j, i]


@pytest.mark.parametrize(
    "numbers",
    [list(range(8, 0, -1)), [5, 1, 8, 2, 7, 3, 6, 4], [1] * 8, [None] * 8],
    ids=["reversed", "shuffled", "all alike", "absent"],
)
def test_instance_numbers_do_not_matter(numbers, tmp_path):
    datasets = stack()
    for ds, number in zip(datasets, numbers, strict=True):
        ds.InstanceNumber = number
    series, volume = only(save(datasets, tmp_path))
    assert codes(series) == []
    assert [int(value) for value in volume.array[:, 1, 2]] == list(range(1000, 1008))


def test_slice_location_thickness_and_patient_position_move_nothing(tmp_path):
    plain = stack()
    told = stack(SliceThickness=9, SpacingBetweenSlices=1, PatientPosition="FFP")
    for n, ds in enumerate(told):
        ds.SliceLocation = -7 * n
    _, one = only(save(plain, tmp_path / "a"))
    _, other = only(save(told, tmp_path / "b"))
    assert one.geometry.same_grid(other.geometry)


def test_a_comma_for_a_point_and_a_signed_zero_are_understood(tmp_path):
    datasets = stack((1, -0.0, 0, 0, 1, -0.0))
    path = save(datasets, tmp_path)
    for file in path.iterdir():
        raw = file.read_bytes()
        file.write_bytes(raw.replace(b"-100.0\\-80.0\\", b"-100,0\\-80,0\\"))
    _, volume = only(path)
    np.testing.assert_allclose(volume.geometry.to_mm((0, 0, 0)), (-100, -80, 40))


@pytest.mark.parametrize("scale", [1.0005, 1.01, 1.1])
def test_directions_that_are_not_unit_are_made_so(scale, tmp_path):
    _, volume = only(save(stack((scale, 0, 0, 0, scale, 0)), tmp_path))
    np.testing.assert_allclose(volume.geometry.spacing_mm, (2.5, 0.7, 0.5), atol=1e-4)


@pytest.mark.parametrize(("skew", "said"), [(5e-4, False), (0.01, True), (0.1, True)])
def test_rows_and_columns_not_at_right_angles_are_kept_and_said(skew, said, tmp_path):
    datasets = stack()
    for ds in datasets:
        ds.ImageOrientationPatient = [1, 0, 0, skew, (1 - skew**2) ** 0.5, 0]
    series, volume = only(save(datasets, tmp_path))
    assert ("NOT_ORTHOGONAL" in codes(series)) is said
    column = volume.geometry.affine[:3, 1] / 0.7
    np.testing.assert_allclose(column, (skew, (1 - skew**2) ** 0.5, 0), atol=1e-9)


def test_an_orientation_of_zeros_is_none(tmp_path):
    zeros = image(marked_slice(0), ImageOrientationPatient=[0, 0, 0, 0, 0, 0])
    series, _ = only(save([zeros], tmp_path))
    assert codes(series) == ["UNKNOWN_ORIENTATION"]


finite = st.floats(-200, 200)
angles = st.floats(-3.2, 3.2)


@given(
    st.tuples(finite, finite, finite),
    st.tuples(angles, angles, angles),
    st.tuples(*[st.floats(0.05, 20)] * 3),
    st.floats(-0.6, 0.6),
    st.tuples(*[st.floats(-50, 500)] * 3),
)
def test_index_to_mm_to_index_is_the_same_index(origin, turns, steps, shear, index):
    a, b, c = turns
    turn = np.eye(3)
    for angle, (p, q) in ((a, (0, 1)), (b, (0, 2)), (c, (1, 2))):
        step = np.eye(3)
        step[p, p] = step[q, q] = np.cos(angle)
        step[p, q], step[q, p] = -np.sin(angle), np.sin(angle)
        turn = turn @ step
    affine = np.eye(4)
    affine[:3, :3] = turn * np.array(steps)
    affine[:3, 0] += shear * affine[:3, 1]
    affine[:3, 3] = origin
    grid = Geometry((10, 10, 10), affine)
    np.testing.assert_allclose(grid.to_index(grid.to_mm(index)), index, atol=1e-6)
    # And the order of JSON and NIfTI says the same.
    again = Geometry.from_ijk_affine(grid.shape, grid.affine_ijk)
    np.testing.assert_allclose(again.to_mm(index), grid.to_mm(index), atol=1e-9)


def test_a_catalogue_does_not_depend_on_names_or_order_of_files(tmp_path):
    datasets = stack()
    one = catalogue(save(datasets, tmp_path / "a")).all_series()[0]
    other = catalogue(save(datasets[::-1], tmp_path / "b")).all_series()[0]
    assert one.geometry.same_grid(other.geometry)
    uids = [[dcmread(p).SOPInstanceUID for p in s.files] for s in (one, other)]
    assert uids[0] == uids[1] == [ds.SOPInstanceUID for ds in datasets]


@pytest.mark.parametrize(
    ("letters", "code"), [(["L", "F"], "LI"), (["A", "F"], "AI"), (["PR", "FR"], "PI")]
)
def test_a_film_takes_its_letters_from_patient_orientation(letters, code, tmp_path):
    film = image(
        marked_slice(0),
        Modality="DX",
        SOPClassUID="1.2.840.10008.5.1.4.1.1.1.1",
        PatientOrientation=letters,
        ImagePositionPatient=None,
        ImageOrientationPatient=None,
        PixelSpacing=None,
        ImagerPixelSpacing=[0.143, 0.139],
    )
    series, volume = only(save([film], tmp_path))
    assert codes(series) == []
    assert volume.geometry.orientation_code[:2] == code
    assert volume.geometry.spacing_mm[1:] == pytest.approx((0.143, 0.139))
    assert volume.geometry.spacing_kind == "detector"


@pytest.mark.parametrize(
    ("factor", "spacing", "kind", "said"),
    [
        (1.6, 0.1, "patient", ["SPACING_ESTIMATED"]),
        (1, 0.16, "detector", []),
        (0.5, 0.16, "detector", []),
        (100, 0.16, "detector", []),
    ],
)
def test_a_magnified_film_is_measured_in_the_patient_and_said_to_be_estimated(
    factor, spacing, kind, said, tmp_path
):
    film = image(
        marked_slice(0), Modality="MG", SOPClassUID="1.2.840.10008.5.1.4.1.1.1.2",
        PixelSpacing=None, ImagerPixelSpacing=[0.16, 0.16],
        EstimatedRadiographicMagnificationFactor=factor,
        ImageOrientationPatient=None, ImagePositionPatient=None, PatientOrientation=["A", "F"],
    )  # fmt: skip
    series, volume = only(write(film, tmp_path / "x.dcm"))
    assert volume.geometry.spacing_mm[1:] == pytest.approx((spacing, spacing))
    assert (volume.geometry.spacing_kind, codes(series)) == (kind, said)
    texts = [note.text.rpartition(" ")[2] for note in series.warnings]
    assert texts == ["1.6"] * len(said)


@pytest.mark.parametrize("size", ["1e-30", "1e30", "-1", "0", "NaN"])
def test_a_pixel_of_a_size_that_cannot_be_has_none(size, tmp_path):
    ds = as_written(image(marked_slice(0)), PixelSpacing=f"{size}\\0.5")
    series, volume = only(write(ds, tmp_path / "x.dcm"))
    assert codes(series) == ["NO_SPACING"]
    assert volume.geometry.spacing_kind is None


def test_a_place_further_than_any_room_is_none(tmp_path):
    ds = as_written(image(marked_slice(0)), ImagePositionPatient="1e39\\0\\0")
    _, volume = only(write(ds, tmp_path / "x.dcm"))
    assert abs(volume.geometry.affine).max() < 1e3


def test_a_calibrated_film_measures_in_the_patient(tmp_path):
    film = image(
        marked_slice(0), Modality="DX", SOPClassUID="1.2.840.10008.5.1.4.1.1.1.1",
        ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=[0.12, 0.12],
        ImagerPixelSpacing=[0.143, 0.143],
    )  # fmt: skip
    _, volume = only(save([film], tmp_path))
    assert volume.geometry.spacing_kind == "patient"
    assert volume.geometry.spacing_mm[1:] == pytest.approx((0.12, 0.12))


@pytest.mark.parametrize("step", [4.0, -4.4196])
def test_the_sign_of_the_spacing_directs_a_nuclear_tomogram(step, tmp_path):
    ds = image(
        np.concatenate([marked_slice(k) for k in range(4)]),
        Modality="NM", SOPClassUID="1.2.840.10008.5.1.4.1.1.20", Rows=6, NumberOfFrames=4,
        ImageType=["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"], SpacingBetweenSlices=step,
        ImagePositionPatient=None, ImageOrientationPatient=None, SliceVector=[1, 2, 3, 4],
    )  # fmt: skip
    detector = Dataset()
    detector.ImagePositionPatient = [0, 0, 100.0]
    detector.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.DetectorInformationSequence = [detector]
    _, volume = only(write(ds, tmp_path / "nm.dcm"))
    heights = {int(volume.array[k, 1, 2]): volume.geometry.to_mm((k, 0, 0))[2] for k in range(4)}
    assert heights == pytest.approx({1000 + k: 100 + step * k for k in range(4)})


@pytest.fixture
def frames_of(tmp_path):
    """The frames of a picture of 6 x 9 pixels with some elements, as read from its file."""

    def made(**elements):
        plain = {
            "ImagePositionPatient": None,
            "ImageOrientationPatient": None,
            "PixelSpacing": None,
        }
        ds = image(marked_slice(0), **(plain | elements))
        return Frames(Header(read_outline(write(ds, tmp_path / "x.dcm"))))

    return made


def item(**elements):
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


DOSE = {
    "SOPClassUID": RT_DOSE,
    "NumberOfFrames": 3,
    "ImagePositionPatient": [-10, -20, 30],
    "ImageOrientationPatient": [0, 1, 0, 0, 0, -1],  # the normal is -x
}


def test_planes_of_a_dose_are_counted_from_the_first_along_the_normal(frames_of):
    frames = frames_of(**DOSE, GridFrameOffsetVector=[5, 8, 12])
    places = [place_of(frames, n) for n in range(3)]
    assert [position.tolist() for position, _ in places] == [
        [-10, -20, 30],
        [-13, -20, 30],
        [-17, -20, 30],
    ]
    assert places[1][1].tolist() == [[0, 1, 0], [0, 0, -1]]


@pytest.mark.parametrize(
    "changes",
    [
        {"GridFrameOffsetVector": [0, 3]},
        {"ImagePositionPatient": None},
        {"ImageOrientationPatient": None},
        {"ImageOrientationPatient": [1, 0, 0, 0.9, 0.1, 0]},
    ],
)
def test_a_plane_of_a_dose_of_which_too_little_is_said_lies_nowhere(changes, frames_of):
    frames = frames_of(**(DOSE | {"GridFrameOffsetVector": [0, 3, 6]} | changes))
    assert place_of(frames, 2) == (None, None)


NUCLEAR = {
    "NumberOfFrames": 3,
    "ImageType": ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"],
    "SpacingBetweenSlices": -2.5,
    "SliceVector": [3, 1, 2],
    "DetectorInformationSequence": [
        item(ImagePositionPatient=[1, 2, 3], ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    ],
}


def test_slices_of_a_tomogram_lie_by_their_number_not_by_their_frame(frames_of):
    frames = frames_of(**NUCLEAR)
    assert [place_of(frames, n)[0].tolist() for n in range(3)] == [
        [1, -3, 3],
        [1, 2, 3],
        [1, -0.5, 3],
    ]
    without = frames_of(**(NUCLEAR | {"SliceVector": [1, 2]}))
    assert place_of(without, 2)[0].tolist() == [1, -3, 3]


@pytest.mark.parametrize(
    "changes",
    [
        {"SpacingBetweenSlices": None},
        {"ImageType": ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"]},
        {"DetectorInformationSequence": [item(ImagePositionPatient=[1, 2, 3])]},
        {"DetectorInformationSequence": []},
    ],
)
def test_a_nuclear_frame_of_which_too_little_is_said_lies_nowhere(changes, frames_of):
    fields = {key: value for key, value in (NUCLEAR | changes).items() if value is not None}
    assert place_of(frames_of(**fields), 1) == (None, None)


@pytest.mark.parametrize("letter", "LRPAHF")
def test_each_letter_of_a_film_is_the_direction_it_stands_for(letter, frames_of):
    toward = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "H": (2, 1), "F": (2, -1)}
    axis, sign = toward[letter]
    wanted = [0.0, 0.0, 0.0]
    wanted[axis] = sign
    other = "F" if letter in "LRPA" else "L"
    position, directions = place_of(frames_of(PatientOrientation=[letter, other]), 0)
    assert position is None
    assert directions[0].tolist() == wanted


@pytest.mark.parametrize("words", [["L"], ["L", "X"], ["L", "L"], ["L", "R"], ["L", "F", "P"]])
def test_letters_that_are_no_plane_say_nothing(words, frames_of):
    assert place_of(frames_of(PatientOrientation=words), 0) == (None, None)


def region(y_cm=0.02, x_cm=0.03, units=(3, 3)):
    return item(
        PhysicalDeltaY=y_cm, PhysicalDeltaX=x_cm,
        PhysicalUnitsXDirection=units[0], PhysicalUnitsYDirection=units[1],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("regions", "spacing"),
    [
        ([region()], (0.2, 0.3)),
        ([region(), region(-0.02, 0.03)], (0.2, 0.3)),
        ([region(), region(0.5, 0.5, units=(4, 7))], (0.2, 0.3)),  # a curve in seconds, not cm
        ([region(), region(0.02, 0.04)], None),
        ([region(units=(3, 4))], None),
        ([region(units=(4, 3))], None),
        ([region(0.0, 0.03)], None),
        ([item(PhysicalUnitsXDirection=3, PhysicalUnitsYDirection=3)], None),
        ([], None),
    ],
)
def test_ultrasound_has_the_size_that_its_regions_in_centimetres_agree_on(
    regions, spacing, frames_of
):
    found, at_detector, times = spacing_of(frames_of(SequenceOfUltrasoundRegions=regions), 0)
    assert found == (None if spacing is None else pytest.approx(spacing))
    assert (at_detector, times) == (False, 1.0)


@pytest.mark.parametrize(
    ("elements", "spacing", "at_detector"),
    [
        ({"PixelSpacing": [0.2, 0.3]}, (0.2, 0.3), False),
        ({"PixelSpacing": [0.2, 0.3], "ImagerPixelSpacing": [0.2, 0.3]}, (0.2, 0.3), True),
        ({"PixelSpacing": [0.2, 0.3], "ImagerPixelSpacing": [0.2, 0.3],
          "PixelSpacingCalibrationType": "GEOMETRY"}, (0.2, 0.3), False),
        ({"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.2, 0.2]}, (0.1, 0.1), False),
        ({"NominalScannedPixelSpacing": [0.1, 0.2]}, (0.1, 0.2), True),
        ({"PixelSpacing": [0.2, 0.0]}, None, False),
        ({"PixelSpacing": [-0.2, 0.2]}, None, False),
        ({}, None, False),
    ],
)  # fmt: skip
def test_what_a_millimetre_means_follows_from_which_spacings_are_said(
    elements, spacing, at_detector, frames_of
):
    assert spacing_of(frames_of(**elements), 0) == (spacing, at_detector, 1.0)


@pytest.mark.parametrize(
    ("ratio", "aspect"),
    [([3, 2], 1.5), ([1, 100], 0.01), ([1, 101], 1.0), ([0, 1], 1.0), ([-1, 1], 1.0), (None, 1.0)],
)
def test_pixels_are_no_stranger_than_a_hundred_to_one(ratio, aspect, frames_of):
    header = frames_of(**({} if ratio is None else {"PixelAspectRatio": ratio})).header
    assert aspect_of(header) == pytest.approx((aspect, 1.0))
