"""What a header cannot vouch for: told file by file, with the reason."""

import pydicom
import pytest
from canaries import tainted
from dicom_files import image, write
from numpy import int16, zeros
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from medview.io import held_back
from medview.io.held_back import UNREADABLE, read_whole, reason_against, shows_a_face


def film(**elements):
    return image(zeros((4, 4), int16), **elements)


def directory():
    found = film()
    found.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    return found


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (None, "MV-DEI-001"),
        (film(SOPClassUID=""), ""),
        (film(EncapsulatedDocument=b"%PDF"), "MV-DEI-002"),
        (film(Modality="KO"), "MV-DEI-003"),
        (film(ContentSequence=[]), "MV-DEI-003"),
        (film(Modality="US"), "MV-DEI-004"),
        (film(Modality="US", BurnedInAnnotation="NO"), ""),
        (film(Modality="MR", BurnedInAnnotation="YES"), "MV-DEI-004"),
        (film(SOPClassUID=SecondaryCaptureImageStorage, Modality="CT"), "MV-DEI-004"),
        (film(SOPClassUID=MultiFrameTrueColorSecondaryCaptureImageStorage), "MV-DEI-004"),
        (film(SOPClassUID=SecondaryCaptureImageStorage, BurnedInAnnotation="NO"), ""),
        (film(ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"]), "MV-DEI-004"),
        (film(ImageType=["DERIVED", "SECONDARY", "REFORMATTED"]), ""),
        (directory(), "MV-DEI-006"),
        (film(), ""),
    ],
)
def test_each_reason_has_its_code(found, code):
    assert "".join(reason_against(found, with_burned_in=False)[:1]) == code


def test_somebody_who_has_looked_lets_pictures_pass_and_nothing_else():
    assert reason_against(film(Modality="US"), with_burned_in=True) == ()
    assert reason_against(film(Modality="SR"), with_burned_in=True) != ()
    del (nameless := film()).SOPClassUID
    assert reason_against(nameless, with_burned_in=True) == UNREADABLE


@pytest.mark.parametrize(("bit", "code"), [(15, "MV-DEI-004"), (0, "")])
def test_an_overlay_within_the_pixels_stays_there_and_its_image_here(bit, code):
    found = film()
    found.add_new((0x6002, 0x0010), "US", 4)
    found.add_new((0x6002, 0x0102), "US", bit)
    assert "".join(reason_against(found, with_burned_in=False)[:1]) == code


@pytest.mark.parametrize(
    ("elements", "face"),
    [
        ({"BodyPartExamined": "BRAIN"}, True),
        ({"StudyDescription": "CT Schädel nativ"}, True),
        ({"SeriesDescription": "t1 head sag"}, True),
        ({"ProtocolName": "Neck angio"}, True),
        ({"BodyPartExamined": "CHEST"}, False),
        ({"BodyPartExamined": "SKULL", "Modality": "CR"}, False),
    ],
)
def test_slices_of_a_head_show_a_face_and_a_film_does_not(elements, face):
    assert shows_a_face(film(**elements)) is face


def test_a_whole_file_is_read_whatever_way_it_begins(tmp_path):
    write(film(PatientID="P7"), tmp_path / "a.dcm")
    (tmp_path / "bare.dcm").write_bytes((tmp_path / "a.dcm").read_bytes()[132:])
    assert [read_whole(tmp_path / name).PatientID for name in ("a.dcm", "bare.dcm")] == ["P7", "P7"]
    (tmp_path / "notes.txt").write_text("nothing")
    assert read_whole(tmp_path / "notes.txt") is None
    assert read_whole(tmp_path / "gone.dcm") is None


def test_a_deflated_file_is_read_as_far_as_it_may_grow(tmp_path, monkeypatch):
    packed = tainted()
    packed.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    pydicom.dcmwrite(tmp_path / "a.dcm", packed, enforce_file_format=True)
    assert read_whole(tmp_path / "a.dcm") is not None
    monkeypatch.setattr(held_back, "MAX_INFLATED", 1000)
    assert read_whole(tmp_path / "a.dcm") is None


def test_a_tower_of_sequences_is_no_way_to_end_the_program(tmp_path):
    tower = film()
    for _ in range(90):
        inner, tower = tower, film()
        tower.ProcedureCodeSequence = [inner]
    write(tower, tmp_path / "a.dcm")
    assert read_whole(tmp_path / "a.dcm") is None
