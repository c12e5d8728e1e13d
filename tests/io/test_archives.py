"""ZIP archives are read where they are, and their names lead nowhere."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from dicom_files import catalogue, image, only, save, stack

from medview.domain.errors import ReadError
from medview.io import archives
from medview.services import library
from medview.services.jobs import Jobs


def zipped(path: Path, folder: Path, prefix: str = "", **extra: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, prefix + file.name)
        for name, content in extra.items():
            archive.writestr(name, content)
    return path


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_series_opens_from_its_archive_and_nothing_is_unpacked(tmp_path):
    path = zipped(tmp_path / "s.zip", save(stack(), tmp_path / "in"), notes=b"text")
    before = tree(tmp_path)
    found = catalogue(path)
    _, plain = only(tmp_path / "in")
    series, volume = only(zipped(tmp_path / "t.zip", tmp_path / "in"))
    np.testing.assert_array_equal(volume.array, plain.array)
    assert volume.geometry.same_grid(plain.geometry)
    assert (found.files, found.read) == (9, 8)
    assert [item.file for item in found.skipped] == ["notes"]
    assert tree(tmp_path) == sorted([*before, "t.zip"])
    assert series.files[0].parent == tmp_path / "t.zip"


@pytest.mark.parametrize("prefix", ["../../", "/etc/", "..\\..\\", "a/../../b/", "./"])
def test_names_that_lead_out_are_labels_only(prefix, tmp_path):
    path = zipped(tmp_path / "s.zip", save(stack(), tmp_path / "in"), prefix)
    series, _ = only(path)
    assert series.size == (9, 6, 8)
    for file in series.files:
        assert file.is_relative_to(path)
        assert ".." not in file.parts


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_both_read(tmp_path):
    folder = save(stack()[:2], tmp_path / "in")
    one, other = sorted(folder.iterdir())
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(one, "same")
        archive.write(other, "same")
    series, _ = only(path)
    assert series.size == (9, 6, 2)


def test_only_what_lies_in_an_archive_is_a_member(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("deep/", b"")
        archive.writestr("deep/x", b"12345")
    (tmp_path / "folder.zip").mkdir()
    (tmp_path / "file.txt").write_text("x")
    member = tmp_path / "a.zip" / "deep" / "x"
    assert list(archives.members(tmp_path / "a.zip")) == [member]
    assert archives.split(member) == (tmp_path / "a.zip", "deep/x")
    assert archives.member_size(member) == 5
    for other in ("folder.zip/x", "file.txt/x", "gone.zip/x", "file.txt"):
        assert archives.split(tmp_path / other) is None
        assert archives.member_size(tmp_path / other) is None
        assert archives.open_member(tmp_path / other) is None
    with pytest.raises(ReadError, match="is not in its archive"):
        archives.open_member(tmp_path / "a.zip" / "deep")


def test_an_archive_within_a_folder_is_not_entered(tmp_path):
    save(stack(), tmp_path / "in")
    zipped(tmp_path / "in" / "more.zip", tmp_path / "in")
    found = catalogue(tmp_path / "in")
    assert [(item.file, item.code) for item in found.skipped] == [("more.zip", "MV-IO-016")]


def locked(path: Path) -> Path:
    """The archive with all its members marked as encrypted."""
    raw = path.read_bytes()
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        first, *parts = raw.split(signature)
        at = offset - len(signature)
        parts = [part[:at] + bytes([part[at] | 1]) + part[at + 1 :] for part in parts]
        raw = signature.join([first, *parts])
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize(
    ("count", "says"),
    [(1, "is encrypted"), (3, r"none of its 3 files can be shown \(each: is encrypted")],
)
def test_an_encrypted_archive_is_refused_with_the_reason(count, says, tmp_path):
    path = locked(zipped(tmp_path / "s.zip", save(stack()[:count], tmp_path / "in")))
    with pytest.raises(ReadError, match=says) as caught:
        catalogue(path)
    assert (caught.value.code, caught.value.skipped) == ("MV-IO-011", count)
    assert "password" in caught.value.do


def test_a_damaged_member_stops_no_other(tmp_path):
    path = zipped(tmp_path / "s.zip", save(stack(), tmp_path / "in"))
    raw = bytearray(path.read_bytes())
    at = raw.index(b"PK\x03\x04") + 90
    raw[at : at + 60] = b"\xff" * 60
    path.write_bytes(bytes(raw))
    found = catalogue(path)
    assert found.read == 7
    assert [item.code for item in found.skipped] == ["MV-IO-010"]


@pytest.mark.parametrize("end", [0.2, 0.6, 0.95])
def test_a_cut_archive_is_refused_by_name(end, tmp_path):
    path = zipped(tmp_path / "s.zip", save(stack(), tmp_path / "in"))
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * end)])
    with pytest.raises(ReadError) as caught:
        catalogue(path)
    assert caught.value.code == "MV-IO-010"
    assert caught.value.file == "s.zip"


def test_a_bomb_is_inflated_no_further_than_it_is_asked(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.dcm", b"\0" * (64 * 2**20))
    with pytest.raises(ReadError, match="not a medical image"):
        catalogue(path)


def test_an_archive_with_too_many_members_is_refused(tmp_path, monkeypatch):
    path = zipped(tmp_path / "s.zip", save(stack(), tmp_path / "in"))
    monkeypatch.setattr(archives, "MAX_MEMBERS", 7)
    with pytest.raises(ReadError, match="more than can be listed") as caught:
        catalogue(path)
    assert caught.value.code == "MV-IO-012"


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_processes_that_decode_side_by_side_do_not_disturb_each_other(packing, tmp_path):
    count, side = 24, 200
    chance = np.random.default_rng(0)
    pixels = [chance.integers(0, 999, (side, side)).astype(np.int16) for _ in range(count)]
    images = [
        image(plane, ImagePositionPatient=[0, 0, 2.0 * k], PatientComments="x" * 9000)
        for k, plane in enumerate(pixels)
    ]
    folder = save(images, tmp_path / "loose")
    path = tmp_path / "series.zip"
    with zipfile.ZipFile(path, "w", packing) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    with Jobs(lambda call: call()) as jobs:
        (series,) = library.scan(jobs, (path,)).all_series()
        for _ in range(3):
            volume = library.load(jobs, series)
            assert volume.missing_slices == ()
            np.testing.assert_array_equal(volume.array, pixels)
