"""Files of a series: each used once, none overwritten, all in the order of space."""

from __future__ import annotations

from dicom_files import (
    catalogue,
    codes,
    save,
    slice_at,
    stack,
)


def test_a_file_that_is_there_twice_is_used_once(tmp_path):
    datasets = stack()
    save([*datasets, datasets[2]], tmp_path)
    found = catalogue(tmp_path)
    (series,) = found.all_series()
    assert codes(series) == ["DUPLICATE"]
    assert series.size == (9, 6, 8)
    assert (found.files, found.read) == (9, 9)


def test_the_same_uid_with_other_pixels_is_a_conflict_and_both_are_kept(tmp_path):
    datasets = stack()
    other = slice_at(45.0, value=777, SOPInstanceUID=datasets[2].SOPInstanceUID)
    found = catalogue(save([*datasets, other], tmp_path)).all_series()
    assert all("CONFLICT" in codes(series) for series in found)
    assert sum(len(series.files) for series in found) == 9
