"""De-identified copies: a canary in every attribute of the profile, none of them survives."""

import re

import numpy as np
import pydicom
import pytest
from dicom_files import image, write
from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from throwaway import save_dicom, small_head

from medview.domain.progress import Silent
from medview.io.deidentify import EDITION, deidentify

CANARY = "ZQ7PN"
TEXTS = ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT")
NEVER = re.compile(CANARY.encode())


def attributes():
    """Every single attribute of the profile with a text in it, as tags."""
    lists = dicom_anonymization_database_selector(EDITION)
    tags = {tag for found in lists.values() for tag in found if len(tag) == 2 and tag[0] > 0x0008}
    tags |= {tag for found in lists.values() for tag in found if len(tag) == 2 and tag[0] == 8}
    known = []
    for tag in sorted(tags):
        try:
            kind = dictionary_VR(tag)
        except KeyError:
            continue
        if kind in TEXTS:
            known.append((tag, kind))
    return known


def filled(found, start=0):
    """Put a canary of its own into each attribute."""
    for number, (tag, kind) in enumerate(attributes(), start):
        found.add_new(tag, kind, f"{CANARY}{number:04d}")
    return found


def tainted():
    pixels = np.arange(64, dtype=np.int16).reshape(8, 8)
    found = filled(image(pixels, PatientName=f"{CANARY}^Name", PatientID=f"{CANARY}-7"))
    found.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    found.Modality = "MR"
    found.PatientBirthDate = "19640502"
    found.StudyDate = "20250301"
    inner = filled(Dataset(), 2000)
    outer = Dataset()
    outer.ReferencedSOPInstanceUID = "1.2.3.4.5"
    outer.PurposeOfReferenceCodeSequence = [inner]
    found.SourceImageSequence = [outer]
    block = found.private_block(0x0011, f"{CANARY} MAKER", create=True)
    block.add_new(0x10, "LO", f"{CANARY}-private")
    found.add_new((0x6000, 0x0022), "LO", f"{CANARY}-overlay")
    found.add_new((0x5000, 0x0022), "LO", f"{CANARY}-curve")
    return found


def cleaned(tmp_path, *datasets, **options):
    folder = tmp_path / f"{CANARY} in"
    folder.mkdir()
    for number, found in enumerate(datasets):
        write(found, folder / f"{CANARY}-{number}.dcm")
    out = tmp_path / "out"
    out.mkdir()
    body = deidentify(Silent(), (folder,), out, **options)
    return body, sorted(out.rglob("*.dcm"))


def test_no_canary_of_any_attribute_survives_anywhere(tmp_path):
    assert len(attributes()) > 300
    body, (file,) = cleaned(tmp_path, tainted())
    assert (body["files"], body["patients"], body["withheld"]) == (1, 1, [])
    content = file.read_bytes()
    assert not NEVER.search(content)
    assert CANARY.encode("utf-16-le") not in content
    assert CANARY not in str(file.relative_to(tmp_path / "out"))
    for date in (b"19640502", b"20250301"):
        assert date not in content


def test_the_copy_says_what_was_done_and_keeps_its_pixels(tmp_path):
    before = tainted()
    _, (file,) = cleaned(tmp_path, before)
    after = pydicom.dcmread(file)
    assert after.PatientIdentityRemoved == "YES"
    assert after.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert after.LongitudinalTemporalInformationModified == "REMOVED"
    assert after.PixelData == before.PixelData
    assert after.PixelSpacing == before.PixelSpacing
    assert after.ImagePositionPatient == before.ImagePositionPatient
    assert after.SOPInstanceUID != before.SOPInstanceUID
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    assert after.preamble == b"\0" * 128


def test_a_series_stays_a_series_and_a_patient_one_patient(tmp_path):
    who = {"PatientName": f"{CANARY}^A", "PatientID": "1", "FrameOfReferenceUID": "1.2.9"}
    save_dicom(small_head(), tmp_path / "in" / "a", **who)
    out = tmp_path / "out"
    out.mkdir()
    body = deidentify(Silent(), (tmp_path / "in",), out)
    found = [pydicom.dcmread(file) for file in sorted(out.rglob("*.dcm"))]
    assert body["files"] == len(found) == 24
    for name in ("SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "PatientID"):
        assert len({getattr(one, name) for one in found}) == 1
    assert len({one.SOPInstanceUID for one in found}) == 24
    assert found[0].StudyInstanceUID != "1.2.3"
    assert found[0].PatientID.startswith("ANON-")


def test_two_exports_do_not_tell_that_a_patient_is_the_same(tmp_path):
    names = set()
    for number in range(2):
        (tmp_path / f"{number}").mkdir()
        _, (file,) = cleaned(tmp_path / f"{number}", tainted())
        names.add(pydicom.dcmread(file).PatientID)
    assert len(names) == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Modality": "SR"}, "MV-DEI-003"),
        ({"EncapsulatedDocument": b"%PDF"}, "MV-DEI-002"),
        ({"Modality": "US"}, "MV-DEI-004"),
        ({"BurnedInAnnotation": "YES"}, "MV-DEI-004"),
    ],
)
def test_what_cannot_be_cleaned_by_its_header_is_held_back(tmp_path, change, code):
    found = tainted()
    for name, value in change.items():
        setattr(found, name, value)
    body, files = cleaned(tmp_path, found)
    assert [one["code"] for one in body["withheld"]] == [code]
    assert not files


def test_pictures_that_somebody_looked_at_are_copied(tmp_path):
    found = tainted()
    found.BurnedInAnnotation = "YES"
    body, files = cleaned(tmp_path, found, with_burned_in=True)
    assert (len(files), body["withheld"]) == (1, [])


def test_a_file_that_is_none_stops_nothing_and_a_head_is_warned_of(tmp_path):
    found = tainted()
    found.StudyDescription = "MR brain"
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "notes.txt").write_text("nothing")
    write(found, tmp_path / "more" / "a.dcm")
    out = tmp_path / "out"
    out.mkdir()
    body = deidentify(Silent(), (tmp_path / "more",), out)
    assert body["files"] == 1
    assert [one["code"] for one in body["withheld"]] == ["MV-DEI-001"]
    assert [one["code"] for one in body["warnings"]] == ["FACE"]
