"""Slices on their way into one volume: what fails stays blank, what fits stays whole."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from dicom_files import (
    compressed,
    image,
    marked_slice,
    only,
    save,
    stack,
    write,
)


def opened(tmp_path, ds):
    return only(write(ds, tmp_path / "x.dcm"))


def test_sixteen_unsigned_bits_are_whole_numbers_while_they_fit(tmp_path):
    fits = np.array([[0, 33000]], np.uint16)
    over = np.array([[0, 65535]], np.uint16)
    offset = {"RescaleSlope": 1, "RescaleIntercept": -1000}
    _, small = opened(tmp_path, image(fits, **offset))
    assert small.array.dtype == np.int16
    assert small.array.ravel().tolist() == [-1000, 32000]
    _, large = opened(tmp_path, image(over, **offset))
    assert large.array.dtype == np.float32
    assert large.array.ravel().tolist() == [-1000, 64535]


def test_thirty_two_bits_are_whole_numbers_while_they_fit(tmp_path):
    _, small = opened(tmp_path, image(np.array([[7, 30000]], np.uint32)))
    assert small.array.dtype == np.int16
    _, large = opened(tmp_path, image(np.array([[7, 3_000_000]], np.uint32)))
    assert large.array.dtype == np.float32
    assert large.array.ravel().tolist() == [7, 3_000_000]


def test_the_volume_is_read_only(tmp_path):
    _, volume = only(save(stack(), tmp_path))
    with pytest.raises(ValueError, match="read-only"):
        volume.array[0, 0, 0] = 1
    assert volume.array[0, 1, 2] == marked_slice(0)[1, 2]


def test_a_cut_slice_is_left_blank_and_the_others_load(tmp_path):
    save(stack(), tmp_path)
    path = next(tmp_path.glob("*_3"))
    path.write_bytes(path.read_bytes()[:-60])
    _, volume = only(tmp_path)
    assert volume.missing_slices == (3,)
    assert volume.array[4, 1, 2] == 1004
    assert not volume.array[3].any()
    (note,) = [n for n in volume.warnings if n.code == "PARTIAL"]
    assert "44 %" in note.text


def test_the_other_slices_load_when_one_does_not_decode(tmp_path):
    datasets = stack()
    for k, ds in enumerate(datasets):
        frame = imagecodecs.jpegls_encode(marked_slice(k).view(np.uint16))
        compressed(ds, "1.2.840.10008.1.2.4.80", [frame if k != 5 else frame[:20]])
    series, volume = only(save(datasets, tmp_path))
    assert volume.missing_slices == (5,)
    assert [n.code for n in volume.warnings] == ["PARTIAL"]
    assert volume.array[4, 1, 2] == 1004
    assert series.lossy is False
