"""Opening folders: what is found, what is left out, and that one bad file stops nothing."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_files import image, marked_slice, save, stack
from PIL import Image

from medview.domain.errors import ReadError
from medview.domain.progress import Silent
from medview.io import readers


def scan(path: Path):
    return readers.scan(Silent(), (path,))


def test_a_folder_of_slices_becomes_one_volume_with_each_voxel_in_its_place(tmp_path):
    catalogue = scan(save(stack(), tmp_path / "deep" / "er").parent)
    (series,) = catalogue.all_series()
    volume = readers.load(Silent(), series)
    assert volume.array.dtype == np.int16
    assert volume.array[3, 1, 2] == 1003
    assert np.count_nonzero(volume.array) == 8
    np.testing.assert_allclose(volume.geometry.to_mm((3, 1, 2)), (-99, -79.3, 47.5), atol=1e-6)


def test_files_that_are_no_images_are_skipped_and_counted(tmp_path):
    save(stack(), tmp_path)
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\x08\0\x05\0CS\xff\xff")
    catalogue = scan(tmp_path)
    assert (catalogue.files, catalogue.read) == (10, 8)
    codes = {item.file: item.code for item in catalogue.skipped}
    assert codes["notes.txt"] == "MV-IO-001"
    assert codes["broken.dcm"].startswith("MV-IO-1")


def nifti_of(path, shape=(4, 3, 2)):
    """A NIfTI file of rising numbers."""
    values = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    nib.save(nib.Nifti1Image(values, np.eye(4)), path)


def test_what_is_skipped_is_named_as_seen_from_what_was_chosen(tmp_path):
    save(stack()[:2], tmp_path / "in")
    for name in ("in/deep/notes.txt", "own.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no image")
    with zipfile.ZipFile(tmp_path / "in" / "more.zip", "w") as archive:
        archive.writestr("x", "x")
    chosen = (tmp_path / "in", tmp_path / "own.txt", tmp_path / "in" / "deep" / "notes.txt")
    found = readers.scan(Silent(), chosen)
    assert {item.file: item.code for item in found.skipped} == {
        "deep/notes.txt": "MV-IO-001", "own.txt": "MV-IO-001", "more.zip": "MV-IO-016",
    }  # fmt: skip
    assert (found.files, found.read) == (5, 2)


def test_a_picture_beside_images_is_a_film_only_where_it_was_chosen(tmp_path):
    nifti_of(tmp_path / "t1.nii")
    picture = tmp_path / "film.png"
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(picture)
    assert [each.format for each in scan(tmp_path).all_series()] == ["nifti"]
    both = readers.scan(Silent(), (tmp_path, picture))
    assert sorted(each.format for each in both.all_series()) == ["film", "nifti"]
    assert both.skipped == ()


def test_maps_of_a_result_are_images_only_where_they_were_chosen_or_alone(tmp_path):
    nifti_of(tmp_path / "t1.nii")
    result = tmp_path / "results" / "t1"
    (result / "maps").mkdir(parents=True)
    (result / "result.json").write_text("{}")
    score = result / "maps" / "score.nii"
    nifti_of(score)
    plain = scan(tmp_path)
    assert [each.description for each in plain.all_series()] == ["t1"]
    assert {each.file: each.code for each in plain.skipped}[
        "results/t1/maps/score.nii"
    ] == "MV-IO-008"
    for chosen in (result, result / "maps", score, tmp_path / "results"):
        assert [each.description for each in scan(chosen).all_series()] == ["score"]
    (result / "result.json").unlink()
    assert len(list(scan(tmp_path).all_series())) == 2


def test_a_name_in_latin_1_is_text_that_can_be_written(tmp_path):
    folder = tmp_path / os.fsdecode(b"M\xfcller")
    folder.mkdir()
    try:
        nifti_of(folder / os.fsdecode(b"sch\xe4del.nii"))
        Image.fromarray(np.zeros((4, 5), np.uint8)).save(folder / os.fsdecode(b"\xe4.png"))
    except OSError:
        pytest.skip("this disk keeps no names but UTF-8")
    films = readers.scan(Silent(), (folder, folder / os.fsdecode(b"\xe4.png")))
    assert {each.description for each in films.all_series()} == {"sch\ufffddel", "\ufffd"}
    assert films.patients[0].studies[0].description == "M\ufffdller"


class Heard(Silent):
    """What was reported, as (done, total), and how many partial answers came."""

    def __init__(self):
        self.told, self.parts = [], 0

    def report(self, done, total, text=""):
        self.told.append((done, total))

    def partial(self, payload):
        self.parts += 1


def test_reading_headers_is_told_from_the_first_file_to_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "REPORT_EVERY", 3)
    job = Heard()
    readers.scan(job, (save(stack(), tmp_path),))
    assert job.told == [(0, 8), (3, 8), (6, 8), (8, 8)]


@pytest.mark.parametrize("wanted", [None, 1])
def test_what_is_shown_while_it_is_read_ends_as_the_same_volume(wanted, tmp_path):
    nifti_of(tmp_path / "a.nii")
    save(stack(), tmp_path)
    for series in scan(tmp_path).all_series():
        shown = readers.load_and_show(Heard(), series, 0, wanted)
        np.testing.assert_array_equal(shown.array, readers.load(Silent(), series).array)


def test_a_folder_of_no_images_tells_how_many_it_has(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text("no image")
    with pytest.raises(ReadError, match="none of its 2 files is an image") as caught:
        scan(tmp_path)
    assert (caught.value.file, caught.value.skipped) == (tmp_path.name, 2)
    (tmp_path / "a").unlink()
    with pytest.raises(ReadError, match="not a medical image") as caught:
        scan(tmp_path)
    assert (caught.value.file, caught.value.skipped) == ("b", 1)


def test_a_single_cut_file_is_an_error_that_says_how_much_is_there(tmp_path):
    image(marked_slice(0)).save_as(tmp_path / "x.dcm", enforce_file_format=True)
    path = tmp_path / "x.dcm"
    path.write_bytes(path.read_bytes()[:-54])
    (series,) = scan(path).all_series()
    with pytest.raises(ReadError, match="ends early: 50 %") as caught:
        readers.load(Silent(), series)
    assert (caught.value.code, caught.value.file) == ("MV-IO-103", "x.dcm")


def test_an_empty_folder_is_refused_by_name(tmp_path):
    with pytest.raises(ReadError, match="is empty") as caught:
        scan(tmp_path)
    assert caught.value.file == tmp_path.name
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("place", [".", "..", "in/.."])
def test_the_folder_that_one_stands_in_may_be_chosen(place, tmp_path, monkeypatch):
    save(stack()[:2], tmp_path)
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in" if place == ".." else tmp_path)
    assert len(readers.scan(Silent(), (Path(place),)).all_series()) == 1


def test_the_pixels_of_a_pair_open_as_their_header_does(tmp_path):
    pair = nib.Nifti1Pair(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.eye(4))
    nib.save(pair, tmp_path / "v.img")
    (chosen,) = scan(tmp_path / "v.img").all_series()
    (header,) = scan(tmp_path / "v.hdr").all_series()
    assert (chosen.uid, chosen.files) == (header.uid, header.files)
    for name in ("v.img", "v.hdr"):
        (tmp_path / name).rename(tmp_path / name.upper())
    for name in ("V.IMG", "V.HDR", "."):
        (large,) = scan(tmp_path / name).all_series()
        assert (large.uid, large.description) == (header.uid, "V")
        assert readers.load(Silent(), large).array.shape == (4, 3, 2)
        assert [path.name for path in large.files] == ["V.HDR", "V.IMG"]
    for name in ("v.img", "v.hdr"):
        (tmp_path / name.upper()).rename(tmp_path / name)
    # Slices are called .img, too.
    save(stack()[:1], tmp_path)
    slice_file = next(path for path in tmp_path.iterdir() if path.suffix not in (".img", ".hdr"))
    slice_file.replace(tmp_path / "v.img")
    (dicom,) = scan(tmp_path / "v.img").all_series()
    assert dicom.format == "dicom"
    (tmp_path / "v.hdr").unlink()
    (tmp_path / "v.img").write_bytes(bytes(48))
    with pytest.raises(ReadError, match="not a medical image"):
        scan(tmp_path / "v.img")
