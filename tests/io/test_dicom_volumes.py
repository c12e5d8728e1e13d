"""Frames in one place are volumes, copies or a conflict, and never averaged."""

from __future__ import annotations

import numpy as np
from dicom_files import (
    catalogue,
    codes,
    marked_slice,
    only,
    save,
    slice_at,
    stack,
    two_phases,
)

from medview.domain.progress import Silent
from medview.domain.study import Choice
from medview.io import readers


def test_a_slice_sent_again_under_a_new_uid_is_used_once(tmp_path):
    series, volume = only(save([*stack(), *stack()[2:3]], tmp_path))
    assert codes(series) == ["DUPLICATE"]
    assert volume.array[2, 1, 2] == 1002


def test_another_image_in_the_same_place_is_kept_apart_and_said(tmp_path):
    other = slice_at(45.0, value=777)
    found = catalogue(save([*stack(), other], tmp_path)).all_series()
    assert [codes(series) for series in found] == [["CONFLICT"], ["CONFLICT"]]
    volumes = [readers.load(Silent(), series) for series in found]
    assert volumes[0].array.shape[0] == 8
    assert {int(v.array[k, 1, 2]) for v, k in ((volumes[0], 2), (volumes[1], 0))} == {1002, 777}


def test_phases_that_only_their_numbers_tell_apart_are_split_by_these(tmp_path):
    (series,) = catalogue(save(two_phases("PatientAge", ("050Y",) * 2), tmp_path)).all_series()
    assert (series.times, series.split_by) == (2, "InstanceNumber")


def test_echoes_times_phases_are_told_apart_by_both_keys(tmp_path):
    datasets = []
    for echo in (4.6, 9.2):
        for trigger in (0, 40):
            for ds in stack()[:3]:
                ds.EchoTime, ds.TriggerTime = echo, trigger
                ds.PixelData = (marked_slice(0) + np.int16(trigger + 100 * echo)).tobytes()
                datasets.append(ds)
    (series,) = catalogue(save(datasets, tmp_path)).all_series()
    assert (series.times, series.split_by) == (4, "EchoTime+TriggerTime")


def test_a_slice_missing_in_one_phase_only_is_blank_there_and_said(tmp_path):
    datasets = two_phases("EchoTime", (4.6, 9.2))
    del datasets[8 + 5]
    (series,) = catalogue(save(datasets, tmp_path)).all_series()
    assert (series.times, codes(series)) == (2, ["INCOMPLETE"])
    first, second = (readers.load(Silent(), series, time) for time in (0, 1))
    assert first.missing_slices == ()
    assert second.missing_slices == (5,)
    assert first.array[5, 1, 2] == 1005


def crossed():
    """Two echoes, their numbers of acquisition the other way round in one slice."""
    datasets = two_phases("EchoTime", (4.6, 9.2))
    for n, ds in enumerate(datasets):
        first = n < 8
        ds.AcquisitionNumber = 1 + (first == (n % 8 == 3))
    return datasets


def test_the_reader_may_choose_another_key(tmp_path):
    folder = save(crossed(), tmp_path)
    (series,) = catalogue(folder).all_series()
    assert (series.split_by, series.split_keys) == (
        "AcquisitionNumber", ("AcquisitionNumber", "EchoTime"),
    )  # fmt: skip
    assert readers.load(Silent(), series, 0).array[3, 1, 2] == 1503
    choice = Choice("1.2.3.4", split_by="EchoTime")
    (series,) = readers.scan(Silent(), (folder,), (choice,)).all_series()
    assert (series.split_by, series.times) == ("EchoTime", 2)
    assert [readers.load(Silent(), series, t).array[3, 1, 2] for t in (0, 1)] == [1003, 1503]


def test_a_key_that_tells_nothing_apart_changes_nothing(tmp_path):
    folder = save(two_phases("EchoTime", (4.6, 9.2)), tmp_path)
    for key in ("KVP", "EchoTime+KVP", "no such key"):
        (series,) = readers.scan(Silent(), (folder,), (Choice(split_by=key),)).all_series()
        assert (series.split_by, series.split_keys) == ("EchoTime", ("EchoTime",))
