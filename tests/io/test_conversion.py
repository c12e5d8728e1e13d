"""A series as NIfTI: all its times in one file, of one type."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from dicom_files import catalogue, save, stack, two_phases
from nifti_files import patched
from nifti_files import written as nifti_written
from PIL import Image

from medview.domain.errors import ReadError
from medview.domain.progress import Silent
from medview.io import conversion


def converted(folder, path):
    (series,) = catalogue(folder).all_series()
    notes = conversion.convert(Silent(), series, path)
    return nib.load(path), [note.code for note in notes]


def test_times_are_the_fourth_dimension(tmp_path):
    written, notes = converted(
        save(two_phases("EchoTime", (4.6, 9.2)), tmp_path / "in"), tmp_path / "t.nii.gz"
    )
    values = np.asarray(written.dataobj)
    assert (values[2, 1, 3, 0], values[2, 1, 3, 1]) == (1003, 1503)
    assert (values.dtype, notes) == (np.int16, [])


def test_each_time_that_was_read_is_told(tmp_path):
    told = []

    class Heard(Silent):
        def report(self, done, total, text=""):
            if text == "reading":
                told.append((done, total))

    (series,) = catalogue(save(two_phases("EchoTime", (4.6, 9.2)), tmp_path / "in")).all_series()
    conversion.convert(Heard(), series, tmp_path / "t.nii")
    assert told == [(1, 2), (2, 2)]


def test_a_time_that_is_no_whole_number_makes_all_of_them_floats(tmp_path):
    datasets = two_phases("EchoTime", (4.6, 9.2))
    for ds in datasets[8:]:
        ds.RescaleSlope, ds.RescaleIntercept = 0.5, 0
    written, _ = converted(save(datasets, tmp_path / "in"), tmp_path / "t.nii")
    assert written.get_data_dtype() == np.float32
    values = np.asarray(written.dataobj)
    assert (values[2, 1, 3, 0], values[2, 1, 3, 1]) == (1003, 751.5)


def test_warnings_of_the_series_come_with_it(tmp_path):
    datasets = [ds for k, ds in enumerate(stack()) if k != 3]
    _, notes = converted(save(datasets, tmp_path / "in"), tmp_path / "v.nii")
    assert notes == ["INCOMPLETE"]


def test_more_than_the_memory_holds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(conversion, "memory_cap", lambda: 1000)
    folder = save(two_phases("EchoTime", (4.6, 9.2)), tmp_path / "in")
    with pytest.raises(ReadError, match="more memory"):
        converted(folder, tmp_path / "t.nii")
    assert not (tmp_path / "t.nii").exists()


def test_components_become_the_fifth_dimension_again(tmp_path):
    values = np.arange(48, dtype=np.int16).reshape(2, 1, 2, 3, 4)
    written, _ = converted(nifti_written(tmp_path / "in.nii", values), tmp_path / "t.nii.gz")
    np.testing.assert_array_equal(np.asarray(written.dataobj).T, values)


def test_the_time_step_is_written_with_the_times(tmp_path):
    values = np.zeros((3, 4, 3, 2), np.int16)
    path = patched(
        nifti_written(tmp_path / "in.nii", values),
        pixdim=[1, 2, 2, 2, 2500, 0, 0, 0], xyzt_units=2 + 16,
    )  # fmt: skip
    written, _ = converted(path, tmp_path / "t.nii.gz")
    assert written.header["pixdim"][4] == 2.5
    assert written.header.get_xyzt_units() == ("mm", "sec")


def test_times_of_colours_and_of_grey_values_are_not_written_into_one_file(tmp_path):
    pages = [Image.new("L", (8, 6), 7), Image.new("RGB", (8, 6), (200, 30, 7))]
    pages[0].save(tmp_path / "p.tif", save_all=True, append_images=pages[1:])
    (series,) = catalogue(tmp_path / "p.tif").all_series()
    with pytest.raises(ReadError, match="some have colours"):
        conversion.convert(Silent(), series, tmp_path / "out.nii")
    assert not (tmp_path / "out.nii").exists()
