import gzip
from types import SimpleNamespace

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset

from medview.domain.errors import ReadError
from medview.io import tags
from medview.io.tags import read_tags

JOB = SimpleNamespace(check=lambda: None)


def written(path, **more):
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    made.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    made.PatientName = "Secret^Sam"
    made.EchoTime = 2.5
    made.PixelSpacing = [0.5, 0.5]
    inner = Dataset()
    inner.CodeMeaning = "Head"
    inner.OperatorsName = "Nosy^Ned"
    made.AnatomicRegionSequence = [inner]
    made.Rows, made.Columns, made.BitsAllocated = 2, 2, 16
    made.PixelData = b"\0" * 8
    made.private_block(0x0011, "ACME", create=True).add_new(0x01, "LO", "hush")
    for name, value in more.items():
        setattr(made, name, value)
    made.save_as(path, enforce_file_format=True)
    return path


def test_every_entry_is_there_with_its_sequences_and_without_pixels(tmp_path):
    found = read_tags(JOB, written(tmp_path / "a.dcm"), "dicom")
    by_name = {each.name: each for each in found}
    assert by_name["Echo Time"].value == "2.5"
    assert by_name["Echo Time"].tag == "(0018,0081)"
    assert by_name["Pixel Spacing"].value == "0.5 \\ 0.5"
    assert by_name["Transfer Syntax UID"].kind == "UI"
    assert (by_name["Code Meaning"].level, by_name["Code Meaning"].value) == (2, "Head")
    sequence = by_name["Anatomic Region Sequence"]
    assert (sequence.level, sequence.kind, sequence.value) == (0, "SQ", "1 item")
    assert by_name["Item 1"].level == 1
    assert "Pixel Data" not in by_name


def test_what_tells_who_it_is_is_marked_also_in_sequences_and_private_entries(tmp_path):
    found = read_tags(JOB, written(tmp_path / "a.dcm"), "dicom")
    told = {each.value for each in found if each.tells_who}
    assert {"Secret^Sam", "Nosy^Ned", "hush"} <= told
    assert "2.5" not in told


def test_long_values_are_cut_and_bytes_are_counted(tmp_path):
    more = {"ImageComments": "x " * 600, "StudyComments": "y" * 160, "ICCProfile": bytes(12)}
    path = written(tmp_path / "a.dcm", **more)
    found = {each.name: each.value for each in read_tags(JOB, path, "dicom")}
    assert len(found["Image Comments"]) < 200
    assert found["Image Comments"].endswith("…")
    assert found["Study Comments"] == "y" * 160
    assert found["ICC Profile"] == "12 bytes"


def test_of_a_huge_header_the_first_entries_are_listed_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(tags, "MOST_TAGS", 3)
    found = read_tags(JOB, written(tmp_path / "a.dcm"), "dicom")
    assert len(found) == 4
    assert "first 3" in found[-1].value


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "A.NII.GZ", "A.NII"])
def test_nifti_fields_are_listed(tmp_path, name, kind):
    image = kind(np.zeros((2, 3, 4), np.int16), np.eye(4))
    image.header["descrip"] = b"of Sam"
    nibabel.save(image, tmp_path / name.lower())
    path = (tmp_path / name.lower()).rename(tmp_path / name)
    tags = {each.name: each for each in read_tags(JOB, path, "nifti")}
    assert tags["dim"].value == "[3, 2, 3, 4, 1, 1, 1, 1]"
    assert tags["magic"].value in ("n+1", "n+2")
    assert (tags["descrip"].value, tags["descrip"].tells_who) == ("of Sam", True)
    assert not tags["dim"].tells_who


@pytest.mark.parametrize("form", ["dicom", "nifti"])
def test_a_damaged_file_is_refused_in_plain_words(tmp_path, form):
    path = tmp_path / "bad.nii"
    path.write_bytes(gzip.compress(b"nothing"))
    with pytest.raises(ReadError, match=r"bad\.nii"):
        read_tags(JOB, path, form)


def test_formats_without_a_header_say_so(tmp_path):
    with pytest.raises(ReadError, match="no header"):
        read_tags(JOB, tmp_path / "a.png", "png")
