"""Seconds between the times of a DICOM series."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from dicom_files import catalogue, image, save, stack, two_phases
from pydicom.uid import UltrasoundMultiFrameImageStorage

from medview.cli import main


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
        ({"EchoTime": lambda n: 10.0 * (n + 1), "TemporalResolution": lambda n: 9}, None),
    ],
)  # fmt: skip
def test_volumes_say_it_or_are_counted_where_they_are_even(tmp_path, by_volume, seconds):
    found = step(save(volumes(3, **by_volume), tmp_path))
    assert found == (None if seconds is None else pytest.approx(seconds))


def test_a_file_that_is_converted_keeps_the_step(tmp_path):
    save(two_phases("TriggerTime", (0, 250)), tmp_path / "in")
    assert main(["convert", str(tmp_path / "in"), "--out", str(tmp_path / "o.nii")]) == 0
    assert nib.load(tmp_path / "o.nii").header.get_zooms()[3] == pytest.approx(0.25)
