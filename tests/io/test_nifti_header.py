"""NIfTI headers: two forms or none, units, and claims that the file cannot hold."""

from __future__ import annotations

import gzip
import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
from dicom_files import codes, only
from hypothesis import given
from hypothesis import strategies as st
from nifti_files import VALUES, patched, written

from medview.domain.errors import ReadError
from medview.domain.progress import Silent
from medview.domain.study import Choice
from medview.io import nifti, nifti_header, readers


def test_the_sform_comes_before_the_qform_and_a_difference_is_said(tmp_path):
    path = written(tmp_path / "v.nii", affine=np.diag([2.0, 2, 2, 1]))
    shifted = patched(path, qform_code=1, qoffset_x=5)
    series, volume = only(shifted)
    assert codes(series) == ["FORMS_DISAGREE"]
    np.testing.assert_allclose(volume.geometry.to_mm((0, 0, 0)), (0, 0, 0), atol=1e-4)


def test_forms_that_agree_to_a_tenth_of_a_millimetre_are_no_matter(tmp_path):
    affine = np.diag([2.0, 2, 2, 1])
    path = patched(written(tmp_path / "v.nii", affine=affine), qform_code=1, qoffset_x=0.05)
    series, _ = only(path)
    assert codes(series) == []


def test_forms_of_opposite_handedness_are_said(tmp_path):
    affine = np.diag([2.0, 2, 2, 1])
    path = written(tmp_path / "v.nii", values=np.zeros((1, 1, 1), np.int16), affine=affine)
    series, _ = only(patched(path, qform_code=1, pixdim=[-1, 2, 2, 2, 1, 0, 0, 0]))
    assert "FORMS_DISAGREE" in codes(series)


@pytest.mark.parametrize("axis", [(0, 1, 1), (1, 1, 0), (1, 0, -1), (3, 4, 12)])
def test_a_half_turn_is_one_although_its_quaternion_is_rounded(axis, tmp_path):
    b, c, d = axis / np.linalg.norm(axis)
    path = patched(
        written(tmp_path / "v.nii"), sform_code=0, qform_code=1,
        quatern_b=b, quatern_c=c, quatern_d=d, pixdim=[1, 1, 1, 1, 1, 0, 0, 0],
    )  # fmt: skip
    expected = 2 * np.outer((b, c, d), (b, c, d)) - np.eye(3)
    form = nifti_header.forms_of(nifti_header.read_header(path))["qform"]
    np.testing.assert_allclose(form[:3, :3], expected, atol=1e-6)


@pytest.mark.parametrize("qfac", [1, -1])
def test_the_qform_alone_is_used(qfac, tmp_path):
    path = patched(
        written(tmp_path / "v.nii", affine=np.diag([2.0, 3, 4, 1])),
        sform_code=0, qform_code=1, quatern_b=0, quatern_c=0, quatern_d=1,
        qoffset_x=10, qoffset_y=20, qoffset_z=30, pixdim=[qfac, 2, 3, 4, 1, 0, 0, 0],
    )  # fmt: skip
    _, volume = only(path)
    # A half turn about z: columns to the patient's left, rows to the front.
    expected = [[2, 0, 0, -10], [0, 3, 0, -20], [0, 0, 4 * qfac, 30], [0, 0, 0, 1]]
    np.testing.assert_allclose(volume.geometry.affine_ijk, expected, atol=1e-5)


def test_without_any_form_no_letter_is_known(tmp_path):
    path = patched(written(tmp_path / "v.nii"), sform_code=0, qform_code=0)
    series, volume = only(path)
    assert codes(series) == ["UNKNOWN_ORIENTATION"]
    assert not volume.geometry.orientation_known
    assert volume.geometry.spacing_kind == "patient"


@pytest.mark.parametrize("size", [0, math.nan, math.inf])
def test_an_absurd_voxel_size_is_not_used(size, tmp_path):
    path = patched(
        written(tmp_path / "v.nii"), sform_code=0, qform_code=0,
        pixdim=[1, size, 2, 2, 1, 0, 0, 0],
    )  # fmt: skip
    series, volume = only(path)
    assert codes(series) == ["UNKNOWN_ORIENTATION", "NO_SPACING"]
    assert volume.geometry.spacing_kind is None


def test_a_broken_sform_gives_way_to_the_qform(tmp_path):
    path = patched(
        written(tmp_path / "v.nii", affine=np.diag([2.0, 2, 2, 1])),
        srow_x=[math.nan, 0, 0, 0], qform_code=1,
    )  # fmt: skip
    series, volume = only(path)
    assert codes(series) == []
    assert volume.geometry.spacing_mm == pytest.approx((2, 2, 2))


