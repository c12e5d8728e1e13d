from dataclasses import replace

import pydicom
import pytest
from throwaway import save_dicom, small_head

from medview.domain.progress import Silent
from medview.io.dicom_instances import instance_of
from medview.io.readers import scan


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dicom")
    save_dicom(small_head(), folder / "study")
    (found,) = scan(Silent(), (folder / "study",)).all_series()
    return found


@pytest.mark.parametrize("image", [0, 7, 23])
def test_an_image_is_named_as_its_file_says(series, image):
    file, _ = series.slots[image]
    said = pydicom.dcmread(series.files[file], stop_before_pixels=True)
    assert instance_of(series, 0, image) == said.SOPInstanceUID
    # Slices are counted as they lie in the patient, whatever the files are called.
    assert said.InstanceNumber in (image + 1, 24 - image)


def test_frames_of_one_file_are_told_apart(series):
    one = replace(series, slots=tuple((0, frame) for frame in range(24)))
    assert instance_of(one, 0, 4) == f"{instance_of(series, 0, 0)} frame 5"


def test_what_cannot_be_named_is_empty(series, tmp_path):
    (tmp_path / "text.dcm").write_text("no image")
    gone = replace(series, files=(tmp_path / "gone.dcm",) * 24)
    other = replace(series, files=(tmp_path / "text.dcm",) * 24)
    missing = replace(series, slots=(None, *series.slots[1:]))
    for which in (gone, other, missing, replace(series, format="nifti"), replace(series, slots=())):
        assert instance_of(which, 0, 0) == ""
    assert instance_of(series, 0, 24) == instance_of(series, 1, 0) == ""
