"""What is irregular about a stack is found and said, and nothing is averaged away."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import (
    FIRST,
    catalogue,
    codes,
    ct,
    enhanced,
    image,
    marked_slice,
    only,
    positions,
    save,
    stack,
    write,
)
from pydicom.dataset import Dataset

from medview.domain.progress import Silent
from medview.io import readers


def at(z_mm: float, value: int = 0, **elements: object):
    """One axial slice at a height, with a value at row 1, column 2."""
    pixels = np.zeros((6, 9), np.int16)
    pixels[1, 2] = value
    return image(pixels, ImagePositionPatient=[-100.0, -80.0, z_mm], **elements)


def heights(*z_mm: float) -> list:
    return [at(z, 1000 + n) for n, z in enumerate(z_mm)]


def spacing_of(series) -> float:
    return series.geometry.spacing_mm[0]


# ------------------------------------------------------------------------------- missing


def test_a_missing_slice_leaves_a_blank_and_the_true_spacing(tmp_path):
    datasets = [ds for k, ds in enumerate(stack()) if k != 4]
    series, volume = only(save(datasets, tmp_path))
    assert codes(series) == ["INCOMPLETE"]
    assert "one slice" in series.warnings[0].text
    assert series.missing_slices == volume.missing_slices == (4,)
    assert spacing_of(series) == pytest.approx(2.5)
    np.testing.assert_allclose(volume.geometry.to_mm((4, 0, 0)), (-100, -80, 50))
    assert not volume.array[4].any()
    assert volume.array[5, 1, 2] == 1005


def test_two_missing_slices_do_not_stretch_the_stack(tmp_path):
    datasets = [ds for k, ds in enumerate(stack()) if k not in (2, 5)]
    series, volume = only(save(datasets, tmp_path))
    assert codes(series) == ["INCOMPLETE"]
    assert volume.missing_slices == (2, 5)
    assert spacing_of(series) == pytest.approx(2.5)


def test_the_gap_between_three_slices_is_no_spacing(tmp_path):
    series, _ = only(save(heights(0, 2.5, 7.5), tmp_path))
    assert (codes(series), series.missing_slices) == (["INCOMPLETE"], (2,))
    assert spacing_of(series) == pytest.approx(2.5)


def test_a_blank_slice_of_a_ct_is_air_not_water(tmp_path):
    datasets = [
        ct(marked_slice(k), ImagePositionPatient=list(p)) for k, p in enumerate(positions())
    ]
    del datasets[3]
    _, volume = only(save(datasets, tmp_path))
    assert volume.quantity == "HU"
    assert (volume.array[3] == -1024).all()


# ----------------------------------------------------------------------- uneven distances


def test_two_hundredths_of_a_millimetre_are_no_irregularity(tmp_path):
    series, _ = only(save(heights(0, 2.52, 5, 7.48, 10, 12.5), tmp_path))
    assert codes(series) == []
    assert spacing_of(series) == pytest.approx(2.5, abs=0.01)


def test_positions_that_the_scanner_rounded_are_no_irregularity(tmp_path):
    series, _ = only(save(heights(*np.round(np.arange(12) * 0.6667, 2)), tmp_path))
    assert codes(series) == []


def test_three_tenths_of_a_millimetre_are_said(tmp_path):
    found = catalogue(save(heights(0, 2.5, 5.3, 7.5, 10, 12.5), tmp_path)).all_series()
    assert all("VARIABLE_SPACING" in codes(series) for series in found)
    for series in found:
        volume = readers.load(Silent(), series)
        for k in range(volume.geometry.shape[0]):
            z = volume.geometry.to_mm((k, 0, 0))[2]
            value = int(volume.array[k, 1, 2]) - 1000
            assert z == pytest.approx([0, 2.5, 5.3, 7.5, 10, 12.5][value], abs=0.02)


def test_a_slip_within_five_per_cent_of_a_thick_slice_stays_one_stack_and_is_said(tmp_path):
    series, _ = only(save(heights(0, 8, 16.3, 24, 32), tmp_path))
    assert codes(series) == ["VARIABLE_SPACING"]
    assert "0.3 mm" in series.warnings[0].text


def test_parts_of_different_spacing_become_stacks_of_their_own(tmp_path):
    z = [0, 1.25, 2.5, 3.75, 5, 7.5, 10, 12.5, 17.5, 22.5, 27.5]
    found = catalogue(save(heights(*z), tmp_path)).all_series()
    assert sorted(spacing_of(series) for series in found) == pytest.approx([1.25, 2.5, 5])
    assert {code for series in found for code in codes(series)} == {"VARIABLE_SPACING"}
    assert sum(series.size[2] for series in found) == 11
    assert [series.stack for series in found] == [0, 1, 2]


def test_slices_that_step_aside_are_not_put_on_one_line(tmp_path):
    datasets = heights(0, 2.5, 5, 7.5, 10, 12.5)
    for ds in datasets[3:]:
        ds.ImagePositionPatient[0] = -60.0
    found = catalogue(save(datasets, tmp_path)).all_series()
    assert sorted(s.geometry.affine[0, 3] for s in found) == [-100, -60]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_tilted_gantry_keeps_its_shear_and_is_said(sign, tmp_path):
    step = np.array([0, sign * 2.5 * np.tan(np.radians(15)), 2.5])
    datasets = [
        image(marked_slice(k), ImagePositionPatient=list(FIRST + step * k)) for k in range(8)
    ]
    series, volume = only(save(datasets, tmp_path))
    assert codes(series) == ["TILTED"]
    assert "15.0 degrees" in series.warnings[0].text
    assert volume.geometry.spacing_mm[0] == pytest.approx(2.588190, abs=1e-5)
    place = (-99.0, -79.3 + sign * 3 * 0.669873, 47.5)
    np.testing.assert_allclose(volume.geometry.to_mm((3, 1, 2)), place, atol=1e-5)
    assert volume.geometry.voxel_ml == pytest.approx(0.7 * 0.5 * 2.5 / 1000)


# ----------------------------------------------------------------------- the same place


def test_a_file_that_is_there_twice_is_used_once(tmp_path):
    datasets = stack()
    save([*datasets, datasets[2]], tmp_path)
    found = catalogue(tmp_path)
    (series,) = found.all_series()
    assert codes(series) == ["DUPLICATE"]
    assert series.size == (9, 6, 8)
    assert (found.files, found.read) == (9, 9)


def test_a_slice_sent_again_under_a_new_uid_is_used_once(tmp_path):
    series, volume = only(save([*stack(), *stack()[2:3]], tmp_path))
    assert codes(series) == ["DUPLICATE"]
    assert volume.array[2, 1, 2] == 1002


def test_another_image_in_the_same_place_is_kept_apart_and_said(tmp_path):
    other = at(45.0, value=777)
    found = catalogue(save([*stack(), other], tmp_path)).all_series()
    assert [codes(series) for series in found] == [["CONFLICT"], ["CONFLICT"]]
    volumes = [readers.load(Silent(), series) for series in found]
    assert volumes[0].array.shape[0] == 8
    assert {int(v.array[k, 1, 2]) for v, k in ((volumes[0], 2), (volumes[1], 0))} == {1002, 777}


def test_the_same_uid_with_other_pixels_is_a_conflict_and_both_are_kept(tmp_path):
    datasets = stack()
    other = at(45.0, value=777, SOPInstanceUID=datasets[2].SOPInstanceUID)
    found = catalogue(save([*datasets, other], tmp_path)).all_series()
    assert all("CONFLICT" in codes(series) for series in found)
    assert sum(len(series.files) for series in found) == 9


# ----------------------------------------------------------------------- several volumes


def two_phases(keyword: str, values: tuple[object, object]) -> list:
    datasets = []
    for n, value in enumerate(values):
        for k, ds in enumerate(stack()):
            pixels = marked_slice(k) + np.int16(500 * n)
            ds.PixelData = pixels.tobytes()
            ds.InstanceNumber = 8 * n + k + 1
            setattr(ds, keyword, value)
            datasets.append(ds)
    return datasets


@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("TemporalPositionIdentifier", (1, 2)),
        ("AcquisitionNumber", (2, 10)),
        ("EchoTime", (4.6, 9.2)),
        ("InversionTime", (100, 900)),
        ("FlipAngle", (5, 25)),
        ("TriggerTime", (0, 40.5)),
        ("ContrastBolusAgent", ("", "Gd")),
        ("AcquisitionTime", ("101500", "101530.5")),
        ("ContentTime", ("101500", "101530.5")),
    ],
)
def test_two_phases_in_one_series_are_two_times(keyword, values, tmp_path):
    (series,) = catalogue(save(two_phases(keyword, values), tmp_path)).all_series()
    assert (series.times, series.split_by, series.size) == (2, keyword, (9, 6, 8))
    assert codes(series) == []
    assert spacing_of(series) == pytest.approx(2.5)
    first, second = (readers.load(Silent(), series, time) for time in (0, 1))
    assert first.array[3, 1, 2] == 1003
    assert second.array[3, 1, 2] == 1503


def test_a_key_that_comes_first_in_the_rules_is_taken_before_a_later_one(tmp_path):
    datasets = two_phases("ContentTime", ("101500", "101530"))
    for n, ds in enumerate(datasets):
        ds.EchoTime = 4.6 if n < 8 else 9.2
    (series,) = catalogue(save(datasets, tmp_path)).all_series()
    assert series.split_by == "EchoTime"


def test_phases_that_only_their_numbers_tell_apart_are_split_by_these(tmp_path):
    (series,) = catalogue(save(two_phases("PatientAge", ("050Y",) * 2), tmp_path)).all_series()
    assert (series.times, series.split_by) == (2, "InstanceNumber")


def test_echoes_times_phases_are_told_apart_by_both_keys(tmp_path):
    datasets = []
    for echo in (4.6, 9.2):
        for trigger in (0, 40):
            for ds in stack()[:3]:
                ds.EchoTime, ds.TriggerTime = echo, trigger
                ds.PixelData = (marked_slice(0) + np.int16(trigger + 100 * echo)).tobytes()
                datasets.append(ds)
    (series,) = catalogue(save(datasets, tmp_path)).all_series()
    assert (series.times, series.split_by) == (4, "EchoTime+TriggerTime")


def test_a_slice_missing_in_one_phase_only_is_blank_there_and_said(tmp_path):
    datasets = two_phases("EchoTime", (4.6, 9.2))
    del datasets[8 + 5]
    (series,) = catalogue(save(datasets, tmp_path)).all_series()
    assert (series.times, codes(series)) == (2, ["INCOMPLETE"])
    first, second = (readers.load(Silent(), series, time) for time in (0, 1))
    assert first.missing_slices == ()
    assert second.missing_slices == (5,)
    assert first.array[5, 1, 2] == 1005


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


# --------------------------------------------------------------------------- single planes


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


def test_a_calibrated_film_measures_in_the_patient(tmp_path):
    film = image(
        marked_slice(0), Modality="DX", SOPClassUID="1.2.840.10008.5.1.4.1.1.1.1",
        ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=[0.12, 0.12],
        ImagerPixelSpacing=[0.143, 0.143],
    )  # fmt: skip
    _, volume = only(save([film], tmp_path))
    assert volume.geometry.spacing_kind == "patient"
    assert volume.geometry.spacing_mm[1:] == pytest.approx((0.12, 0.12))


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


# ----------------------------------------------------------------------------- multi-frame


def plane(k: int, **more: object) -> dict[str, object]:
    return {"PlanePositionSequence": {"ImagePositionPatient": list(positions()[k])}} | more


def test_frames_of_an_enhanced_image_are_ordered_by_place_not_by_number(tmp_path):
    order = [3, 0, 7, 1, 5, 2, 6, 4]
    ds = enhanced([marked_slice(k) for k in order], [plane(k) for k in order])
    series, volume = only(write(ds, tmp_path / "e.dcm"))
    assert codes(series) == []
    assert [int(v) for v in volume.array[:, 1, 2]] == list(range(1000, 1008))
    np.testing.assert_allclose(volume.geometry.to_mm((3, 1, 2)), (-99, -79.3, 47.5), atol=1e-6)


def test_echoes_of_an_enhanced_image_are_times(tmp_path):
    groups, frames = [], []
    for echo in (4.6, 9.2):
        for k in range(8):
            groups.append(plane(k, MREchoSequence={"EffectiveEchoTime": echo}))
            frames.append(marked_slice(k) + np.int16(10 * echo))
    series, volume = only(write(enhanced(frames, groups), tmp_path / "e.dcm"))
    assert (series.times, series.split_by) == (2, "EchoTime")
    assert volume.array[3, 1, 2] == 1049


def test_two_stacks_in_one_enhanced_image_are_two_series_entries(tmp_path):
    coronal = {"PlaneOrientationSequence": {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}}
    groups = [plane(k) for k in range(8)] + [
        {"PlanePositionSequence": {"ImagePositionPatient": [-100, -80 + 3 * k, 40]}} | coronal
        for k in range(3)
    ]
    ds = enhanced([marked_slice(k) for k in range(11)], groups)
    found = catalogue(write(ds, tmp_path / "e.dcm")).all_series()
    assert [series.size[2] for series in found] == [8, 3]
    assert found[1].geometry.spacing_mm[0] == pytest.approx(3)


def test_each_frame_has_its_own_rescale(tmp_path):
    groups = [
        plane(
            k,
            PixelValueTransformationSequence={
                "RescaleSlope": 0.5 * (k + 1),
                "RescaleIntercept": 1,
            },
        )
        for k in range(3)
    ]
    ds = enhanced([marked_slice(k) for k in range(3)], groups)
    _, volume = only(write(ds, tmp_path / "e.dcm"))
    assert volume.array.dtype == np.float32
    assert volume.array[:, 1, 2].tolist() == [501, 1002, 1504]


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


def test_pixels_that_are_not_square_are_shown_so_without_a_measure(tmp_path):
    capture = image(
        marked_slice(0), ImagePositionPatient=None, ImageOrientationPatient=None,
        PixelSpacing=None, PixelAspectRatio=[3, 2],
    )  # fmt: skip
    _, volume = only(save([capture], tmp_path))
    assert volume.geometry.spacing_kind is None
    assert volume.geometry.spacing_mm[1:] == (1.5, 1.0)


@pytest.mark.parametrize(
    ("elements", "side"),
    [
        ({"ImageLaterality": "L"}, "L"),
        ({"Laterality": "R"}, "R"),
        ({"Laterality": "NO"}, ""),
        ({}, ""),
    ],
)
def test_the_side_that_a_file_names_is_told(elements, side, tmp_path):
    series, _ = only(save([image(marked_slice(0), **elements)], tmp_path))
    assert series.laterality == side


@pytest.mark.parametrize("begin", [b"MZ\x90\0", b"\x7fELF", b"PK\3\4", b"#!/bin/sh"])
def test_an_image_that_begins_like_a_program_is_shown_and_said(begin, tmp_path):
    path = write(image(marked_slice(0)), tmp_path / "x.dcm")
    raw = path.read_bytes()
    path.write_bytes(begin + raw[len(begin) :])
    series, volume = only(path)
    assert codes(series) == ["EXECUTABLE_HEADER"]
    assert volume.array[0, 1, 2] == 1000