@pytest.mark.parametrize(("unit", "mm"), [(1, 1000), (2, 1), (3, 0.001), (0, 1)])
def test_units_of_length_are_turned_into_millimetres(unit, mm, tmp_path):
    path = written(tmp_path / "v.nii", affine=np.diag([2.0, 2, 2, 1]), xyzt_units=unit)
    _, volume = only(path)
    assert volume.geometry.spacing_mm == pytest.approx((2 * mm,) * 3)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"dim": [3, 32767, 32767, 32767, 1, 1, 1, 1]}, "claims 64.0 TB, the file has"),
        ({"dim": [3, 4, 3, 3, 1, 1, 1, 1]}, "the file has|ends early"),
        ({"dim": [0] * 8}, "dimensions"),
        ({"dim": [8, 4, 3, 2, 1, 1, 1, 1]}, "dimensions"),
        ({"dim": [3, -4, 3, 2, 1, 1, 1, 1]}, "no size"),
        ({"datatype": 4711}, "unknown type"),
        ({"vox_offset": 1e9}, "the file has"),
        ({"vox_offset": 12}, "within its header"),
        ({"vox_offset": math.nan}, "within its header"),
        ({"vox_offset": -352}, "within its header"),
    ],
)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_header_that_lies_is_refused_before_memory_is_taken(fields, what, suffix, tmp_path):
    path = patched(written(tmp_path / "v.nii"), **fields)
    if suffix == ".nii.gz":
        packed = tmp_path / "v.nii.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        path = packed
    with pytest.raises(ReadError, match=what) as caught:
        only(path)
    assert caught.value.file == path.name
    assert caught.value.code in ("MV-IO-200", "MV-IO-201", "MV-IO-105")


@given(st.binary(min_size=348, max_size=348))
def test_any_header_is_read_or_refused(raw):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.nii"
        head = bytearray(raw)
        head[:4] = (348).to_bytes(4, "little")
        head[344:348] = b"n+1\0"
        path.write_bytes(bytes(head) + b"\0" * 100)
        try:
            found = nifti.find(path)
        except ReadError as error:
            found = error
        assert found


def test_the_sign_is_turned_in_one_function_only():
    source = Path(nifti.__file__).parent
    turns = [
        path.name for path in source.glob("*.py") if "diag([-1" in path.read_text().replace(" ", "")
    ]
    assert turns == ["nifti_header.py"]


def test_the_reader_may_choose_the_other_form_and_it_is_recorded(tmp_path):
    path = patched(
        written(tmp_path / "v.nii", affine=np.diag([2.0, 2, 2, 1])), qform_code=1, qoffset_x=5
    )
    choice = Choice(form="qform")
    (series,) = readers.scan(Silent(), (path,), (choice,)).all_series()
    volume = readers.load(Silent(), series)
    assert (series.form, series.forms) == ("qform", ("sform", "qform"))
    np.testing.assert_allclose(series.geometry.to_mm((0, 0, 0)), (-5, 0, 0), atol=1e-4)
    np.testing.assert_allclose(volume.geometry.to_mm((0, 0, 0)), (-5, 0, 0), atol=1e-4)
    assert [note.code for note in volume.warnings] == ["FORMS_DISAGREE"]
    assert volume.warnings[0].text.endswith("the qform is used, as chosen")
    assert series.warnings == volume.warnings


def test_a_choice_for_another_series_or_of_a_form_that_is_not_there_changes_nothing(tmp_path):
    path = patched(written(tmp_path / "v.nii", affine=np.diag([2.0, 2, 2, 1])), qform_code=0)
    for choice in (Choice("2.25.1", form="qform"), Choice(form="qform")):
        (series,) = readers.scan(Silent(), (path,), (choice,)).all_series()
        assert (series.form, series.forms) == ("sform", ("sform",))


@pytest.mark.parametrize(
    ("step", "unit", "seconds"),
    [(2.5, 8, 2.5), (2500, 16, 2.5), (2.5e6, 24, 2.5), (2.5, 0, 2.5), (1, 0, None),
     (0, 8, None), (-2, 8, None), (math.nan, 8, None)],
)  # fmt: skip
def test_the_time_step_is_read_in_its_unit(step, unit, seconds, tmp_path):
    values = np.zeros((3, 4, 3, 2), np.int16)
    path = patched(
        written(tmp_path / "v.nii", values), xyzt_units=2 + unit, pixdim=[1, 2, 2, 2, step, 0, 0, 0]
    )
    (series,) = readers.scan(Silent(), (path,)).all_series()
    assert series.times == 3
    assert series.time_step_s == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("cuts", [(0,), (300,), (7, 348), tuple(range(10, 340, 10))])
def test_a_file_may_be_packed_in_several_parts(cuts, tmp_path):
    raw = written(tmp_path / "v.nii").read_bytes()
    ends = zip((0, *cuts), (*cuts, len(raw)), strict=True)
    path = tmp_path / "parts.nii.gz"
    path.write_bytes(b"".join(gzip.compress(raw[a:b]) for a, b in ends))
    _, volume = only(path)
    assert np.array_equal(volume.array, VALUES)
