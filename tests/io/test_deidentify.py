"""De-identified copies: what they say of themselves, what is held back, results about them."""

import errno
import os
import re
import warnings
import zipfile
from collections.abc import Iterator

import highdicom as hd
import numpy as np
import pydicom
import pytest
from canaries import CANARY, tainted
from dicom_files import image, write
from pydicom.dataset import Dataset
from pydicom.uid import MediaStorageDirectoryStorage
from result_phantom import card, prediction_on
from throwaway import save_dicom, small_head

from medview.domain.errors import Cancelled, InputRefused, UsageError
from medview.domain.measurement import Measured, Measurement, Quantity
from medview.domain.progress import Silent
from medview.io.deidentify import deidentify_into
from medview.io.dicom_out.parts import Handover
from medview.io.readers import load, scan


def cleaned(tmp_path, *datasets, **options):
    folder = tmp_path / f"{CANARY} in"
    folder.mkdir(parents=True)
    for number, found in enumerate(datasets):
        write(found, folder / f"{CANARY}-{number}.dcm")
    out = tmp_path / "out"
    try:
        body = deidentify_into(Silent(), (folder,), out, **options)
    except InputRefused as refused:
        assert not out.exists()
        return refused, []
    return body, sorted(out.rglob("*.dcm"))


def test_the_copy_says_what_was_done_and_keeps_its_pixels(tmp_path):
    before = tainted()
    _, (file,) = cleaned(tmp_path, before)
    after = pydicom.dcmread(file)
    assert after.PatientIdentityRemoved == "YES"
    assert re.fullmatch("ANON-[0-9a-f]{8}", after.PatientID)
    assert after.PatientName == after.PatientID == file.parent.name
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
    body = deidentify_into(Silent(), (tmp_path / "in",), out)
    found = [pydicom.dcmread(file) for file in sorted(out.rglob("*.dcm"))]
    assert body["files"] == len(found) == 24
    for name in ("SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "PatientID"):
        assert len({getattr(one, name) for one in found}) == 1
    assert len({one.SOPInstanceUID for one in found}) == 24
    assert found[0].StudyInstanceUID != "1.2.3"
    assert found[0].PatientID.startswith("ANON-")


def test_texts_that_the_profile_keeps_do_not_hold_the_patient(tmp_path):
    before = image(
        np.zeros((4, 4), np.int16),
        PatientName="Okafor^Ngozi", PatientID="110", PatientBirthDate="19600102",
        SoftwareVersions=["5.1", "of OKAFOR"], ContentDescription="born 1960-01-02",
        Manufacturer="Maker",
    )  # fmt: skip
    term = Dataset()
    term.CodeValue, term.CodingSchemeDesignator = "121108", "DCM"
    term.CodeMeaning = "as ngozi said"
    segment = Dataset()
    segment.SegmentNumber, segment.SegmentLabel = 1, "Ngozi's lesion"
    segment.SegmentedPropertyTypeCodeSequence = [term]
    before.SegmentSequence = [segment]
    _, (file,) = cleaned(tmp_path, before)
    after = pydicom.dcmread(file)
    inner = after.SegmentSequence[0]
    code = inner.SegmentedPropertyTypeCodeSequence[0]
    assert inner.SegmentLabel == code.CodeMeaning == after.ContentDescription == "ANONYMIZED"
    assert (code.CodeValue, after.Manufacturer) == ("121108", "Maker")
    raw = file.read_bytes().lower()
    assert not any(word in raw for word in (b"okafor", b"ngozi", b"1960"))


def test_two_exports_do_not_tell_that_a_patient_is_the_same(tmp_path):
    names = set()
    for number in range(2):
        _, (file,) = cleaned(tmp_path / f"{number}", tainted())
        found = pydicom.dcmread(file)
        names |= {found.PatientID, found.StudyInstanceUID, found.SOPInstanceUID}
    assert len(names) == 6


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
    body, files = cleaned(tmp_path, found, tainted())
    assert [one["code"] for one in body["withheld"]] == [code]
    assert len(files) == 1


class Stopped(Silent):
    """A job that the user stops before its second file."""

    files = 0

    def check(self):
        self.files += 1
        if self.files == 2:
            raise Cancelled("stopped by the user")


def test_whoever_stops_it_is_left_with_no_half_a_folder(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(3):
        write(tainted(), tmp_path / "in" / f"{number}.dcm")
    job = Stopped()
    with pytest.raises(Cancelled):
        deidentify_into(job, (tmp_path / "in",), tmp_path / "out")
    assert job.files == 2
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_nothing_that_can_be_copied_leaves_no_folder(tmp_path):
    refused, files = cleaned(tmp_path, tainted(Modality="US"))
    assert (refused.code, files) == ("MV-DEI-005", [])


@pytest.mark.parametrize("out", [".", "in", "in/../in"])
def test_copies_do_not_go_where_the_originals_lie(tmp_path, out):
    folder = save_dicom(small_head(), tmp_path / "in")
    with pytest.raises(UsageError, match="originals lie in the folder"):
        deidentify_into(Silent(), (folder,), tmp_path / out)
    assert len(list(tmp_path.rglob("*"))) == 25


def test_copies_of_before_are_no_originals(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    write(tainted(), folder / "a.dcm")
    told = [deidentify_into(Silent(), (folder,), folder / "copies") for _ in range(2)]
    assert [one["files"] for one in told] == [1, 1]


def test_a_directory_of_a_disc_is_not_copied(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    found = tainted()
    write(found, folder / "a.dcm")
    found.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    pydicom.dcmwrite(folder / "DICOMDIR", found, enforce_file_format=False)
    body = deidentify_into(Silent(), (folder,), tmp_path / "out")
    assert [one["code"] for one in body["withheld"]] == ["MV-DEI-006"]
    assert len(list((tmp_path / "out").rglob("*.*"))) == 1


def test_values_that_no_library_can_make_sense_of_hold_one_file_back(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    write(tainted(InstanceNumber="771234"), folder / "a.dcm")
    write(tainted(), folder / "b.dcm")
    content = (folder / "a.dcm").read_bytes()
    (folder / "a.dcm").write_bytes(content.replace(b"IS\6\x00771234", b"FL\6\x00771234"))
    body = deidentify_into(Silent(), (folder,), tmp_path / "out")
    assert (body["files"], [one["number"] for one in body["withheld"]]) == (1, [1])


def test_what_a_network_left_before_the_data_set_holds_nothing_back(tmp_path):
    (tmp_path / "in").mkdir()
    write(tainted(), tmp_path / "in" / "a.dcm")
    first = b"\x04\x00\x11\x15"
    head, tail = (tmp_path / "in" / "a.dcm").read_bytes().split(first, 1)
    length_of_command = b"\x00\x00\x00\x00UL\x00\x00"
    (tmp_path / "in" / "a.dcm").write_bytes(head + length_of_command + first + tail)
    body = deidentify_into(Silent(), (tmp_path / "in",), tmp_path / "out")
    assert (body["files"], body["withheld"]) == (1, [])


def test_an_image_without_a_uid_gets_one(tmp_path):
    (tmp_path / "in").mkdir()
    nameless = tainted()
    del nameless.SOPInstanceUID
    pydicom.dcmwrite(tmp_path / "in" / "a.dcm", nameless, enforce_file_format=True)
    body = deidentify_into(Silent(), (tmp_path / "in",), tmp_path / "out")
    (file,) = (tmp_path / "out").rglob("*.dcm")
    assert (body["files"], pydicom.dcmread(file).SOPInstanceUID[:5]) == (1, "2.25.")


def test_files_in_an_archive_are_copied_by_their_own_paths(tmp_path):
    write(tainted(), tmp_path / "a.dcm")
    with zipfile.ZipFile(tmp_path / "disc.zip", "w") as archive:
        archive.write(tmp_path / "a.dcm", "images/a.dcm")
    member = tmp_path / "disc.zip" / "images" / "a.dcm"
    assert deidentify_into(Silent(), (member,), tmp_path / "out")["files"] == 1
    assert deidentify_into(Silent(), (member.parents[1],), tmp_path / "all")["files"] == 1


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
    body = deidentify_into(Silent(), (tmp_path / "more",), out)
    assert body["files"] == 1
    assert [one["code"] for one in body["withheld"]] == ["MV-DEI-001"]
    assert [one["code"] for one in body["warnings"]] == ["FACE"]


WHO = {"PatientName": f"{CANARY}^Jane", "PatientID": f"{CANARY}7", "FrameOfReferenceUID": "1.2.9"}
LENGTH = Measured(
    Measurement(1, "length", ((0, 0, 2), (30, 0, 2)), (1, 0, 0), (0, 1, 0), f"{CANARY} typed"),
    (Quantity("length", 30.0, "mm"),),
    ((0, 0, 2), (30, 0, 2)),
)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of canaries copied with a result, a measurement and key images."""
    folder = tmp_path_factory.mktemp("study")
    save_dicom(
        small_head(), folder / CANARY, **WHO, AccessionNumber=f"{CANARY}4", StudyDate="19111213",
        StudyDescription=f"{CANARY} brain", InstitutionName=f"{CANARY} Hospital",
    )  # fmt: skip
    (series,) = scan(Silent(), (folder / CANARY,)).all_series()
    volume = load(Silent(), series)
    prediction = prediction_on(volume)
    parts = Handover(series, ((prediction, card()),), (LENGTH,), (4, 6))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        body = deidentify_into(Silent(), (folder / CANARY,), folder / "out", results=(parts,))
    return prediction, body, folder / "out"


def images_and_objects(out):
    files = sorted(out.rglob("*.dcm"))
    objects = [file for file in files if "results" in file.parts]
    return (
        [pydicom.dcmread(file) for file in files if file not in objects],
        {file.stem: pydicom.dcmread(file) for file in objects},
    )


def test_every_object_of_the_results_belongs_to_the_copies(study):
    _, body, out = study
    images, objects = images_and_objects(out)
    assert (body["files"], body["results"]) == (len(images), len(objects)) == (24, 11)
    assert [one["code"] for one in body["warnings"]] == ["FACE"]
    first = images[0]
    for made in objects.values():
        assert made.StudyInstanceUID == first.StudyInstanceUID
        assert made.PatientID == first.PatientID == made.PatientName
        assert made.PatientIdentityRemoved == "YES"
        assert made.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
        assert made.get("FrameOfReferenceUID", first.FrameOfReferenceUID) == (
            first.FrameOfReferenceUID
        )
        assert made.LongitudinalTemporalInformationModified == "REMOVED"


def references(found) -> Iterator[str]:
    """Every instance that a data set names."""
    for element in found.iterall():
        if element.keyword in ("ReferencedSOPInstanceUID", "ReferencedFrameOfReferenceUID"):
            yield element.keyword, str(element.value)


def test_every_reference_leads_to_a_copy(study):
    _, _, out = study
    images, objects = images_and_objects(out)
    there = {str(one.SOPInstanceUID) for one in (*images, *objects.values())}
    frames = {str(images[0].FrameOfReferenceUID)}
    for name, made in objects.items():
        named = list(references(made))
        assert named, name
        for keyword, uid in named:
            assert uid in (there if keyword == "ReferencedSOPInstanceUID" else frames), name
    seg = objects["findings_seg"]
    assert str(seg.SOPInstanceUID) in {uid for _, uid in references(objects["scores_sr"])}


def test_segments_and_maps_lie_where_they_lay(study):
    prediction, _, out = study
    (file,) = out.rglob("score_pm.dcm")
    volume = hd.imread(file).get_volume()
    wanted = prediction.map("score")
    for index in ((0, 0, 0), (11, 16, 14), (20, 5, 22)):
        there = volume.map_reference_to_indices(np.array([wanted.geometry.to_mm(index)]))[0]
        k, j, i = np.rint(there).astype(int)
        assert volume.array[k, j, i] == pytest.approx(float(wanted.array[index]), rel=1e-6)
    (file,) = out.rglob("findings_seg.dcm")
    assert len(hd.seg.segread(file).segment_numbers) >= 2


def test_nothing_of_the_patient_is_in_name_or_content_of_any_file(study):
    for file in study[2].rglob("*"):
        assert CANARY not in str(file.relative_to(study[2]))
        content = file.read_bytes() if file.is_file() else b""
        for trace in (CANARY.encode(), b"19111213", CANARY.encode("utf-16-le")):
            assert trace not in content, file.name


def test_results_are_left_out_where_an_image_of_theirs_is_held_back(tmp_path):
    save_dicom(small_head(), tmp_path / "in", **WHO)
    (series,) = scan(Silent(), (tmp_path / "in",)).all_series()
    parts = Handover(series, key_slices=(4,))
    series.files[3].write_bytes(b"no image any more")
    body = deidentify_into(Silent(), (tmp_path / "in",), tmp_path / "out", results=(parts,))
    assert (body["files"], body["results"]) == (23, 0)
    assert "NO_RESULTS" in [one["code"] for one in body["warnings"]]
    assert not list(tmp_path.rglob("*_ko.dcm"))


def test_results_that_cannot_be_objects_do_not_keep_the_copies_back(tmp_path):
    save_dicom(small_head(), tmp_path / "in", **WHO)
    (series,) = scan(Silent(), (tmp_path / "in",)).all_series()
    nothing = Handover(series, key_slices=(999,))
    body = deidentify_into(Silent(), (tmp_path / "in",), tmp_path / "out", results=(nothing,))
    assert (body["files"], body["results"]) == (24, 0)
    assert "NO_RESULTS" in [one["code"] for one in body["warnings"]]
    assert sorted(path.name for path in (tmp_path / "out").iterdir())[0].startswith("ANON-")
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_a_locked_folder_is_told_as_the_reason_why_nothing_is_copied(tmp_path, monkeypatch):
    (tmp_path / "in" / "locked").mkdir(parents=True)
    write(tainted(), tmp_path / "in" / "locked" / "a.dcm")
    scandir = os.scandir

    def guarded(folder="."):
        if str(folder).endswith("locked"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.raises(InputRefused, match="1 folder or file may not be read") as refused:
        deidentify_into(Silent(), (tmp_path / "in",), tmp_path / "out")
    assert refused.value.code == "MV-DEI-005"
    write(tainted(), tmp_path / "in" / "b.dcm")
    body = deidentify_into(Silent(), (tmp_path / "in",), tmp_path / "out")
    assert [one["what"] for one in body["withheld"]] == ["a folder or file that may not be read"]
