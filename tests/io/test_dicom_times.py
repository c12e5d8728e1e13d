"""Seconds between the times of a DICOM series."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from dicom_files import catalogue, image, save, stack, two_phases
from pydicom.uid import UltrasoundMultiFrameImageStorage

from medview.cli import main
from medview.io.dicom_times import clock_words, moment_of, seconds_of_day


def volumes(count: int, **by_volume) -> list:
    """The same stack over and over; each keyword has a function of the number of the volume."""
    made = []
    for n in range(count):
        for ds in stack():
            for keyword, value in by_volume.items():
                setattr(ds, keyword, value(n))
            made.append(ds)
    return made


def loop(**elements):
    """Frames without a place, as of ultrasound."""
    ds = image(np.zeros((6, 8), np.uint8), ImageOrientationPatient=None, **elements)
    del ds.ImagePositionPatient
    ds.SOPClassUID, ds.Modality = UltrasoundMultiFrameImageStorage, "US"
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.NumberOfFrames, ds.PixelData = 4, bytes(4 * 48)
    return ds


def step(folder):
    (series,) = catalogue(folder).all_series()
    assert series.times > 1
    return series.time_step_s


@pytest.mark.parametrize(
    ("elements", "seconds"),
    [
        ({"FrameTime": 40}, 0.04),
        ({"FrameTimeVector": [0, 30, 31, 29]}, 0.03),
        ({"FrameTimeVector": [0, 30, 300, 30]}, None),
        ({"CineRate": 25}, 0.04),
        ({"FrameTime": 0}, None),
        ({}, None),
    ],
)
def test_a_loop_says_how_long_a_frame_stands(tmp_path, elements, seconds):
    found = step(save([loop(**elements)], tmp_path))
    assert found == (None if seconds is None else pytest.approx(seconds))


def number(n):
    return n + 1


@pytest.mark.parametrize(
    ("by_volume", "seconds"),
    [
        ({"TemporalPositionIdentifier": number, "TemporalResolution": lambda n: 2200}, 2.2),
        ({"TemporalPositionIdentifier": number, "TriggerTime": lambda n: 500.0 * n}, 0.5),
        ({"TemporalPositionIdentifier": number, "AcquisitionTime": lambda n: f"0959{57 + n}.5"}, 1),
        ({"AcquisitionNumber": number, "AcquisitionTime": lambda n: f"10{n:02}30.25"}, 60),
        ({"AcquisitionTime": lambda n: ("101500", "101502", "101505")[n]}, 2.5),
        ({"AcquisitionTime": lambda n: ("101500", "101502", "101550")[n]}, None),
        ({"TriggerTime": lambda n: 33.3 * n}, 0.0333),
        ({"AcquisitionTime": lambda n: f"10{n + 5:02}"}, 60),  # hours and minutes
        ({"AcquisitionTime": lambda n: f"{n + 9:02}"}, 3600),  # hours
        ({"AcquisitionTime": lambda n: f"10:15:{n:02}.5"}, 1),
        ({"AcquisitionTime": lambda n: ("0959", "100000", "1001")[n]}, 60),
        ({"AcquisitionTime": lambda n: f"9595{n}.0"}, 1),  # a first zero is missing
        (
            {"AcquisitionTime": lambda n: ("235930", "235950", "000010")[n],
             "AcquisitionDate": lambda n: ("20261231", "20261231", "20270101")[n]}, 20,
        ),
        ({"EchoTime": lambda n: 10.0 * (n + 1), "TemporalResolution": lambda n: 9}, None),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Invalid value for VR TM")
def test_volumes_say_it_or_are_counted_where_they_are_even(tmp_path, by_volume, seconds):
    found = step(save(volumes(3, **by_volume), tmp_path))
    assert found == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("10", 36_000), ("1015", 36_900), ("101530", 36_930), ("101530.25", 36_930.25)),
        *(("000000.000001", 1e-6), ("235960", 86_400), ("101530 ", 36_930)),
        *(("10:15", 36_900), ("10:15:30.5", 36_930.5), ("101530,5", 36_930.5), ("101530.", 36_930)),
        *(("95930", 35_970), ("9:59", 35_940)),
        *(("", None), ("2400", None), ("1060", None), ("101561", None), ("101", None), ("1", None)),
        *(("noon", None), ("10-15", None), ("101530+0100", None), ("1015\\1016", None)),
    ],
)
def test_a_time_may_be_cut_after_hours_minutes_or_seconds(text, seconds):
    assert seconds_of_day(text) == (None if seconds is None else pytest.approx(seconds))


BEGINS_2026 = moment_of("20260101000000")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("2026", 0), ("202602", 31 * 86_400), ("20260102", 86_400), ("2026010101", 3600)),
        *(("202601010130", 5400), ("20260101013030.5", 5430.5)),
        *(("20260101013030.5+0100", 1830.5), ("20251231233000-0030", 0), ("2026-0500", 18_000)),
        *(("202613", None), ("20260230", None), ("20260101250000", None)),
        *(("", None), ("20261", None), ("20260101+1", None), ("today", None)),
    ],
)
def test_a_moment_may_be_cut_and_have_an_offset(text, seconds):
    found = moment_of(text)
    since = None if found is None else found - BEGINS_2026
    assert since == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("text", "words"),
    [("101530.25", "10:15"), ("0000", "00:00"), ("10:15:30", "10:15"), ("10", ""), ("2575", "")],
)
def test_the_clock_is_told_to_the_minute_where_there_is_one(text, words):
    assert clock_words(text) == words


def test_a_file_that_is_converted_keeps_the_step(tmp_path):
    save(two_phases("TriggerTime", (0, 250)), tmp_path / "in")
    assert main(["convert", str(tmp_path / "in"), "--out", str(tmp_path / "o.nii")]) == 0
    assert nib.load(tmp_path / "o.nii").header.get_zooms()[3] == pytest.approx(0.25)
