"""What belongs together becomes one stack; planes without a place say so."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import (
    catalogue,
    codes,
    heights,
    image,
    marked_slice,
    only,
    save,
    spacing_of,
    stack,
)

from medview.domain.progress import Silent
from medview.io import readers


def test_a_localizer_within_the_series_is_split_off(tmp_path):
    scout = image(
        np.full((6, 9), 7, np.int16),
        ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
    )
    found = catalogue(save([*stack(), scout], tmp_path)).all_series()
    assert [series.size[2] for series in found] == [8, 1]


def test_magnitude_and_phase_images_are_stacks_of_their_own(tmp_path):
    phase = stack(ImageType=["ORIGINAL", "PRIMARY", "P"])
    found = catalogue(save([*stack(), *phase], tmp_path)).all_series()
    assert [(s.stack, s.times, s.size[2]) for s in found] == [(0, 1, 8), (1, 1, 8)]


def test_two_slices_are_a_stack_and_one_is_a_plane(tmp_path):
    two, _ = only(save(stack()[:2], tmp_path / "two"))
    one, volume = only(save(stack()[:1], tmp_path / "one"))
    assert two.size[2] == 2
    assert spacing_of(two) == pytest.approx(2.5)
    assert one.size[2] == 1
    assert volume.is_film
    assert volume.geometry.orientation_known


def test_a_capture_without_place_or_spacing_says_so(tmp_path):
    capture = image(
        marked_slice(0), ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None
    )
    series, volume = only(save([capture], tmp_path))
    assert codes(series) == ["UNKNOWN_ORIENTATION", "NO_SPACING"]
    assert not volume.geometry.orientation_known
    assert volume.geometry.spacing_kind is None


@pytest.mark.parametrize("count", [1, 3])
def test_slices_that_do_not_say_where_they_lie_make_no_volume_and_that_is_told(tmp_path, count):
    nowhere = [image(marked_slice(n), InstanceNumber=n + 1, ImagePositionPatient=None)
               for n in range(count)]  # fmt: skip
    series, _ = only(save(nowhere, tmp_path))
    assert (series.size[2], series.times) == (1, count)
    assert codes(series) == ["NO_POSITION"]


def two_acquisitions(second: float, count: int = 5, **more):
    """Two of `count` slices 2.5 mm apart, the second one `second` mm further along."""
    return [
        image(marked_slice(10 * n + k), AcquisitionNumber=n + 1,
              ImagePositionPatient=[-100, -80, 40 + 2.5 * k + n * second], **more)
        for n in range(2) for k in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("second", [1.0, 7.5, 8.0])
def test_acquisitions_that_lie_between_or_over_each_other_are_even_stacks(tmp_path, second):
    found = catalogue(save(two_acquisitions(second), tmp_path)).all_series()
    assert [series.size[2] for series in found] == [5, 5]
    assert [spacing_of(series) for series in found] == pytest.approx([2.5, 2.5])
    firsts = [series.geometry.affine[2, 3] for series in found]
    assert firsts == pytest.approx([40, 40 + second])
    assert [codes(series) for series in found] == [["SEVERAL_SETS"]] * 2
    assert all("AcquisitionNumber" in series.warnings[0].text for series in found)


def test_a_key_that_parts_slices_into_pairs_makes_no_stacks_of_two(tmp_path):
    uneven = [
        image(marked_slice(k), AcquisitionNumber=k // 2,
              ImagePositionPatient=[-100, -80, float(place)])
        for k, place in enumerate([0, 2, 4, 6, 9, 12])
    ]  # fmt: skip
    found = catalogue(save(uneven, tmp_path)).all_series()
    assert [series.size[2] for series in found] == [4, 2]


def test_two_films_of_a_series_are_two_stacks(tmp_path):
    films = [
        image(
            marked_slice(n), Modality="CR", SOPClassUID="1.2.840.10008.5.1.4.1.1.1",
            ImagePositionPatient=None, ImageOrientationPatient=None,
        )
        for n in range(2)
    ]  # fmt: skip
    assert [s.times for s in catalogue(save(films, tmp_path)).all_series()] == [1, 1]


def test_a_cine_loop_is_one_plane_at_several_times(tmp_path):
    loop = image(
        np.stack([marked_slice(n) for n in range(4)]).reshape(24, 9),
        Modality="US", SOPClassUID="1.2.840.10008.5.1.4.1.1.3.1", Rows=6, NumberOfFrames=4,
        ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None,
    )  # fmt: skip
    series, _ = only(save([loop], tmp_path))
    assert (series.times, series.split_by, series.size) == (4, "frame", (9, 6, 1))
    assert readers.load(Silent(), series, 2).array[0, 1, 2] == 1002


def test_pixels_that_are_not_square_are_shown_so_without_a_measure(tmp_path):
    capture = image(
        marked_slice(0), ImagePositionPatient=None, ImageOrientationPatient=None,
        PixelSpacing=None, PixelAspectRatio=[3, 2],
    )  # fmt: skip
    _, volume = only(save([capture], tmp_path))
    assert volume.geometry.spacing_kind is None
    assert volume.geometry.spacing_mm[1:] == (1.5, 1.0)


def turned(angle):
    """Rows and columns of an axial slice turned by an angle, radians."""
    return [np.cos(angle), np.sin(angle), 0, -np.sin(angle), np.cos(angle), 0]


@pytest.mark.parametrize(
    ("changes", "stacks"),
    [
        ({}, 1),
        ({"FrameOfReferenceUID": "1.2.3.6"}, 2),
        ({"ImageOrientationPatient": turned(5e-5)}, 1),
        ({"ImageOrientationPatient": turned(5e-4)}, 2),
        ({"ImageOrientationPatient": turned(-5e-4)}, 2),
        ({"ImageOrientationPatient": None}, 2),
        ({"ImagePositionPatient": None}, 2),
        ({"PixelSpacing": [0.70002, 0.5]}, 1),
        ({"PixelSpacing": [0.701, 0.5]}, 2),
        ({"PixelSpacing": [0.7, 0.501]}, 2),
        ({"PixelSpacing": None}, 2),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, 2),
    ],
)
def test_slices_that_differ_in_what_places_them_are_no_one_stack(changes, stacks, tmp_path):
    datasets = stack()
    for ds in datasets[5:]:
        for keyword, value in changes.items():
            if value is None:
                delattr(ds, keyword)
            else:
                setattr(ds, keyword, value)
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    found = catalogue(save(datasets, tmp_path)).all_series()
    assert [series.stack for series in found] == list(range(stacks))
    assert found[0].size == (9, 6, 8 if stacks == 1 else 5)
    slices = sum(series.size[2] * series.times for series in found)
    assert slices == 8


def test_stacks_of_a_size_are_ordered_by_their_place_whatever_the_files_are_called(tmp_path):
    datasets = stack()
    for ds in datasets[:4]:
        ds.FrameOfReferenceUID = "1.2.3.9"
    one = catalogue(save(datasets, tmp_path / "a")).all_series()
    other = catalogue(save(datasets[::-1], tmp_path / "b")).all_series()
    for found in (one, other):
        assert [series.geometry.to_mm((0, 0, 0))[2] for series in found] == [40.0, 50.0]


@pytest.mark.parametrize(
    ("other", "way"),
    [
        ({"PixelRepresentation": 1}, "16 of 16 bits, with sign"),
        ({"BitsStored": 12, "HighBit": 11}, "12 of 16 bits, without sign"),
    ],
)
def test_slices_that_are_apart_only_by_how_pixels_are_stored_are_told(tmp_path, other, way):
    own = [image(marked_slice(k), ImagePositionPatient=[-100, -80, 2.5 * k], BitsStored=16,
                 HighBit=15, PixelRepresentation=0) for k in range(4)]  # fmt: skip
    for piece in own[2:]:
        for name, value in other.items():
            setattr(piece, name, value)
    found = catalogue(save(own, tmp_path)).all_series()
    assert [series.size[2] for series in found] == [2, 2]
    for series in found:
        (note,) = (each for each in series.warnings if each.code == "SEVERAL_SETS")
        assert "slices of this series are stored in 2 ways" in note.text
        assert f"{way}: 2" in note.text
        assert "16 of 16 bits, without sign: 2" in note.text


def test_slices_stored_in_one_way_are_told_nothing(tmp_path):
    found = catalogue(save(heights(0, 2.5, 5), tmp_path)).all_series()
    assert [codes(series) for series in found] == [[]]
