"""Opening folders: what is found, what is left out, and that one bad file stops nothing."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_files import image, marked_slice, save, stack

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


def test_the_pixels_of_a_pair_open_as_their_header_does(tmp_path):
    pair = nib.Nifti1Pair(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.eye(4))
    nib.save(pair, tmp_path / "v.img")
    (chosen,) = scan(tmp_path / "v.img").all_series()
    (header,) = scan(tmp_path / "v.hdr").all_series()
    assert (chosen.uid, chosen.files) == (header.uid, header.files)
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
