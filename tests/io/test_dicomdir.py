"""The index of a medium is followed record by record and never out of its folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from dicom_files import catalogue, save, stack, write
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from medview.domain.errors import ReadError
from medview.domain.progress import Silent
from medview.io.deidentify import deidentify_into
from medview.io.dicomdir import files_of, is_dicomdir


def index(path: Path, records: list[list[str]], *, offset: int = 0) -> Path:
    """An index of these files; `offset` is what every record names as its next."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    ds.DirectoryRecordSequence = []
    for parts in records:
        record = Dataset()
        record.OffsetOfTheNextDirectoryRecord = offset
        record.OffsetOfReferencedLowerLevelDirectoryEntity = offset
        record.DirectoryRecordType = "IMAGE"
        if parts:
            record.ReferencedFileID = parts
        ds.DirectoryRecordSequence.append(record)
    return write(ds, path)


@pytest.fixture
def medium(tmp_path) -> Path:
    """A folder with eight images, one image that no index names, and one outside."""
    save(stack(), tmp_path / "cd" / "A")
    for n, file in enumerate(sorted((tmp_path / "cd" / "A").iterdir())):
        file.rename(file.parent / f"IM{n}")
    save(stack(SeriesInstanceUID="1.2.3.9")[:1], tmp_path / "cd" / "MORE")
    save(stack(SeriesInstanceUID="1.2.3.8")[:1], tmp_path / "secret")
    return tmp_path / "cd"


GOOD = [["A", f"IM{n}"] for n in range(8)]


def series_of(path: Path) -> dict[str, int]:
    return {series.uid: len(series.files) for series in catalogue(path).all_series()}


def test_the_files_that_are_named_are_read_and_no_others(medium):
    assert series_of(index(medium / "DICOMDIR", GOOD)) == {"1.2.3.4": 8}


@pytest.mark.parametrize("offset", [0, 1, 400, 2**31])
def test_links_between_records_do_not_matter(offset, medium):
    assert series_of(index(medium / "DICOMDIR", GOOD, offset=offset)) == {"1.2.3.4": 8}


def test_records_of_patients_name_no_file_and_a_file_may_be_named_twice(medium):
    path = index(medium / "DICOMDIR", [[], GOOD[0], [], GOOD[1], GOOD[0]])
    assert files_of(path) == ([medium / "A" / "IM0", medium / "A" / "IM1"], [])


def test_an_index_of_nothing_and_what_is_none_name_no_file(medium):
    assert files_of(index(medium / "DICOMDIR", [])) == ([], [])
    (medium / "DICOMDIR").write_text("no index")
    assert files_of(medium / "DICOMDIR") == ([], [])
    assert not is_dicomdir(medium / "DICOMDIR")


@pytest.mark.parametrize(
    ("name", "is_one"), [("DICOMDIR", True), ("dicomdir.bak", True), ("x.dcm", False)]
)
def test_an_index_is_known_by_its_name(name, is_one, medium):
    assert is_dicomdir(index(medium / name, GOOD)) is is_one


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
def test_a_name_that_leads_out_is_told_as_far_as_it_fits(medium):
    ([], [wrong]) = files_of(index(medium / "DICOMDIR", [["..", *["A"] * 300]]))
    assert wrong.file == ("../" + "A/" * 300)[:200]


def secret(medium: Path) -> str:
    return next((medium.parent / "secret").iterdir()).name


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
@pytest.mark.parametrize(
    "parts",
    [
        ["..", "secret", "NAME"],
        ["..\\..\\secret", "NAME"],
        ["/etc", "passwd"],
        ["C:", "NAME"],
        ["\\\\host", "share", "NAME"],
        ["A", "..", "..", "secret", "NAME"],
        ["LINK", "NAME"],
    ],
)
def test_a_record_that_leads_out_is_named_and_the_rest_opens(parts, medium):
    if "LINK" in parts:
        (medium / "LINK").symlink_to(medium.parent / "secret", target_is_directory=True)
    parts = [secret(medium) if part == "NAME" else part for part in parts]
    path = index(medium / "DICOMDIR", [*GOOD, parts])
    found = catalogue(path)
    assert "1.2.3.4" in {series.uid for series in found.all_series()}
    wrong = [item.code for item in found.skipped if item.code in ("MV-IO-013", "MV-IO-014")]
    assert len(wrong) == 1


def test_a_record_without_its_file_is_named_and_the_folder_is_read(medium):
    found = catalogue(index(medium / "DICOMDIR", [*GOOD, ["A", "GONE"]]))
    assert {s.uid for s in found.all_series()} == {"1.2.3.4", "1.2.3.9"}
    (wrong,) = [item for item in found.skipped if item.code == "MV-IO-014"]
    assert wrong.file == "A/GONE"
    assert found.files == found.read + len(found.skipped)


def test_copies_without_identity_follow_the_index_and_say_what_it_names_in_vain(medium, tmp_path):
    body = deidentify_into(Silent(), (index(medium / "DICOMDIR", GOOD),), tmp_path / "copies")
    assert (body["files"], body["withheld"], body["warnings"]) == (8, [], [])
    gone = index(medium / "DICOMDIR", [*GOOD, ["A", "GONE"], ["B", "GONE"]])
    body = deidentify_into(Silent(), (gone,), tmp_path / "more")
    assert body["files"] == 9  # all that lies there
    assert [(one["code"], one["text"].split(" led")[0]) for one in body["warnings"]] == [
        ("INCOMPLETE", "2 records of the index of the medium")
    ]


def test_names_in_small_letters_are_found(medium):
    (medium / "A").rename(medium / "a")
    assert series_of(index(medium / "DICOMDIR", GOOD)) == {"1.2.3.4": 8}


@pytest.mark.parametrize("end", [200, 400, 600])
def test_a_cut_or_empty_index_gives_way_to_its_folder(end, medium):
    path = index(medium / "DICOMDIR", GOOD)
    path.write_bytes(path.read_bytes()[:end])
    assert series_of(path)["1.2.3.4"] == 8
    assert series_of(index(path, []))["1.2.3.9"] == 1


@pytest.mark.parametrize(
    ("records", "told"),
    [
        (GOOD, "names 8 files. Choose the folder that holds them."),
        ([], "names no file. Choose the images themselves."),
    ],
)
def test_an_index_without_its_images_says_what_it_is_for(records, told, tmp_path):
    (tmp_path / "alone").mkdir()
    with pytest.raises(ReadError) as caught:
        catalogue(index(tmp_path / "alone" / "DICOMDIR", records))
    assert str(caught.value).endswith(told)


def test_in_a_folder_the_index_itself_is_skipped_by_name(medium):
    index(medium / "DICOMDIR", GOOD)
    found = catalogue(medium)
    assert [(item.file, item.code) for item in found.skipped] == [("DICOMDIR", "MV-IO-015")]
    assert len(found.all_series()) == 2
