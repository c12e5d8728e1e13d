"""What pixels say of a series: a range over all times, and what could not be read."""

from __future__ import annotations

import numpy as np
from dicom_files import catalogue, image, marked_slice, save, stack, two_phases

from medview.domain.progress import Silent
from medview.io.summary import summarise


def summary(folder):
    (series,) = catalogue(folder).all_series()
    return summarise(Silent(), series)


def test_the_range_is_that_of_all_times(tmp_path):
    found = summary(save(two_phases("EchoTime", (4.6, 9.2)), tmp_path))
    assert found.value_range == (0, 1507)
    assert found.missing_slices == ()
    assert found.warnings == ()


def test_what_is_no_number_does_not_count(tmp_path):
    ds = image(np.zeros((1, 3), np.uint16), BitsAllocated=32)
    del ds.PixelData, ds.BitsStored, ds.HighBit, ds.PixelRepresentation
    ds.FloatPixelData = np.array([[np.nan, 2, np.inf]], np.float32).tobytes()
    assert summary(save([ds], tmp_path)).value_range == (2, 2)


def test_pixels_that_cannot_be_read_are_a_warning_not_an_error(tmp_path):
    folder = save([image(marked_slice(0))], tmp_path)
    path = next(folder.iterdir())
    path.write_bytes(path.read_bytes()[:-100])
    found = summary(folder)
    assert found.value_range is None
    (note,) = found.warnings
    assert note.code == "PARTIAL"
    assert "ends early" in note.text


def test_a_slice_that_is_blank_is_told(tmp_path):
    folder = save(stack(), tmp_path)
    path = next(folder.glob("*_6"))
    path.write_bytes(path.read_bytes()[:-100])
    found = summary(folder)
    assert found.missing_slices == (6,)
    assert found.value_range == (0, 1007)


def test_of_many_damaged_times_the_first_few_are_told(tmp_path):
    ds = image(marked_slice(0), NumberOfFrames=12)
    found = summary(save([ds], tmp_path))
    assert found.value_range == (0, 1000)
    told = [note.text for note in found.warnings if note.code == "PARTIAL"]
    assert len(told) == 6
    assert "frame" in told[0] or "ends early" in told[0]
    assert told[-1] == "and 6 more like it"
